//! `moe-sweep model`: the models that can be named, and the hub's cache.

use std::path::{Path, PathBuf};

use miette::{Report, miette};

use super::Failure;
use crate::cli::{Known, ModelCommand};
use crate::exit_code::ExitCode;
use crate::experiment::{Model, Source};
use crate::model::hub::{HubError, HubSettings, cached};
use crate::model::parts;
use crate::prepare::load_models;

mod fetch;
mod inspect;
mod list;
mod verify;

pub fn execute(command: &ModelCommand) -> Result<ExitCode, Failure> {
    match command {
        ModelCommand::List(args) => list::list(args),
        ModelCommand::Inspect(args) => inspect::inspect(args),
        ModelCommand::Fetch(args) => fetch::fetch(args),
        ModelCommand::Verify(args) => verify::verify(args),
    }
}

/// Where a model is.
enum State {
    /// A file of its own, the parts of a split set in order.
    Local {
        paths: Vec<PathBuf>,
        size_bytes: u64,
    },
    /// Its path leads to nothing.
    Missing,
    Cached {
        paths: Vec<PathBuf>,
        size_bytes: u64,
        commit: String,
    },
    NotFetched,
    /// By a server, which may run or not.
    Served,
}

impl State {
    fn of(model: &Model, cache: &Path) -> Self {
        match &model.source {
            Source::Path(path) => {
                let paths = parts(path);
                let size = |path: &PathBuf| std::fs::metadata(path).ok().map(|data| data.len());
                match paths.iter().map(size).sum() {
                    Some(size_bytes) => Self::Local { paths, size_bytes },
                    None => Self::Missing,
                }
            }
            Source::Hub(file) => match cached(cache, file) {
                Some(found) => Self::Cached { paths: found.paths, size_bytes: found.size_bytes, commit: found.commit },
                None => Self::NotFetched,
            },
            Source::Server(_) => Self::Served,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Local { .. } => "local",
            Self::Missing => "missing",
            Self::Cached { .. } => "cached",
            Self::NotFetched => "not fetched",
            Self::Served => "served",
        }
    }

    fn paths(&self) -> &[PathBuf] {
        match self {
            Self::Local { paths, .. } | Self::Cached { paths, .. } => paths,
            Self::Missing | Self::NotFetched | Self::Served => &[],
        }
    }
}

/// The models that `known` describes.
fn known_models(known: &Known) -> Result<Vec<Model>, Failure> {
    load_models(known.experiment.as_deref()).map_err(Failure::bad_setup)
}

/// The models of these names, in the order of the names.
fn named(ids: &[String], models: Vec<Model>) -> Result<Vec<Model>, Failure> {
    let find = |id: &String| models.iter().find(|model| model.id == *id).cloned().ok_or_else(|| unknown(id, &models));
    ids.iter().map(find).collect()
}

fn unknown(id: &str, models: &[Model]) -> Failure {
    let known: Vec<_> = models.iter().map(|model| model.id.as_str()).collect();
    let known = if known.is_empty() { "none here".to_owned() } else { known.join(", ") };
    Failure::bad_setup(miette!(
        help = format!("known are: {known}; --experiment FILE adds those of an experiment file"),
        "unknown model {id:?}"
    ))
}

/// A full disk is a fault of the machine; all else is one of the set-up.
fn of_hub(error: HubError) -> Failure {
    match error {
        HubError::Io { .. } => Failure::internal(error),
        _ => Failure::bad_setup(error),
    }
}

fn settings() -> HubSettings {
    HubSettings::from_env()
}

fn not_here(model: &Model, help: String) -> Report {
    match &model.source {
        Source::Path(path) => miette!(help = help, "the model {}, {}, is not there", model.id, path.display()),
        Source::Hub(file) => miette!(help = help, "the model {} is not fetched: {file}", model.id),
        Source::Server(served) => miette!(help = help, "the model {} is on the server {}", model.id, served.server.id),
    }
}
