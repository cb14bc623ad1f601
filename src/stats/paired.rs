//! The contrast of two arms that have the same prompts and seeds.

use serde::Serialize;

use super::bootstrap::bca_intervals;
use super::error::{StatsError, all_finite, at_least};
use super::permutation::{PValue, turn_signs};
use super::{Effect, LEVEL, mean, median};

/// One observation in both arms: the same prompt, the same seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    pub base: f64,
    pub other: f64,
}

/// The outcome of [`paired_contrast`]; effects are positive where `other` is
/// greater.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PairedContrast {
    /// The mean over prompts of the mean difference within a prompt.
    pub mean_difference: Effect,
    /// Hodges and Lehmann's shift of the prompts' mean differences: the median
    /// of the means of every two of them, each with itself too (1963, "Estimates
    /// of location based on rank tests").
    pub shift: Effect,
    /// [`cliffs_delta`] of all values of the arms; it takes no notice of pairs.
    pub cliffs_delta: Effect,
    /// Two-sided, of the mean difference: signs of whole prompts are turned.
    pub p: PValue,
    pub n_prompts: usize,
    pub n_pairs: usize,
}

/// Contrasts two arms over prompts, each with its pairs.
///
/// Seeds of one prompt resemble each other, so the prompt is the unit: its pairs
/// are averaged, and a p-value comes from exchanging the arms of whole prompts
/// (Fisher 1935, "The Design of Experiments", § 21), in every way where there
/// are up to 16 prompts. Intervals are BCa over prompts. A prompt without pairs
/// is left out.
///
/// # Errors
///
/// For fewer than two prompts with pairs and for values that are not finite.
pub fn paired_contrast(prompts: &[impl AsRef<[Pair]>]) -> Result<PairedContrast, StatsError> {
    let prompts: Vec<&[Pair]> = prompts.iter().map(AsRef::as_ref).filter(|pairs| !pairs.is_empty()).collect();
    at_least(2, prompts.len(), "prompts")?;
    let values_of = |arm: fn(&Pair) -> f64| -> Vec<Vec<f64>> {
        prompts.iter().map(|pairs| pairs.iter().map(arm).collect()).collect()
    };
    let (base, other) = (values_of(|pair| pair.base), values_of(|pair| pair.other));
    all_finite(&base, "values of prompts")?;
    all_finite(&other, "values of prompts")?;

    let difference = |pairs: &&[Pair]| {
        let differences: Vec<f64> = pairs.iter().map(|pair| pair.other - pair.base).collect();
        mean(&differences).expect("the prompt has pairs")
    };
    let differences: Vec<f64> = prompts.iter().map(difference).collect();
    let dominance = Dominance::new(&base, &other);
    let effects = |drawn: &[usize]| {
        let drawn_differences: Vec<f64> = drawn.iter().map(|&prompt| differences[prompt]).collect();
        let mean = mean(&drawn_differences).expect("prompts were drawn");
        vec![mean, hodges_lehmann(&drawn_differences), dominance.delta(drawn)]
    };
    let every: Vec<usize> = (0..prompts.len()).collect();
    let estimates = effects(&every);
    let intervals = bca_intervals(prompts.len(), LEVEL, effects);
    let effect = |which: usize| Effect { estimate: estimates[which], interval: intervals[which] };
    let sum = |signs: &[f64]| differences.iter().zip(signs).map(|(difference, sign)| difference * sign).sum();
    Ok(PairedContrast {
        mean_difference: effect(0),
        shift: effect(1),
        cliffs_delta: effect(2),
        p: turn_signs(prompts.len(), sum),
        n_prompts: prompts.len(),
        n_pairs: base.iter().map(Vec::len).sum(),
    })
}

/// Cliff's δ: how much more often a value of `other` exceeds one of `base` than
/// falls below it, over all pairs of values; −1 to 1 (Cliff 1993, "Dominance
/// statistics"). `None` where one side is empty.
pub fn cliffs_delta(base: &[f64], other: &[f64]) -> Option<f64> {
    let n = base.len() * other.len();
    (n > 0).then(|| excess(&sorted(base), other) / n as f64)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// Pairs of values in which `other` is greater, less those in which it is smaller.
fn excess(sorted_base: &[f64], other: &[f64]) -> f64 {
    let n = sorted_base.len();
    let of_value = |value: &f64| {
        let below = sorted_base.partition_point(|base| base < value);
        let not_above = sorted_base.partition_point(|base| base <= value);
        below as f64 - (n - not_above) as f64
    };
    other.iter().map(of_value).sum()
}

/// Cliff's δ of any choice of prompts, from the pairs of values of every two.
struct Dominance {
    /// Row by row: the excess of one prompt's `other` over one prompt's `base`.
    excess: Vec<f64>,
    counts: Vec<f64>,
}

impl Dominance {
    fn new(base: &[Vec<f64>], other: &[Vec<f64>]) -> Self {
        let base: Vec<Vec<f64>> = base.iter().map(|values| sorted(values)).collect();
        let excess = other.iter().flat_map(|other| base.iter().map(move |base| excess(base, other))).collect();
        Self { excess, counts: other.iter().map(|values| values.len() as f64).collect() }
    }

    fn delta(&self, drawn: &[usize]) -> f64 {
        let n = self.counts.len();
        let row = |&other: &usize| drawn.iter().map(|base| self.excess[other * n + base]).sum::<f64>();
        let count: f64 = drawn.iter().map(|&prompt| self.counts[prompt]).sum();
        drawn.iter().map(row).sum::<f64>() / (count * count)
    }
}

/// The median of the Walsh averages; `values` must not be empty.
fn hodges_lehmann(values: &[f64]) -> f64 {
    let averages: Vec<f64> = (0..values.len())
        .flat_map(|first| values[first..].iter().map(move |second| values[first] + (second - values[first]) / 2.0))
        .collect();
    median(&averages).expect("each value makes one")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::testing::{assert_near, gaussians, oracle, share_below};
    use super::*;

    #[derive(Deserialize)]
    struct Case {
        a: Vec<f64>,
        b: Vec<f64>,
        sign_flip_p: f64,
        shift: f64,
        cliffs_delta: f64,
    }

    fn single(a: &[f64], b: &[f64]) -> Vec<[Pair; 1]> {
        a.iter().zip(b).map(|(&base, &other)| [Pair { base, other }]).collect()
    }

    #[test]
    fn agrees_with_scipy_and_the_definitions() {
        for case in oracle::<Vec<Case>>("paired") {
            let contrast = paired_contrast(&single(&case.a, &case.b)).unwrap();
            assert_near(contrast.p.p, case.sign_flip_p, 1e-12);
            assert_near(contrast.shift.estimate, case.shift, 1e-12);
            assert_near(contrast.cliffs_delta.estimate, case.cliffs_delta, 1e-12);
            assert_eq!(cliffs_delta(&case.a, &case.b), Some(contrast.cliffs_delta.estimate));
        }
    }

    #[test]
    fn the_published_delta() {
        let first = [10., 10., 20., 20., 20., 30., 30., 30., 40., 50.];
        let second = [10., 20., 30., 40., 40., 50.];
        assert_eq!(cliffs_delta(&second, &first), Some(-0.25));
        assert_eq!(cliffs_delta(&first, &[]), None);
    }

    #[test]
    fn seeds_of_a_prompt_count_as_one() {
        let once = [(0.1, 0.4), (0.2, 0.3), (0.5, 0.4)].map(|(base, other)| vec![Pair { base, other }]);
        let often = once.clone().map(|pairs| pairs.repeat(5));
        let (once, often) = (paired_contrast(&once).unwrap(), paired_contrast(&often).unwrap());
        assert_eq!(once.p, often.p);
        assert_near(once.mean_difference.interval.low, often.mean_difference.interval.low, 1e-12);
        assert_eq!((often.n_prompts, often.n_pairs), (3, 15));
    }

    #[test]
    fn exchanging_the_arms_turns_the_effects() {
        let case = &oracle::<Vec<Case>>("paired")[1];
        let there = paired_contrast(&single(&case.a, &case.b)).unwrap();
        let back = paired_contrast(&single(&case.b, &case.a)).unwrap();
        assert_near(there.shift.estimate, -back.shift.estimate, 1e-12);
        assert_near(there.cliffs_delta.estimate, -back.cliffs_delta.estimate, 1e-12);
        assert_eq!(there.p, back.p);
    }

    #[test]
    fn equal_arms_have_p_1_and_no_effect() {
        let contrast = paired_contrast(&single(&[0.1, 0.2, 0.3], &[0.1, 0.2, 0.3])).unwrap();
        assert_eq!((contrast.p.p, contrast.shift.estimate, contrast.mean_difference.interval.high), (1.0, 0.0, 0.0));
    }

    #[test]
    fn says_what_it_refuses() {
        let pair = Pair { base: 1.0, other: f64::INFINITY };
        assert!(paired_contrast(&[vec![pair], vec![]]).unwrap_err().to_string().contains("prompts"));
        assert!(paired_contrast(&[[pair], [pair]]).unwrap_err().to_string().contains("inf"));
    }

    #[test]
    fn without_an_effect_p_is_uniform() {
        let p = (0..500).map(|set| {
            let differences: Vec<f64> = gaussians(set).take(12).collect();
            let sum = |signs: &[f64]| differences.iter().zip(signs).map(|(d, sign)| d * sign).sum();
            turn_signs(12, sum).p
        });
        share_below(p.collect());
    }
}
