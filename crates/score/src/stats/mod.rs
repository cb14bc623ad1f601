//! Has estimates, tests and intervals, which are pure functions of numbers: it owns no data and knows neither trials
//! nor metrics. What is random starts from a fixed key.
//!
//! Every result carries its interval and the number of prompts behind it; what
//! can't be computed is a [`StatsError`], never a NaN.

mod bootstrap;
mod bounded_mean;
mod cluster_mean;
mod cluster_quantiles;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod coverage_tables;
mod dispersion;
mod equivalence;
mod error;
mod holm;
mod interaction;
mod kaplan_meier;
mod page;
mod paired;
mod permutation;
mod power;
mod proportion;
mod random;
mod ranks;
mod rare;
pub mod sequential;
mod sign_test;
mod strata;
#[cfg(test)]
mod testing;
mod two_part;
mod variance;

pub use bounded_mean::{Ends, bounded_mean, bounded_mean_within};
pub use cluster_mean::{bca_interval_of_mean, bca_interval_of_mean_within};
pub use cluster_quantiles::{Quantile, quantiles};
pub use dispersion::{Dispersion, icc};
pub use equivalence::{Equivalence, equivalence};
pub use error::StatsError;
pub use holm::holm;
pub use interaction::{Interaction, interaction};
pub use kaplan_meier::{Onset, Step, SurvivalCurve, kaplan_meier};
pub use page::{PageTrend, page_trend, rho_along_levels};
pub use paired::{Pair, PromptPairs, test_difference};
pub use permutation::{Method, PValue};
pub use power::{
    Bounds, Detectable, LeastMargin, PromptsForMargin, Target, best_texts, design_effect, detectable, effective_texts,
    least_margin, least_p, least_prompts, prompts_for_difference, prompts_for_margin, prompts_for_shares,
    prompts_to_rule_out, standard_deviation, unseen_share,
};
pub use proportion::{Hits, clustered_share, clustered_share_within};
pub use rare::{Kinds, PromptDifference, Range, Toward, p_unseen, widened};
pub use sign_test::{SignTest, sign_test};
pub use strata::Strata;
pub use two_part::{Component, TwoPart, two_part, two_part_within};
pub use variance::{AgainstChance, Attribution, Observation, Portion, Share, Source, attribute};

use serde::Serialize;

/// Prompts from which an interval of a mean or of a share of the variation is given. The bootstrap of n
/// prompts can't reach beyond them, so that its interval covers at most 1 − 2^(1−n) of means: 50, 75, 87
/// and 94 % for 2 to 5.
pub const LEAST_PROMPTS: usize = 6;

/// The nominal coverage of intervals whose level the caller does not choose.
const LEVEL: f64 = 0.95;

/// A two-sided confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
    /// The nominal coverage, such as 0.95.
    pub level: f64,
}

/// The size of something, and how sure of it one can be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Effect {
    pub estimate: f64,
    pub interval: Interval,
}

/// An estimate; what the sample is too small for is missing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measured {
    pub estimate: f64,
    pub interval: Option<Interval>,
    /// Over prompts.
    pub standard_error: Option<f64>,
}

/// To 12 decimals. Sums of the same numbers in another order differ in their last bits: what is compared with
/// `<` or `==`, or ranked, is rounded first.
pub fn rounded(value: f64) -> f64 {
    const PER_UNIT: f64 = 1e12;
    let scaled = value * PER_UNIT;
    // Beyond this no bit is left to round off.
    if scaled.abs() < 4_503_599_627_370_496.0 { scaled.round() / PER_UNIT } else { value }
}

/// The standard error of a mean of independent values; `None` for fewer than two.
pub fn standard_error(values: &[f64]) -> Option<f64> {
    let centre = mean(values).filter(|_| values.len() > 1)?;
    let n = values.len() as f64;
    Some((values.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt())
}

/// The mean; `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    // Relative to the first value, so that the mean of equal values is that
    // value and not a neighbour of it.
    let first = *values.first()?;
    Some(first + values.iter().map(|value| value - first).sum::<f64>() / values.len() as f64)
}

/// The median, of an even number of values the mean of the middle two; `None`
/// of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let mut values = values.to_vec();
    let (middle, is_even) = (values.len() / 2, values.len().is_multiple_of(2));
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = below.iter().copied().max_by(f64::total_cmp).filter(|_| is_even);
    lower.map_or(Some(upper), |lower| mean(&[lower, upper]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means() {
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[0.5]), Some(0.5));
        assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!(mean(&[0.1; 3]), Some(0.1));
    }

    #[test]
    fn medians() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[0.5]), Some(0.5));
        assert_eq!(median(&[6.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[6.0, 1.0, 2.0, 4.0]), Some(3.0));
    }
}
