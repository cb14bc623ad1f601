//! How much prompts differ in what a hypothesis compares.

use super::sample::Sample;
use crate::analysis::ScoredTrial;
use crate::experiment::{Hypothesis, Test};
use crate::stats::{Pair, mean, rho_along_levels, standard_deviation};

/// The standard deviation over prompts, in the unit of the hypothesis' main effect; of a claim about each
/// level, the greatest. `None` where nothing varies, or there is no one size: an interaction
/// between more than two levels each.
pub fn spread(hypothesis: &Hypothesis, trials: &[ScoredTrial]) -> Option<f64> {
    let sample = Sample::of(hypothesis, trials);
    let samples = match hypothesis.each {
        None => vec![sample],
        Some(factor) => sample.split(factor).into_iter().map(|(_, sample)| sample).collect(),
    };
    let of_sample = |sample: &Sample<'_>| standard_deviation(&values(&hypothesis.test, sample)).ok();
    samples.iter().filter_map(of_sample).reduce(f64::max)
}

/// What each prompt shows.
fn values(test: &Test, sample: &Sample<'_>) -> Vec<f64> {
    match test {
        Test::Trend { factor, .. } => {
            sample.cells(&[*factor]).1.prompts.iter().map(|levels| rho_along_levels(levels)).collect()
        }
        Test::Contrast { base, other, .. } | Test::Equivalence { base, other, .. } => {
            let difference = |pairs: &Vec<Pair>| {
                let differences: Vec<f64> = pairs.iter().map(|pair| pair.other - pair.base).collect();
                mean(&differences)
            };
            sample.pairs(base, other).prompts.iter().filter_map(difference).collect()
        }
        Test::Interaction { factors } => {
            let (levels, blocks) = sample.cells(factors);
            if levels != [2, 2] {
                return vec![];
            }
            blocks.prompts.iter().map(|cells| cells[3] - cells[2] - cells[1] + cells[0]).collect()
        }
    }
}
