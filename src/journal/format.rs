//! The journal's on-disk types, all of them, versioned.
//!
//! A record is one line of `trials.jsonl`, and ends in its seal. It holds the text and the token
//! ids, so that every metric can be computed again without a model.

use serde::{Deserialize, Serialize};

use crate::domain::{Generation, TrialId};
use crate::engine::Timing;

/// The version this program writes; a newer one is refused, an older one read.
pub const VERSION: u32 = 2;
/// From this version on each record ends in its seal.
pub const SEALED: u32 = 2;

/// What became of one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    pub v: u32,
    pub id: TrialId,
    pub outcome: Outcome,
    /// Varies from run to run; everything else in a record does not.
    pub timing: Timing,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Generated(Generation),
    Failed(Failure),
}

/// Why a trial has no text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    pub reason: String,
    /// How often the trial was tried.
    pub attempts: u32,
}
