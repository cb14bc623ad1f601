//! Says what a design can see, and what design would see enough: planning, before a run and after it.
//!
//! Owns sizes, numbers and probabilities. Knows no hypotheses: the caller hands in the α that is
//! left of theirs, such as `alpha / m` for the first step of Holm's procedure over `m` tests.

mod margin;
mod replicates;
mod shares;
mod student;
mod turning;

pub use margin::{Bounds, LeastMargin, PromptsForMargin, least_margin, prompts_for_margin};
pub use replicates::{best_texts, design_effect, effective_texts};
pub use shares::{prompts_for_shares, prompts_to_rule_out, unseen_share};
pub use turning::{least_p, least_prompts};

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::error::{StatsError, at_least};
use student::Reach;

/// How a test is to behave; [`Target::default`] is the usual one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Probability of a false alarm, two-sided.
    pub alpha: f64,
    /// Probability of seeing the effect.
    pub power: f64,
}

impl Default for Target {
    fn default() -> Self {
        Self { alpha: 0.05, power: 0.8 }
    }
}

impl Target {
    /// # Errors
    /// For an α that does not lie between 0 and ½, and a power that does not between α and 0.999.
    fn check(self) -> Result<Self, StatsError> {
        let Self { alpha, power } = self;
        if !(alpha > 0.0 && alpha < 0.5) {
            return Err(StatsError::OutOfRange { name: "alpha", value: alpha, allowed: "between 0 and 0.5" });
        }
        if !(power > alpha && power < 0.999) {
            return Err(StatsError::OutOfRange { name: "the power", value: power, allowed: "between alpha and 0.999" });
        }
        Ok(self)
    }
}

/// What a test over prompts can see.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Detectable {
    /// Mean differences of this size or more, in the unit of the spread, are found with the
    /// target's power.
    From(f64),
    /// However large the differences are, p can't fall to α.
    Nothing {
        least_p: f64,
        /// The fewest prompts with which it could; `None` where no number would do.
        enough: Option<usize>,
    },
}

/// The standard deviation of `differences`, one for each prompt (n − 1).
///
/// # Errors
///
/// For fewer than two prompts, values that are not finite, and no spread: what all prompts show
/// alike says nothing about how much they differ.
pub fn standard_deviation(differences: &[f64]) -> Result<f64, StatsError> {
    at_least(2, differences.len(), "prompts")?;
    super::error::all_finite(&[differences], "differences")?;
    let mean = super::mean(differences).expect("there are two");
    let squares: f64 = differences.iter().map(|value| (value - mean).powi(2)).sum();
    let sd = (squares / (differences.len() as f64 - 1.0)).sqrt();
    if sd > 0.0 { Ok(sd) } else { Err(StatsError::NoVariation { of: "differences", value: differences[0] }) }
}

/// The least mean difference that the two-sided test over `n` prompts which turns their signs
/// ([`sign_test`](super::sign_test()) and others) finds with the `target`'s power,
/// where the prompts' differences have the standard deviation `sd`. In `sd`'s unit; differences
/// are taken to be normal.
///
/// Up to 16 prompts the test is discrete and weaker than Student's t, so its own critical values
/// are simulated, from a fixed key (`turning`). With more prompts its power is that of the
/// paired t-test (Cohen 1988, "Statistical Power Analysis", ch. 2; the permutation test's
/// critical value tends to t's, Hoeffding 1952, "The large-sample power of tests based on
/// permutations of observations").
///
/// It says what the design can see. The power for the effect *observed* would only say the
/// p-value again (Hoenig and Heisey 2001, "The abuse of power").
///
/// # Errors
///
/// For no prompts, an `sd` that is not above 0, and a target whose α does not lie between 0 and
/// ½ or whose power is not between α and 0.999.
pub fn detectable(sd: f64, n: usize, target: Target) -> Result<Detectable, StatsError> {
    let Target { alpha, power } = target.check()?;
    at_least(1, n, "prompts")?;
    let sd = above_0("the standard deviation", sd)?;
    Ok(match standardised(n, alpha, power) {
        Some(dz) => Detectable::From(sd * dz),
        None => {
            Detectable::Nothing { least_p: least_p(n), enough: least_prompts(alpha).filter(|&prompts| prompts > n) }
        }
    })
}

/// The least effect of [`detectable`] in standard deviations. Kept, for these take time and the hypotheses of a file ask for
/// the same again and again.
fn standardised(n: usize, alpha: f64, power: f64) -> Option<f64> {
    static KEPT: Mutex<BTreeMap<(usize, u64, u64), Option<f64>>> = Mutex::new(BTreeMap::new());
    let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (n, alpha.to_bits(), power.to_bits());
    if let Some(&known) = kept().get(&key) {
        return known;
    }
    let found = Reach::of_turning(n, alpha).map(|reach| student::least(|dz| reach.power(dz), power));
    kept().insert(key, found);
    found
}

/// The least number of prompts with which the test of [`detectable`] finds a mean `difference`
/// with the `target`'s power; `None` where no number would do, because its p can't fall to α or
/// there are not so many.
///
/// # Errors
///
/// As for [`detectable`], and for a difference that is not above 0.
pub fn prompts_for_difference(difference: f64, sd: f64, target: Target) -> Result<Option<usize>, StatsError> {
    let Target { alpha, power } = target.check()?;
    let dz = above_0("the difference", difference)? / above_0("the standard deviation", sd)?;
    let Some(fewest) = least_prompts(alpha) else { return Ok(None) };
    let Some(by_t) = student::prompts(|n| Reach::student(n, alpha).power(dz) >= power) else { return Ok(None) };
    // The turned signs need more prompts than t, or as many.
    let exact = (fewest.max(by_t.saturating_sub(1))..=turning::MOST_EXACT)
        .find(|&n| Reach::of_turning(n, alpha).is_some_and(|reach| reach.power(dz) >= power));
    Ok(exact.or_else(|| {
        let drawn = by_t.max(turning::MOST_EXACT + 1);
        (least_p(drawn) <= alpha).then_some(drawn)
    }))
}

/// By Student's t, in units of the differences' standard deviation (Cohen's d_z).
#[cfg(test)]
fn smallest_standardised(n: usize, target: Target) -> Result<f64, StatsError> {
    let Target { alpha, power } = target.check()?;
    let reach = Reach::student(n, alpha);
    Ok(student::least(|dz| reach.power(dz), power))
}

fn above_0(name: &'static str, value: f64) -> Result<f64, StatsError> {
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(StatsError::OutOfRange { name, value, allowed: "above 0" })
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
