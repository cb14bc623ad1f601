//! A run against a baseline: has the score become worse?
//!
//! Pure. Owns the baseline's format, what may be compared with what, and the
//! gate's rule. Knows neither files nor how an outcome is shown.

mod baseline;
mod comparable;
mod format;
mod gate;
#[cfg(test)]
mod tests;
mod units;

pub use baseline::{Baseline, BaselineError, Facts};
pub use comparable::{Difference, differences};
pub use gate::{By, Gate, LoopsMore, Outcome, Rule, Texts, Unit, Verdict, decide};
pub use units::units;
