//! Says what an equivalence can decide where there is no difference.

use super::super::LEAST_PROMPTS;
use super::super::error::{StatsError, at_least};
use super::shares::{prompts_to_rule_out, unseen_share};
use super::student::{self, Reach};
use super::{Target, above_0};

/// What is claimed of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounds {
    /// It lies within ±margin: equivalence.
    Both,
    /// It lies below +margin, however far below: non-inferiority.
    Upper,
}

/// The least margin that can be decided; the greater of two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeastMargin {
    /// By the two one-sided t-tests.
    pub by_spread: f64,
    /// By what no prompt need have shown: a share of other prompts, up to this, may loop in one
    /// arm only, from 0 to 1.
    pub by_unseen: f64,
}

/// The prompts that decide a margin; the greatest of two, and of [`LEAST_PROMPTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PromptsForMargin {
    /// `None` where it is beyond what can be counted with.
    pub by_spread: Option<usize>,
    /// `None` of a margin of 1 or more, which no score that ends at 1 exceeds.
    pub by_unseen: Option<usize>,
}

impl LeastMargin {
    pub fn greater(self) -> f64 {
        self.by_spread.max(self.by_unseen)
    }
}

impl PromptsForMargin {
    /// `None` where no number would do.
    pub fn greatest(self) -> Option<usize> {
        Some(self.by_spread?.max(self.by_unseen.unwrap_or(0)).max(LEAST_PROMPTS))
    }
}

/// The least margin within which two one-sided t-tests over `n` prompts, each at the `target`'s
/// α, put the mean difference with its power, where there is no difference and those of the prompts have the
/// standard deviation `sd` (Phillips 1990, "Power of the two one-sided tests procedure in
/// bioequivalence", integrated over the sample's standard deviation; nearly
/// (t₁₋α + t₍₁₊power₎/₂)·sd/√n, Julious 2004, "Sample sizes for clinical trials with normal data", § 5).
/// Beside it the share of prompts that may differ unseen, 1 − α^(1/n): a score that ends at 1 may
/// differ by as much.
///
/// It is the least at best: the program's test is the greater of this and a bootstrap's.
///
/// # Errors
///
/// For fewer than [`LEAST_PROMPTS`] prompts, an `sd` that is not above 0, and a target
/// out of range.
pub fn least_margin(sd: f64, n: usize, bounds: Bounds, target: Target) -> Result<LeastMargin, StatsError> {
    let Target { alpha, power } = target.check()?;
    at_least(LEAST_PROMPTS, n, "prompts")?;
    let sd = above_0("the standard deviation", sd)?;
    let reach = one_sided(n, alpha);
    let by_spread = sd * student::least(|margin| power_at(&reach, margin, bounds), power);
    Ok(LeastMargin { by_spread, by_unseen: unseen_share(n, alpha)? })
}

/// The least numbers of prompts with which [`least_margin`] is at most `margin`.
///
/// # Errors
///
/// As there, and for a margin that is not above 0.
pub fn prompts_for_margin(
    margin: f64,
    sd: f64,
    bounds: Bounds,
    target: Target,
) -> Result<PromptsForMargin, StatsError> {
    let Target { alpha, power } = target.check()?;
    let size = above_0("the margin", margin)? / above_0("the standard deviation", sd)?;
    let by_spread = student::prompts(|n| power_at(&one_sided(n, alpha), size, bounds) >= power);
    let by_unseen = if margin < 1.0 { Some(prompts_to_rule_out(margin, alpha)?) } else { None };
    Ok(PromptsForMargin { by_spread, by_unseen })
}

/// The t-tests of either end, α of each one-sided.
fn one_sided(n: usize, alpha: f64) -> Reach {
    Reach::student(n, 2.0 * alpha)
}

fn power_at(reach: &Reach, margin: f64, bounds: Bounds) -> f64 {
    match bounds {
        Bounds::Both => reach.power_within(margin),
        Bounds::Upper => reach.power_below(margin),
    }
}
