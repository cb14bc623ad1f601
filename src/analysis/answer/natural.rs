//! Asks what a design asks by itself, where its file states no hypothesis: a trend along each factor that has an order, of
//! the temperature for each chain by itself; and every two levels of each other factor. Must not know any text.

use std::collections::BTreeSet;

use itertools::Itertools as _;

use super::super::{Questions, ScoredTrial};
use crate::domain::{Factor, Level, Order, Selection};
use crate::experiment::{Direction, Hypothesis, Test};
use crate::metrics::Metric;

/// The most levels of which every two are compared; of more, each with the first. Every question makes all others harder.
const ALL_PAIRS: usize = 8;

/// The hypotheses, in the order of the factors.
pub fn hypotheses(trials: &[ScoredTrial], questions: Questions<'_>) -> Vec<Hypothesis> {
    let metric = questions.settings.metric;
    let varied = Factor::ALL.into_iter().filter(|factor| !questions.inert.contains(factor));
    let varied: Vec<(Factor, Vec<Level>)> =
        varied.map(|factor| (factor, levels(factor, trials))).filter(|(_, levels)| levels.len() > 1).collect();
    let has_chains = varied.iter().any(|(factor, _)| *factor == Factor::Chain);
    let of_factor = |(factor, levels): &(Factor, Vec<Level>)| match factor.order() {
        Order::Ascending => {
            let each = (*factor == Factor::Temperature && has_chains).then_some(Factor::Chain);
            vec![trend(*factor, each, metric)]
        }
        Order::None => contrasts(levels, metric),
    };
    varied.iter().flat_map(of_factor).collect()
}

/// Those of the plan, ascending where they have an order, else as the plan first names them.
fn levels(factor: Factor, trials: &[ScoredTrial]) -> Vec<Level> {
    let all = trials.iter().map(|scored| scored.trial.cell.level(factor));
    match factor.order() {
        Order::Ascending => Vec::from_iter(all.cloned().collect::<BTreeSet<_>>()),
        Order::None => all.unique().cloned().collect(),
    }
}

fn trend(factor: Factor, each: Option<Factor>, metric: Metric) -> Hypothesis {
    let test = Test::Trend { factor, expect: Direction::Increasing };
    let of_each = each.map_or(String::new(), |each| format!(", for each {each}"));
    let claim = format!("Repetition increases with the {factor}{of_each}.");
    Hypothesis { each, ..made(factor.name(), claim, test, metric) }
}

fn contrasts(levels: &[Level], metric: Metric) -> Vec<Hypothesis> {
    let contrast = |(base, other): (&Level, &Level)| {
        let selection = |level: &Level| Selection::of([level.clone()]);
        let test = Test::Contrast { base: selection(base), other: selection(other), expect: Direction::Different };
        let factor = base.factor();
        let claim = format!("The {factor} {other} repeats more or less than {base}.");
        made(&format!("{factor}-{base}-{other}"), claim, test, metric)
    };
    if levels.len() <= ALL_PAIRS {
        return levels.iter().tuple_combinations().map(contrast).collect();
    }
    levels[1..].iter().map(|other| contrast((&levels[0], other))).collect()
}

fn made(id: &str, claim: String, test: Test, metric: Metric) -> Hypothesis {
    Hypothesis { claim, metric, ..Hypothesis::plain(id, test) }
}
