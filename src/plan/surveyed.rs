//! What was learnt of a model before anything is planned: where it is, what its file says, which engine is to run it.
//!
//! Must not know how that was found out.

use std::path::PathBuf;

use crate::domain::{ModelFacts, ModelSampling};
use crate::engine::http::{Findings, ServerFacts};
use crate::engine::{EngineFacts, PromptCounts};

/// What was learnt of a model before planning: its file's hash, what the file
/// says, the engine that will run it.
#[derive(Clone, Debug, PartialEq)]
pub struct Surveyed {
    pub origin: Origin,
    /// blake3 of the whole file, lower-case hexadecimal; of a served model, of
    /// what the server says it is.
    pub blake3: String,
    pub engine: EngineFacts,
}

/// Where a model is.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there is one for each model")]
pub enum Origin {
    File(OnDisk),
    Server {
        facts: ServerFacts,
        /// None where it was not tried.
        findings: Option<Findings>,
    },
}

/// A model's file, and what the engine says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct OnDisk {
    /// The file, or the first part of a split set.
    pub path: PathBuf,
    /// The repository's commit, where the file is the hub's.
    pub commit: Option<String>,
    pub size_bytes: u64,
    pub facts: ModelFacts,
    /// What its files ask of whoever samples from it.
    pub sampling: ModelSampling,
    /// For every template of the experiment.
    pub prompt_counts: PromptCounts,
}

impl Surveyed {
    /// Returns what was found on disk; None where a server has the model.
    pub fn file(&self) -> Option<&OnDisk> {
        match &self.origin {
            Origin::File(file) => Some(file),
            Origin::Server { .. } => None,
        }
    }

    /// Returns what the server states that has the model; None where a file does.
    pub fn server(&self) -> Option<&ServerFacts> {
        match &self.origin {
            Origin::File(_) => None,
            Origin::Server { facts, .. } => Some(facts),
        }
    }
}
