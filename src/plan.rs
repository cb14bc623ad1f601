//! The plan: every trial of an experiment, in order, with its id and load key.
//!
//! Pure: it is given the models' hashes and the engine's fingerprint.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::experiment::{Offload, Seed, Temperature};

/// A content hash (blake3, 128 bits, lower-case hexadecimal) of everything
/// that may change a trial's text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrialId(String);

/// One cell × one prompt × one seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    pub id: TrialId,
    pub cell: Cell,
    /// The prompt's id.
    pub prompt: String,
    /// None where the chain makes no draw.
    pub seed: Option<Seed>,
}

/// One combination of levels, prompts and seeds aside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    pub model: String,
    pub chain: String,
    pub offload: Offload,
    pub temperature: Temperature,
}

impl TrialId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TrialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
