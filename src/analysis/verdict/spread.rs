//! Computes how much prompts differ in what a hypothesis compares.

use super::evidence::level_tests;
use super::sample::Sample;
use crate::analysis::ScoredTrial;
use crate::experiment::Hypothesis;
use crate::stats::standard_deviation;

/// The standard deviation over prompts, in the unit of the hypothesis' main effect; of a claim about each
/// level, the greatest. `None` where nothing varies, or there is no one size: an interaction
/// between more than two levels each.
pub fn spread(hypothesis: &Hypothesis, trials: &[ScoredTrial]) -> Option<f64> {
    let tests = level_tests(hypothesis, &Sample::of(hypothesis, trials));
    let units = tests.iter().filter_map(|test| test.tested.as_ref().ok()).map(|tested| &tested.units);
    units.filter_map(|units| standard_deviation(units).ok()).reduce(f64::max)
}
