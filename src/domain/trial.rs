//! Owns what a trial is: one text to be generated, known by its content.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Cell, Point, Seed};

/// A content hash (blake3, its first 128 bits, lower-case hexadecimal) of
/// everything that may change a trial's text. Trials that share an id have
/// the same text, whatever their cells are called.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrialId(String);

/// One cell × one prompt × one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    pub id: TrialId,
    #[serde(flatten)]
    pub cell: Cell,
    /// The prompt's id.
    pub prompt: String,
    /// None where the chain makes no draw.
    pub seed: Option<Seed>,
}

impl Trial {
    /// Where it stands in the grid.
    pub fn point(&self) -> Point<'_> {
        Point { cell: &self.cell, seed: self.seed, prompt: &self.prompt }
    }
}

impl TrialId {
    /// The id of what is written so, canonically.
    pub fn of(canonical: &[u8]) -> Self {
        Self(blake3::hash(canonical).to_hex()[..32].to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TrialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
