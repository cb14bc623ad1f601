//! Computes how much of the variation of the score each factor explains.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{ScoredTrial, TrialResult};
use crate::domain::{Factor, Level};
use crate::experiment::Settings;
use crate::metrics::Metric;
use crate::stats::{self, AgainstChance, Observation, Portion, Source, StatsError};

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
    pub share: Portion,
    /// What a source that does nothing would have by chance; only of factors and pairs, as are the p-values.
    pub chance_share: Option<f64>,
    /// Of a source that does nothing.
    pub p: Option<f64>,
    /// After Holm's correction over the factors and pairs.
    pub p_holm: Option<f64>,
}

/// What there is to explain by way of one factor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FactorTotal {
    pub factor: Factor,
    pub n_levels: usize,
    /// Its share and those of its interactions with one other factor, together.
    pub total: Portion,
    pub alone: Portion,
}

/// Why nothing is attributed.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotAttributed {
    #[error("only {there} of {all} combinations of their levels are in the design, and attribution needs all of them")]
    Fraction { there: usize, all: usize },
    #[error(transparent)]
    Stats(#[from] StatsError),
}

/// `None` for an experiment that varies fewer than two factors: there is
/// nothing to divide.
///
/// # Errors
/// Where the design does not carry it: cells left out, too few prompts, no variation.
pub(super) fn attribute(
    trials: &[ScoredTrial],
    Settings { alpha, metric }: Settings,
) -> Result<Option<Attribution>, NotAttributed> {
    let levels_of = |factor: Factor| {
        let levels: BTreeSet<&Level> = trials.iter().map(|scored| scored.trial.cell.level(factor)).collect();
        (factor, Vec::from_iter(levels))
    };
    let factors: Vec<_> = Factor::ALL.into_iter().map(levels_of).filter(|(_, levels)| levels.len() > 1).collect();
    if factors.len() < 2 {
        return Ok(None);
    }
    let cells: BTreeSet<_> = trials.iter().map(|scored| &scored.trial.cell).collect();
    let (there, all) = (cells.len(), factors.iter().map(|(_, levels)| levels.len()).product());
    if there < all {
        return Err(NotAttributed::Fraction { there, all });
    }
    let prompts: BTreeSet<&str> = trials.iter().map(|scored| &*scored.trial.prompt).collect();
    let prompts = Vec::from_iter(prompts);
    let observation = |ScoredTrial { trial, result, .. }: &ScoredTrial| {
        let TrialResult::Scored { scores, .. } = result else { return None };
        let place = |(factor, levels): &(Factor, Vec<&Level>)| {
            levels.binary_search(&trial.cell.level(*factor)).expect("it was collected above")
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
        chance_share: share.against_chance.map(|AgainstChance { share, .. }| share),
        p: share.against_chance.map(|AgainstChance { p, .. }| p.p),
        p_holm: share.against_chance.map(|AgainstChance { p_holm, .. }| p_holm),
    };
    let of_factor = |(place, total): (usize, &Portion)| FactorTotal {
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
    attribution.sentence = sentence(&attribution, alpha);
    Ok(Some(attribution))
}

/// What is above chance, the greatest share first; pairs by their own names, for an interaction is no
/// factor's alone.
fn sentence(attribution: &Attribution, alpha: f64) -> String {
    let tested: Vec<&SourceShare> = attribution.sources.iter().filter(|source| source.p_holm.is_some()).collect();
    let is_above = |source: &&&SourceShare| source.p_holm.is_some_and(|p| p <= alpha);
    let mut above: Vec<&SourceShare> = tested.iter().filter(is_above).copied().collect();
    above.sort_by(|a, b| b.share.estimate.total_cmp(&a.share.estimate));
    let grid = format!(
        "of the variation in {} over the {} cells of this grid and {} prompts",
        attribution.metric.name(),
        attribution.n_cells,
        attribution.n_prompts,
    );
    let named = above.iter().map(|source| in_words(source)).collect::<Vec<_>>().join(", ");
    let else_is = |what: &str| format!("{what} is shown to exceed chance");
    match above.len() {
        0 => {
            let least = tested.len() as f64 * 2_f64.powi(1 - i32::try_from(attribution.n_prompts).unwrap_or(i32::MAX));
            let too_few = if least > alpha {
                format!("; {} prompts can't show one: p can't be below {:.3}", attribution.n_prompts, least.min(1.0))
            } else {
                String::new()
            };
            format!("{grid}, {}{too_few}", else_is("no factor"))
        }
        n if n == tested.len() => format!("{grid}: {named}"),
        _ => format!("{grid}: {named}; {}", else_is("nothing else")),
    }
}

fn in_words(SourceShare { name, share, chance_share, .. }: &SourceShare) -> String {
    let percent = |share: f64| format!("{:.1}", 100.0 * share);
    let interval = share.interval.map(|of| format!(" [{}, {}]", percent(of.low), percent(of.high)));
    let chance = chance_share.map(|chance| format!(" ({} % by chance)", percent(chance)));
    format!("{name} {} %{}{}", percent(share.estimate), interval.unwrap_or_default(), chance.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Interval;

    fn source(name: &str, share: f64, p_holm: Option<f64>) -> SourceShare {
        let interval = p_holm.map(|_| Interval { low: share - 0.01, high: share + 0.01, level: 0.95 });
        let share = Portion { estimate: share, interval };
        SourceShare { name: name.to_owned(), share, chance_share: p_holm.map(|_| 0.002), p: p_holm, p_holm }
    }

    fn said(n_prompts: usize, p: [f64; 3]) -> String {
        let [chain, temperature, both] = p.map(Some);
        let sources = vec![
            source("chain", 0.1, chain),
            source("temperature", 0.2, temperature),
            source("chain × temperature", 0.3, both),
            source("prompts", 0.15, None),
            source("rest", 0.25, None),
        ];
        let metric = Metric::RepetitionScore;
        let sentence_of = Attribution {
            metric,
            factors: vec![],
            sources,
            n_prompts,
            n_incomplete_prompts: 0,
            n_cells: 6,
            sentence: String::new(),
        };
        sentence(&sentence_of, 0.05)
    }

    const GRID: &str = "of the variation in repetition_score over the 6 cells of this grid and";

    #[test]
    fn what_is_above_chance_is_named_the_greatest_first() {
        assert_eq!(
            said(24, [0.03, 0.06, 0.001]),
            format!(
                "{GRID} 24 prompts: chain × temperature 30.0 % [29.0, 31.0] (0.2 % by chance), chain 10.0 % [9.0, \
                 11.0] (0.2 % by chance); nothing else is shown to exceed chance"
            )
        );
        assert!(said(24, [0.01; 3]).ends_with("chain 10.0 % [9.0, 11.0] (0.2 % by chance)"));
    }

    #[test]
    fn nothing_is_named_in_noise() {
        assert_eq!(said(24, [0.06, 0.5, 1.0]), format!("{GRID} 24 prompts, no factor is shown to exceed chance"));
        // Three sources, 2^-4 each.
        assert!(said(5, [0.1875; 3]).ends_with("; 5 prompts can't show one: p can't be below 0.188"));
    }
}
