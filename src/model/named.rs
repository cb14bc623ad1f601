//! Models by the names that a user gives, and what is said where one can't be had.

use std::path::PathBuf;

use miette::Diagnostic;

use crate::experiment::{Model, Source};
use crate::nearest::did_you_mean;

/// A name that no model here has.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("unknown model {id:?}")]
#[diagnostic(help("{meant}known models: {known}; --experiment FILE adds those of an experiment file"))]
pub struct UnknownModel {
    id: String,
    known: String,
    meant: String,
}

/// The models of these names, in the order of the names.
///
/// # Errors
/// At the first name that is unknown, with those that are known.
pub fn named(ids: &[String], models: &[Model]) -> Result<Vec<Model>, UnknownModel> {
    let unknown = |id: &String| {
        let known: Vec<_> = models.iter().map(|model| model.id.as_str()).collect();
        let meant = did_you_mean(id, known.iter().copied());
        let meant = meant.map_or_else(String::new, |near| format!("did you mean {near:?}? "));
        let known = if known.is_empty() { "none here".to_owned() } else { known.join(", ") };
        UnknownModel { id: id.clone(), known, meant }
    };
    ids.iter().map(|id| models.iter().find(|model| model.id == *id).cloned().ok_or_else(|| unknown(id))).collect()
}

/// A model that is known and whose files are not here.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum NotHere {
    #[error("the model {id}, {}, does not exist", path.display())]
    #[diagnostic(help("{remedy}"))]
    Missing { id: String, path: PathBuf, remedy: String },
    #[error("the model {id} is not fetched: {file}")]
    #[diagnostic(help("{remedy}"))]
    NotFetched { id: String, file: String, remedy: String },
    #[error("the model {id} is on the server {server}")]
    #[diagnostic(help("{remedy}"))]
    Served { id: String, server: String, remedy: String },
}

impl NotHere {
    /// What is said of a model of this source.
    pub fn new(model: &Model, remedy: impl Into<String>) -> Self {
        let (id, remedy) = (model.id.clone(), remedy.into());
        match &model.source {
            Source::Path(path) => Self::Missing { id, path: path.clone(), remedy },
            Source::Hub(file) => Self::NotFetched { id, file: file.to_string(), remedy },
            Source::Packages(packages) => Self::NotFetched { id, file: packages.to_string(), remedy },
            Source::Server(served) => Self::Served { id, server: served.server.id.clone(), remedy },
        }
    }
}
