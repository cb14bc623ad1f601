//! How much of the variation of the score each factor explains.

use std::collections::BTreeSet;

use serde::Serialize;

use super::level::Level;
use super::{ScoredTrial, TrialResult};
use crate::experiment::Factor;
use crate::metrics::Metric;
use crate::stats::{self, Effect, Observation, Source, StatsError};

/// Shares of the sum of squares of a crossed design; see [`stats::attribute`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attribution {
    pub metric: Metric,
    pub factors: Vec<FactorTotal>,
    /// Factors, pairs of them, prompts, the rest; their shares add up to 1.
    pub sources: Vec<SourceShare>,
    pub n_prompts: usize,
    /// Left out, because they lack a cell.
    pub n_incomplete_prompts: usize,
    pub n_cells: usize,
    /// The whole in words.
    pub sentence: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceShare {
    /// Such as `chain × temperature`, `prompts`, `rest`.
    pub name: String,
    /// 0 to 1.
    pub share: Effect,
    /// What a source that does nothing would have by chance.
    pub chance_share: Option<f64>,
}

/// What there is to explain by way of one factor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FactorTotal {
    pub factor: Factor,
    pub n_levels: usize,
    /// Its share and those of its interactions with one other factor, together.
    pub total: Effect,
    pub alone: Effect,
}

/// `None` for an experiment that varies fewer than two factors: there is
/// nothing to divide.
///
/// # Errors
/// Where the design does not carry it: cells left out, too few prompts, no variation.
pub(super) fn attribute(trials: &[ScoredTrial], metric: Metric) -> Result<Option<Attribution>, StatsError> {
    let levels_of = |factor: Factor| {
        let levels: BTreeSet<Level> = trials.iter().map(|scored| Level::of(&scored.trial.cell, factor)).collect();
        (factor, Vec::from_iter(levels))
    };
    let factors: Vec<_> = Factor::ALL.into_iter().map(levels_of).filter(|(_, levels)| levels.len() > 1).collect();
    if factors.len() < 2 {
        return Ok(None);
    }
    let prompts: BTreeSet<&str> = trials.iter().map(|scored| &*scored.trial.prompt).collect();
    let prompts = Vec::from_iter(prompts);
    let observation = |ScoredTrial { trial, result, .. }: &ScoredTrial| {
        let TrialResult::Scored { scores, .. } = result else { return None };
        let place = |(factor, levels): &(Factor, Vec<Level>)| {
            levels.binary_search(&Level::of(&trial.cell, *factor)).expect("it was collected above")
        };
        Some(Observation {
            levels: factors.iter().map(place).collect(),
            prompt: prompts.binary_search(&&*trial.prompt).expect("it was collected above"),
            value: scores.get(metric)?,
        })
    };
    let observations: Vec<_> = trials.iter().filter_map(observation).collect();
    let n_levels: Vec<usize> = factors.iter().map(|(_, levels)| levels.len()).collect();
    let found = stats::attribute(&n_levels, &observations)?;
    let name = |source: Source| match source {
        Source::Factor(one) => factors[one].0.to_string(),
        Source::Pair(first, second) => format!("{} × {}", factors[first].0, factors[second].0),
        Source::Prompts => "prompts".to_owned(),
        Source::Rest => "rest".to_owned(),
    };
    let source = |share: &stats::Share| SourceShare {
        name: name(share.source),
        share: share.share,
        chance_share: share.chance_share,
    };
    let of_factor = |(place, total): (usize, &Effect)| FactorTotal {
        factor: factors[place].0,
        n_levels: n_levels[place],
        total: *total,
        alone: found.shares[place].share,
    };
    let mut attribution = Attribution {
        metric,
        factors: found.totals.iter().enumerate().map(of_factor).collect(),
        sources: found.shares.iter().map(source).collect(),
        n_prompts: found.n_prompts,
        n_incomplete_prompts: found.n_incomplete_prompts,
        n_cells: found.n_cells,
        sentence: String::new(),
    };
    attribution.sentence = sentence(&attribution);
    Ok(Some(attribution))
}

/// The factor that explains most first, with its interactions; then what the
/// others explain alone.
fn sentence(attribution: &Attribution) -> String {
    let mut factors: Vec<&FactorTotal> = attribution.factors.iter().collect();
    factors.sort_by(|a, b| b.total.estimate.total_cmp(&a.total.estimate));
    let Some((first, others)) = factors.split_first() else { return String::new() };
    let others = others.iter().map(|other| format!("the {} alone {}", other.factor, percent(other.alone)));
    let others = others.collect::<Vec<_>>().join(", ");
    format!(
        "of the variation of {} over {} cells and {} prompts, the {} and its interactions explain {} (the {} alone {}); {}",
        attribution.metric.name(),
        attribution.n_cells,
        attribution.n_prompts,
        first.factor,
        percent(first.total),
        first.factor,
        percent(first.alone),
        others
    )
}

fn percent(share: Effect) -> String {
    let of = |share: f64| 100.0 * share;
    format!("{:.1} % [{:.1}, {:.1}]", of(share.estimate), of(share.interval.low), of(share.interval.high))
}
