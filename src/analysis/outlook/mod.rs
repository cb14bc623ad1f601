//! Says what a design can decide of its hypotheses, before it is run.
//!
//! Owns what is asked of the planning functions of `stats::power`: how many prompts, at which α,
//! how much these differ. Must not know scores, but for the spread that an earlier run saw.

use super::verdict::TestKind;
use crate::domain::Factor;
use crate::experiment::{Direction, Hypothesis, Sides, Test};
use crate::metrics::Metric;
use crate::plan::Design;
use crate::stats::{
    Bounds, Detectable, LEAST_PROMPTS, LeastMargin, PromptsForMargin, StatsError, Target, detectable, least_margin,
    least_p, prompts_for_difference, prompts_for_margin,
};

mod prompts;
mod spread;
#[cfg(test)]
mod tests;

use prompts::Level;
pub use spread::{Source, Spread};

/// With which probability an effect is to be found.
const POWER: f64 = 0.8;

/// What a design can decide of a hypothesis.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    pub id: String,
    pub test: TestKind,
    pub metric: Metric,
    pub quantity: Quantity,
    /// Of the level that has fewest.
    pub n_prompts: usize,
    pub each: Option<Each>,
    /// The least p that the test can give, times the hypotheses of the file; at most 1. `None` of an
    /// equivalence, whose test turns no signs.
    pub least_p: Option<f64>,
    pub spread: Spread,
    pub sight: Sight,
}

/// A claim of each level of a factor, which holds if it holds for all.
#[derive(Clone, Debug, PartialEq)]
pub struct Each {
    pub factor: Factor,
    pub n_levels: usize,
    /// The level that has fewest prompts; `None` where all have as many.
    pub weakest: Option<String>,
}

/// What is measured of each prompt: the unit of effects and spreads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// A difference of the metric.
    Difference,
    /// Spearman's ρ of level and metric, from −1 to 1.
    Rho,
    /// By how much the difference between two levels differs between two others.
    DifferenceOfDifferences,
    /// An interaction between more levels, which has no one size.
    Pattern,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Sight {
    /// No prompt has all that is compared.
    NoPrompts,
    /// However large the effect is.
    Nothing {
        /// The fewest prompts with which something could be decided.
        enough: Option<usize>,
    },
    /// Effects of this size or more.
    From { size: f64, needed: Vec<Needed> },
    /// No difference, to within a margin.
    Within { margin: f64, least: LeastMargin, needed: PromptsForMargin, unseen: Unseen },
    /// Something, of no one size.
    Pattern,
}

/// Whether the part of [`LeastMargin`] that no prompt need have shown counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unseen {
    Counts,
    /// The metric does not end at 1, so that a share of prompts is no margin of it.
    HasNoScale,
}

/// How many prompts an effect takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Needed {
    pub effect: f64,
    /// `None` where no number would do.
    pub prompts: Option<usize>,
}

/// The outlook of every hypothesis of the `design`, in file order; a shard counts as the whole.
/// Whoever asks may know how much prompts differ: `seen` for a hypothesis; else `given`, the standard
/// deviation of prompts' differences.
///
/// The α of a test is the file's over the number of hypotheses, as in the first step of Holm's
/// procedure: effects are found with a probability of *at least* 0.8. A claim about each of L levels is
/// found if all L are, so each is to be with 1 − 0.2 / L, however they depend on each other (Bonferroni).
///
/// # Errors
///
/// Where a spread is not above 0.
pub fn outlooks(
    design: &Design,
    given: Option<f64>,
    seen: impl Fn(&Hypothesis) -> Option<Spread>,
) -> Result<Vec<Outlook>, StatsError> {
    let outlook = |hypothesis| outlook(design, hypothesis, seen(hypothesis), given);
    design.hypotheses.iter().map(outlook).collect()
}

fn outlook(
    design: &Design,
    hypothesis: &Hypothesis,
    seen: Option<Spread>,
    given: Option<f64>,
) -> Result<Outlook, StatsError> {
    let levels = prompts::of_each_level(hypothesis, &design.trials);
    let weakest = levels.iter().min_by_key(|level| level.n_prompts);
    let n_prompts = weakest.map_or(0, |level| level.n_prompts);
    let quantity = Quantity::of(hypothesis, weakest);
    let spread = seen.unwrap_or_else(|| Spread::taken(hypothesis.metric, quantity, weakest, given));
    let n_hypotheses = design.hypotheses.len() as f64;
    let target = target(hypothesis, design.settings.alpha / n_hypotheses, levels.len());
    let each = hypothesis.each.zip(weakest).map(|(factor, weakest)| Each {
        factor,
        n_levels: levels.len(),
        weakest: levels.iter().any(|level| level.n_prompts > n_prompts).then(|| weakest.name.clone()),
    });
    let margin = match hypothesis.test {
        Test::Equivalence { margin, .. } => Some(margin),
        _ => None,
    };
    let sides = if is_one_sided(hypothesis) { 0.5 } else { 1.0 };
    let sight = match margin {
        _ if n_prompts == 0 => Sight::NoPrompts,
        Some(_) if n_prompts < LEAST_PROMPTS => Sight::Nothing { enough: Some(LEAST_PROMPTS) },
        Some(margin) => {
            let bounds = if hypothesis.sides == Sides::One { Bounds::Upper } else { Bounds::Both };
            let unseen = if hypothesis.metric.ends_at_1() { Unseen::Counts } else { Unseen::HasNoScale };
            let least = least_margin(spread.sd, n_prompts, bounds, target)?;
            let needed = prompts_for_margin(margin, spread.sd, bounds, target)?;
            Sight::Within { margin, least, needed, unseen }
        }
        None => match detectable(spread.sd, n_prompts, target)? {
            Detectable::Nothing { enough, .. } => Sight::Nothing { enough },
            Detectable::From(_) if quantity == Quantity::Pattern => Sight::Pattern,
            Detectable::From(size) => {
                let needed =
                    |effect| Ok(Needed { effect, prompts: prompts_for_difference(effect, spread.sd, target)? });
                let effects = quantity.named_effects(hypothesis.metric, spread.sd);
                Sight::From { size, needed: effects.into_iter().map(needed).collect::<Result<_, _>>()? }
            }
        },
    };
    Ok(Outlook {
        id: hypothesis.id.clone(),
        test: TestKind::of(&hypothesis.test),
        metric: hypothesis.metric,
        quantity,
        n_prompts,
        each,
        least_p: margin.is_none().then(|| (sides * least_p(n_prompts) * n_hypotheses).min(1.0)),
        spread,
        sight,
    })
}

/// Whether p is half of the two-sided one.
fn is_one_sided(hypothesis: &Hypothesis) -> bool {
    let directed = match hypothesis.test {
        Test::Trend { expect, .. } | Test::Contrast { expect, .. } => expect != Direction::Different,
        Test::Equivalence { .. } | Test::Interaction { .. } => false,
    };
    directed && hypothesis.sides == Sides::One
}

fn target(hypothesis: &Hypothesis, alpha: f64, n_levels: usize) -> Target {
    let two_sided = if is_one_sided(hypothesis) { 2.0 * alpha } else { alpha };
    // Beyond these bounds a target is none; who asks for so much gets the nearest.
    let power = (1.0 - (1.0 - POWER) / n_levels.max(1) as f64).min(0.998);
    Target { alpha: two_sided.min(0.499), power }
}

impl Quantity {
    fn of(hypothesis: &Hypothesis, weakest: Option<&Level>) -> Self {
        match hypothesis.test {
            Test::Trend { .. } => Self::Rho,
            Test::Contrast { .. } | Test::Equivalence { .. } => Self::Difference,
            Test::Interaction { .. } => match weakest.map(|level| &level.compared[..]) {
                Some([2, 2]) => Self::DifferenceOfDifferences,
                _ => Self::Pattern,
            },
        }
    }

    /// A small and a large effect.
    fn named_effects(self, metric: Metric, sd: f64) -> [f64; 2] {
        match self {
            Self::Rho => [0.3, 0.6],
            Self::Difference | Self::DifferenceOfDifferences | Self::Pattern if metric.ends_at_1() => [0.1, 0.3],
            // A metric without a scale of its own.
            _ => [0.5 * sd, sd],
        }
    }
}
