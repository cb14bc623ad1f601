//! From texts to numbers: scores of trials, summaries of cells.
//!
//! Pure. Knows metrics and stats, never the engine or the journal's files.

use crate::engine::Generation;
use crate::journal::format::Failure;
use crate::metrics::{Metric, Scores};
use crate::plan::{Cell, Trial};
use crate::stats::Interval;

/// Everything that the reports show.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// In plan order, one for each trial of the plan.
    pub trials: Vec<ScoredTrial>,
    /// In plan order, metrics in the order of [`Metric::ALL`].
    pub cells: Vec<CellSummary>,
}

/// A trial of the plan and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredTrial {
    pub trial: Trial,
    pub result: TrialResult,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TrialResult {
    Scored {
        generation: Generation,
        scores: Scores,
    },
    Failed(Failure),
    /// Not in the journal (yet).
    Missing,
}

/// One metric over the trials of one cell.
#[derive(Clone, Debug, PartialEq)]
pub struct CellSummary {
    pub cell: Cell,
    pub metric: Metric,
    /// Trials that have the metric.
    pub n: usize,
    /// None where `n` is 0.
    pub estimate: Option<Estimate>,
}

/// A mean is never shown without its interval; where there are too few
/// prompts for one, it is missing and said to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub mean: f64,
    pub median: f64,
    pub interval: Option<Interval>,
}
