//! A model file's header, read and understood.

use std::path::{Path, PathBuf};

use miette::Diagnostic;

use super::anatomy::{Anatomy, NoModel};
use super::gguf::{Gguf, GgufError};

/// Why a file has no header of a model.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum HeaderError {
    #[error("{path} is a scripted model, which has no header")]
    #[diagnostic(help("it is a text file that you can read directly; inspect needs a GGUF file"))]
    Scripted { path: PathBuf },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Gguf(#[from] GgufError),
    #[error("{path} is not a model: {why}")]
    #[diagnostic(help("name the GGUF file of a language model"))]
    NoModel { path: PathBuf, why: NoModel },
}

/// Reads the header of a GGUF file, and no weights.
///
/// # Errors
/// When it is no whole GGUF file, or no model.
pub fn read_header(path: &Path) -> Result<(Gguf, Anatomy), HeaderError> {
    let gguf = Gguf::read(path)?;
    let anatomy = Anatomy::of(&gguf).map_err(|why| HeaderError::NoModel { path: path.to_owned(), why })?;
    Ok((gguf, anatomy))
}
