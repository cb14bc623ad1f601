//! Compares two arms that have the same prompts and seeds.

use super::error::StatsError;
use super::rare::{Kinds, PromptDifference, Range, widened};
use super::sign_test::{SignTest, sign_test};
use super::{mean, rounded};

/// One observation in both arms: the same prompt, the same seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    pub base: f64,
    pub other: f64,
}

/// What both arms have of one prompt.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PromptPairs {
    pub pairs: Vec<Pair>,
    /// Of all the prompt's texts in the arm.
    pub base: Kinds,
    pub other: Kinds,
}

impl PromptPairs {
    /// The mean difference of its pairs, to 12 decimals; `None` without pairs.
    pub fn difference(&self) -> Option<PromptDifference> {
        Some(PromptDifference { value: difference_of(&self.pairs)?, base: self.base, other: self.other })
    }
}

/// Tests whether the mean difference over prompts is `null`: [`sign_test`]. Its interval also holds what the sample
/// may have missed: [`widened`].
///
/// # Errors
///
/// As [`sign_test`].
pub fn test_difference(prompts: &[PromptDifference], null: f64, range: Range) -> Result<SignTest, StatsError> {
    let values: Vec<f64> = prompts.iter().map(|prompt| prompt.value).collect();
    let mut found = sign_test(&values, null)?;
    if range == Range::Unit {
        found.mean.interval = found.mean.interval.map(|interval| widened(interval, prompts));
    }
    Ok(found)
}

/// How much greater `other` is, on average over pairs, to 12 decimals; `None` of none.
fn difference_of(pairs: &[Pair]) -> Option<f64> {
    mean(&pairs.iter().map(|pair| pair.other - pair.base).collect::<Vec<_>>()).map(rounded)
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_near;
    use super::*;

    #[test]
    fn seeds_of_a_prompt_count_as_one() {
        let pairs = [(0.1, 0.4), (0.3, 0.2)].map(|(base, other)| Pair { base, other });
        assert_near(difference_of(&pairs).unwrap(), 0.1, 1e-12);
        assert_eq!(difference_of(&pairs.repeat(5)), difference_of(&pairs));
        assert_eq!(difference_of(&[]), None);
    }

    #[test]
    fn the_order_of_a_sum_makes_no_difference() {
        let pairs = [0.1, 0.2, 0.3].map(|base| Pair { base, other: base });
        let turned = [(0.1, 0.3), (0.2, 0.1), (0.3, 0.2)].map(|(base, other)| Pair { base, other });
        assert_eq!((difference_of(&pairs), difference_of(&turned)), (Some(0.0), Some(0.0)));
    }

    /// No loop in 24 prompts: up to 14 % of others may.
    #[test]
    fn nothing_seen_has_an_interval() {
        let free = Kinds { loops: false, free: true };
        let alike = [PromptDifference { value: 0.0, base: free, other: free }; 24];
        let interval = |range| test_difference(&alike, 0.0, range).unwrap().mean.interval.unwrap();
        assert_near(interval(Range::Unit).high, 1.0 - 0.025_f64.powf(1.0 / 24.0), 1e-9);
        assert_eq!(interval(Range::Unbounded).high, 0.0);
    }
}
