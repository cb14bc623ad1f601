//! Says by how much prompts are taken to differ.

use super::Quantity;
use super::prompts::Level;
use crate::analysis::ScoredTrial;
use crate::analysis::verdict::{self, TestKind};
use crate::experiment::Hypothesis;
use crate::metrics::Metric;

/// What is assumed of prompts' differences of a score from 0 to 1, where nothing is known.
const USUAL_SD: f64 = 0.3;

/// How much prompts differ in what a hypothesis compares.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// Standard deviation over prompts, in the unit of the outlook's quantity.
    pub sd: f64,
    pub source: Source,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// `USUAL_SD`, of a difference of two such differences √2 times as much; of Spearman's ρ
    /// over k levels 1 / √(k − 1), as where the levels do nothing (Kendall and Gibbons 1990,
    /// "Rank Correlation Methods", § 5.14).
    Assumed,
    /// The metric has no scale of its own: effects are told in standard deviations.
    Unit,
    /// Whoever asks says so.
    Given,
    /// In an earlier run, for the hypothesis of this id.
    Seen { id: String },
}

impl Spread {
    /// What is taken where no run was looked at; `given` is the standard deviation of prompts'
    /// differences, and says nothing of their ρ.
    pub(super) fn taken(metric: Metric, quantity: Quantity, level: Option<&Level>, given: Option<f64>) -> Self {
        let scaled = |factor: f64| match given {
            Some(sd) => (factor * sd, Source::Given),
            None if metric.ends_at_1() => (factor * USUAL_SD, Source::Assumed),
            None => (1.0, Source::Unit),
        };
        let (sd, source) = match quantity {
            Quantity::Rho => {
                let n_levels = level.and_then(|level| level.compared.first()).map_or(2, |&levels| levels.max(2));
                ((n_levels as f64 - 1.0).sqrt().recip(), Source::Assumed)
            }
            Quantity::Difference => scaled(1.0),
            Quantity::DifferenceOfDifferences | Quantity::Pattern => scaled(std::f64::consts::SQRT_2),
        };
        Self { sd, source }
    }

    /// What an earlier run saw for the hypothesis of the same id, if its test and metric are the same
    /// too; else for the first of its hypotheses with the same test and metric. `None` where it has none, or
    /// all its prompts were alike.
    pub fn seen(of: &Hypothesis, earlier: &[Hypothesis], trials: &[ScoredTrial]) -> Option<Self> {
        let alike = |known: &&Hypothesis| {
            TestKind::of(&known.test) == TestKind::of(&of.test) && (known.metric, known.part) == (of.metric, of.part)
        };
        let same_id = earlier.iter().filter(alike).find(|known| known.id == of.id);
        let known = same_id.or_else(|| earlier.iter().find(alike))?;
        let sd = verdict::spread(known, trials)?;
        Some(Self { sd, source: Source::Seen { id: known.id.clone() } })
    }
}
