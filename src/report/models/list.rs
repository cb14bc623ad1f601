//! The models that can be named, as `model list` shows them: a table, and as JSON.

use serde::Serialize;

use crate::experiment::{HubFile, Model, Packages, Source};
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
    packages: Option<&'a Packages>,
    commit: Option<String>,
    sha256: Option<&'a str>,
    license: Option<&'a str>,
    note: Option<&'a str>,
}

/// A line a model, in columns.
pub fn table(rows: &[Row<'_>]) -> String {
    let width = rows.iter().map(|row| row.id.len()).max().unwrap_or(0);
    let licenses = rows.iter().filter_map(|row| row.license).map(str::len).max().unwrap_or(0);
    let line = |row: &Row<'_>| {
        let size = row.size_bytes.map_or_else(String::new, human_bytes);
        let hub = row.hub.map(ToString::to_string);
        let source = hub.or_else(|| row.packages.map(ToString::to_string)).or_else(|| row.path.clone());
        let source = source.unwrap_or_default();
        let license = row.license.unwrap_or_default();
        // A column that nothing fills would only push the others apart.
        let license = if licenses == 0 { String::new() } else { format!("{license:licenses$}  ") };
        format!("{:width$}  {:11}  {size:>8}  {license}{source}\n", row.id, row.state)
    };
    rows.iter().map(line).collect()
}

impl<'a> Row<'a> {
    /// A model, and where it is.
    pub fn new(model: &'a Model, location: &Location) -> Self {
        let here = location.paths().first().cloned();
        let (path, hub, packages) = match &model.source {
            Source::Path(path) => (Some(path.clone()), None, None),
            Source::Hub(file) => (here, Some(file), None),
            Source::Packages(packages) => (here, None, Some(packages)),
            Source::Server(served) => (Some(served.server.url.clone().into()), None, None),
        };
        let (size_bytes, commit) = match location {
            Location::Local { size_bytes, .. } | Location::Unpacked { size_bytes, .. } => (Some(*size_bytes), None),
            Location::Cached { size_bytes, commit, .. } => (Some(*size_bytes), Some(commit.clone())),
            Location::Missing | Location::NotFetched | Location::Served => (model.size_bytes, None),
        };
        Self {
            id: &model.id,
            state: location.name(),
            size_bytes,
            path: path.map(|path| path.display().to_string()),
            hub,
            packages,
            commit,
            sha256: model.sha256.as_deref(),
            license: model.license.as_deref(),
            note: model.note.as_deref(),
        }
    }
}
