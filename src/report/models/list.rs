//! The models that can be named, as `model list` shows them: a table, and as JSON.

use serde::Serialize;

use crate::experiment::{HubFile, Model, Source};
use crate::model::{Location, human_bytes};

/// A model in the shape in which `--json` prints it; what is not known is null.
#[derive(Serialize)]
pub struct Row<'a> {
    id: &'a str,
    state: &'static str,
    size_bytes: Option<u64>,
    /// The file, or the first part of a split set; of a served model, the server's address.
    path: Option<String>,
    hub: Option<&'a HubFile>,
    commit: Option<String>,
    sha256: Option<&'a str>,
    note: Option<&'a str>,
}

/// A line a model, in columns.
pub fn table(rows: &[Row<'_>]) -> String {
    let width = rows.iter().map(|row| row.id.len()).max().unwrap_or(0);
    let line = |row: &Row<'_>| {
        let size = row.size_bytes.map_or_else(String::new, human_bytes);
        let source = row.hub.map_or_else(|| row.path.clone().unwrap_or_default(), ToString::to_string);
        format!("{:width$}  {:11}  {size:>8}  {source}\n", row.id, row.state)
    };
    rows.iter().map(line).collect()
}

impl<'a> Row<'a> {
    /// A model, and where it is.
    pub fn new(model: &'a Model, location: &Location) -> Self {
        let (path, hub) = match &model.source {
            Source::Path(path) => (Some(path.clone()), None),
            Source::Hub(file) => (location.paths().first().cloned(), Some(file)),
            Source::Server(served) => (Some(served.server.url.clone().into()), None),
        };
        let (size_bytes, commit) = match location {
            Location::Local { size_bytes, .. } => (Some(*size_bytes), None),
            Location::Cached { size_bytes, commit, .. } => (Some(*size_bytes), Some(commit.clone())),
            Location::Missing | Location::NotFetched | Location::Served => (model.size_bytes, None),
        };
        Self {
            id: &model.id,
            state: location.name(),
            size_bytes,
            path: path.map(|path| path.display().to_string()),
            hub,
            commit,
            sha256: model.sha256.as_deref(),
            note: model.note.as_deref(),
        }
    }
}
