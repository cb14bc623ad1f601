//! Says how many prompts show a rate of loops, a change of it, or that there is none.

use statrs::distribution::{ContinuousCDF, Normal};

use super::super::error::{StatsError, at_least};
use super::Target;

/// The greatest share of prompts that may do what none of `n` did, at a one-sided `alpha`:
/// 1 − α^(1/n) (Clopper and Pearson 1934 for no hit).
///
/// # Errors
///
/// For no prompts, and an α that does not lie between 0 and 1.
pub fn unseen_share(n: usize, alpha: f64) -> Result<f64, StatsError> {
    at_least(1, n, "prompts")?;
    Ok(-(within("alpha", alpha)?.ln() / n as f64).exp_m1())
}

/// The fewest prompts that rule out, if none of them does it, that more than this `share` of
/// prompts do: the least n whose [`unseen_share`] is not above it, ⌈ln α / ln(1 − share)⌉.
///
/// An equivalence within the margin `share`, and a gate, need as many to be decided where no text
/// loops. `recommend` says *under* `share` of so many at an `alpha` of 0.025.
///
/// # Errors
///
/// For a share or an α that does not lie between 0 and 1.
pub fn prompts_to_rule_out(share: f64, alpha: f64) -> Result<usize, StatsError> {
    Ok(whole_above(within("alpha", alpha)?.ln() / (-within("the share", share)?).ln_1p()))
}

/// The fewest prompts, with one text each in both arms, for a change of the share of looping
/// texts to be found: Connor 1987, "Sample size for testing differences in proportions for the
/// paired-sample design", from McNemar's test, with ψ the share of prompts of which one text
/// loops. `correlation` is that of a prompt's two texts (φ); 0 asks for most prompts.
///
/// # Errors
///
/// For shares that do not lie from 0 to 1 or do not differ, a correlation that two such shares
/// can't have, and a target out of range.
pub fn prompts_for_shares(from: f64, to: f64, correlation: f64, target: Target) -> Result<usize, StatsError> {
    let Target { alpha, power } = target.check()?;
    for value in [from, to] {
        if !(0.0..=1.0).contains(&value) {
            return Err(StatsError::OutOfRange { name: "a share of loops", value, allowed: "from 0 to 1" });
        }
    }
    let change = to - from;
    if change == 0.0 {
        return Err(StatsError::OutOfRange {
            name: "the change of the share",
            value: change,
            allowed: "above or below 0",
        });
    }
    let covariance = correlation * (from * (1.0 - from) * to * (1.0 - to)).sqrt();
    let discordant = from * (1.0 - to) + to * (1.0 - from) - 2.0 * covariance;
    // The texts that change are at least as many as the change, and at most all that may.
    let most = (from + to).min(2.0 - from - to);
    if !(change.abs() - 1e-12..=most + 1e-12).contains(&discordant) {
        let allowed = "nearer to 0, as two texts with these shares can't be correlated so strongly";
        return Err(StatsError::OutOfRange { name: "the correlation", value: correlation, allowed });
    }
    let normal = Normal::standard();
    let (z_alpha, z_power) = (normal.inverse_cdf(1.0 - alpha / 2.0), normal.inverse_cdf(power));
    let under_change = (discordant - change * change).max(0.0);
    let root = z_alpha * discordant.sqrt() + z_power * under_change.sqrt();
    Ok(whole_above((root / change).powi(2)))
}

fn within(name: &'static str, value: f64) -> Result<f64, StatsError> {
    if value > 0.0 && value < 1.0 {
        Ok(value)
    } else {
        Err(StatsError::OutOfRange { name, value, allowed: "between 0 and 1" })
    }
}

/// The least whole number that is not below, but for its last bits.
fn whole_above(number: f64) -> usize {
    (number * (1.0 - 1e-12)).ceil().max(1.0) as usize
}
