//! Owns what a model's weights are as a file that can be loaded.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::blake3_of;
use crate::domain::Quant;

/// A file and what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFile {
    #[serde(with = "crate::any_path")]
    pub path: PathBuf,
    /// Of the whole file, lower-case hexadecimal.
    pub blake3: String,
    pub size_bytes: u64,
}

/// The file of every model, by its id and quantisation.
pub type ModelFiles = BTreeMap<(String, Quant), ModelFile>;

impl ModelFile {
    /// Reads the whole file for its hash.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn read(path: &Path) -> io::Result<Self> {
        let size_bytes = std::fs::metadata(path)?.len();
        Ok(Self { path: path.to_owned(), blake3: blake3_of(path)?, size_bytes })
    }
}
