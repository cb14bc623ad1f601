//! Says whether a run's score has become worse than a baseline's.
//!
//! Owns the baseline's format, what may be compared with what, and the gate's rule. Must not know files, nor how an
//! outcome is shown. It is pure.

mod baseline;
mod comparable;
mod compared;
mod format;
mod gate;
mod of_run;
#[cfg(test)]
mod tests;
mod units;
mod unlike;
mod written;

pub use baseline::{Baseline, BaselineError, Facts};
pub use comparable::{Difference, differences};
pub use compared::{CheckError, Granularity, Side, compared, notes};
pub use gate::{By, Gate, GateStatus, LoopsMore, Means, Rule, Texts, Unit, Verdict, decide};
pub use of_run::{baseline_of, pooled};
pub use units::{WorstText, units, worst_text};
pub use unlike::{Aspect, Unlike, UnlikeRuns, alike_but_for};
