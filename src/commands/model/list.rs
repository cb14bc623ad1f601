//! `moe-sweep model list`: what can be named, and what is here.

use serde::Serialize;

use super::super::{Failure, print_json, tell};
use super::{State, known_models, settings};
use crate::cli::ModelListArgs;
use crate::exit_code::ExitCode;
use crate::experiment::{HubFile, Model, Source};
use crate::message::say;
use crate::model::human_bytes;

/// A model as `--json` shows it; what is not known is null.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    state: &'static str,
    size_bytes: Option<u64>,
    /// The file, or the first part of a split set.
    path: Option<String>,
    hub: Option<&'a HubFile>,
    commit: Option<String>,
    sha256: Option<&'a str>,
    note: Option<&'a str>,
}

pub fn list(args: &ModelListArgs) -> Result<ExitCode, Failure> {
    let models = known_models(&args.known)?;
    let cache = settings().cache;
    let rows: Vec<_> = models.iter().map(|model| row(model, State::of(model, &cache))).collect();
    if rows.is_empty() {
        say("no model has a name here: there is no models/catalog.toml in this directory or above it. \
             MOE_SWEEP_MODELS=DIR names a directory with a catalog.toml, and --experiment FILE adds the models of an \
             experiment file; `moe-sweep model inspect FILE` takes any GGUF file");
    }
    if args.json {
        return print_json(&rows);
    }
    let width = rows.iter().map(|row| row.id.len()).max().unwrap_or(0);
    let line = |row: &Row<'_>| {
        let size = row.size_bytes.map_or_else(String::new, human_bytes);
        let source = row.hub.map_or_else(|| row.path.clone().unwrap_or_default(), ToString::to_string);
        format!("{:width$}  {:11}  {size:>8}  {source}\n", row.id, row.state)
    };
    tell(&rows.iter().map(line).collect::<String>())
}

fn row(model: &Model, state: State) -> Row<'_> {
    let (path, hub) = match &model.source {
        Source::Path(path) => (Some(path.clone()), None),
        Source::Hub(file) => (state.paths().first().cloned(), Some(file)),
        Source::Server(served) => (Some(served.server.url.clone().into()), None),
    };
    let (size_bytes, commit) = match &state {
        State::Local { size_bytes, .. } => (Some(*size_bytes), None),
        State::Cached { size_bytes, commit, .. } => (Some(*size_bytes), Some(commit.clone())),
        State::Missing | State::NotFetched | State::Served => (model.size_bytes, None),
    };
    Row {
        id: &model.id,
        state: state.name(),
        size_bytes,
        path: path.map(|path| path.display().to_string()),
        hub,
        commit,
        sha256: model.sha256.as_deref(),
        note: model.note.as_deref(),
    }
}
