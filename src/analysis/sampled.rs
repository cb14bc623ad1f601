//! Groups the texts of one cell by prompt, for intervals at other levels than the summaries'.

use std::collections::BTreeMap;

use serde::Serialize;

use super::mean::interval_of_mean;
use super::{Analysis, ScoredTrial, TrialResult};
use crate::domain::Cell;
use crate::metrics::{Metric, Scores};
use crate::stats::{Interval, Strata};

/// The probability that a limit errs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tails {
    pub lower: f64,
    pub upper: f64,
}

/// Of a false "under" of any temperature of an arm, and of a false "over".
const ALPHA: f64 = 0.05;

impl Tails {
    /// Of the one temperature, at 95 %: what "each is under" needs, for all are under if each of them is
    /// (Berger 1982, "Multiparameter hypothesis testing and acceptance sampling": an intersection–union test).
    pub(super) const ALONE: Self = Self { lower: ALPHA / 2.0, upper: ALPHA / 2.0 };

    /// Of one of so many temperatures, so that with a probability of at most [`ALPHA`] any of them is said
    /// to be under that is not, and the same of over (Bonferroni). A temperature is under only if both
    /// measures are, so that either limit may err at the whole rate; it is over if one is, which has two
    /// chances. No laxer than alone.
    pub(super) fn of_all(n_temperatures: usize) -> Self {
        let n = n_temperatures.max(1) as f64;
        Self { lower: ALPHA / (2.0 * n), upper: (ALPHA / n).min(Self::ALONE.upper) }
    }
}

pub(super) struct SampledCell<'a> {
    pub cell: &'a Cell,
    pub trials: Vec<&'a ScoredTrial>,
    /// The scored texts; those with a prompt have one.
    pub prompts: Vec<Vec<&'a Scores>>,
    strata: Strata,
}

/// In the order of the cells' first trials.
pub(super) fn cells(analysis: &Analysis) -> Vec<SampledCell<'_>> {
    let mut order: Vec<&Cell> = Vec::new();
    let mut trials: BTreeMap<&Cell, Vec<&ScoredTrial>> = BTreeMap::new();
    for scored in &analysis.trials {
        let cell = &scored.trial.cell;
        trials.entry(cell).or_insert_with(|| {
            order.push(cell);
            Vec::new()
        });
        trials.entry(cell).or_default().push(scored);
    }
    let sampled = |cell| {
        let trials = trials.remove(cell).unwrap_or_default();
        let (ids, prompts): (Vec<_>, Vec<_>) = by_prompt(&trials).into_iter().unzip();
        SampledCell { cell, prompts, strata: analysis.groups.strata(ids), trials }
    };
    order.into_iter().map(sampled).collect()
}

fn by_prompt<'a>(trials: &[&'a ScoredTrial]) -> BTreeMap<&'a str, Vec<&'a Scores>> {
    let mut prompts: BTreeMap<&str, Vec<&Scores>> = BTreeMap::new();
    for scored in trials {
        if let TrialResult::Scored { scores, .. } = &scored.result {
            prompts.entry(&scored.trial.prompt).or_default().push(scores);
        }
    }
    prompts
}

impl SampledCell<'_> {
    /// Of the metric's mean, its limits at tails of their own.
    pub(super) fn interval(&self, metric: Metric, Tails { lower, upper }: Tails) -> Option<Interval> {
        let at = |tail: f64| interval_of_mean(metric, &self.prompts, &self.strata, 1.0 - 2.0 * tail);
        let low = at(lower)?;
        let high = if upper.total_cmp(&lower).is_eq() { low } else { at(upper)? };
        Some(Interval { low: low.low, high: high.high, level: 1.0 - lower - upper })
    }
}
