//! Owns what a journal keeps of each trial. Must not know how it is written: `format` says that.

use crate::domain::{Generation, TrialId};
use crate::engine::Timing;

/// What became of one trial.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialRecord {
    pub id: TrialId,
    pub outcome: Outcome,
    /// Varies from run to run; everything else in a record does not.
    pub timing: Timing,
}

/// A trial's text, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Generated(Generation),
    Failed(Failure),
}

/// Why a trial has no text.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub reason: String,
    /// How often the trial was tried.
    pub attempts: u32,
}
