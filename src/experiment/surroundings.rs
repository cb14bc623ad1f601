//! Owns what an experiment file refers to outside of itself, which is read by whoever asks for it to be resolved.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::model::Model;

/// What an experiment file refers to.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The directory that relative paths start from.
    pub directory: PathBuf,
    /// The models of the catalogue; the experiment's own override them.
    pub catalogue: Vec<Model>,
    /// The file named by `[prompts] file`, or why it can't be read.
    pub prompts_file: Option<Result<String, Unreadable>>,
    /// The files that steps of chains name, by the names that they have there.
    pub grammars: Grammars,
}

/// Texts of grammars by the names of their files, or why one can't be read.
pub type Grammars = BTreeMap<String, Result<String, Unreadable>>;

/// Why a file that an experiment refers to can't be read, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub why: String,
    pub remedy: String,
}
