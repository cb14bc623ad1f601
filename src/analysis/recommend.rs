//! Up to which temperature a model may be run under a chain, and whether it is
//! the temperature that needs a limit.

use serde::Serialize;

use std::collections::BTreeMap;

use super::{Analysis, Blindness, ScoredTrial};
use crate::experiment::{Offload, OpOffload, Quant, Temperature, Template};
use crate::metrics::{Metric, TextPart};
use crate::plan::Cell;
use crate::stats::Interval;

/// What counts as repeating too much.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Limits {
    /// The share of texts that loop.
    pub p_loop: f64,
    /// The mean of the metric.
    pub score: f64,
    /// One of which more is worse.
    pub metric: Metric,
}

/// A model under a chain, and what can be said of its temperatures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recommendation {
    pub model: String,
    pub chain: String,
    pub offload: Offload,
    pub quant: Quant,
    pub template: Template,
    #[serde(skip_serializing_if = "OpOffload::is_default")]
    pub op_offload: OpOffload,
    /// Ascending.
    pub temperatures: Vec<AtTemperature>,
    pub advice: Advice,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AtTemperature {
    pub temperature: Temperature,
    pub standing: Standing,
    pub p_loop: Option<Interval>,
    pub score: Option<Interval>,
    /// Where the metric, or the loops, can't be seen in too many of the texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blind: Option<Blindness>,
}

/// Where both intervals lie; pointwise, at their own level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Both wholly at or under their limits.
    Under,
    /// One wholly over its limit.
    Over,
    /// Neither: too few prompts to say, or texts that the metric can't see into.
    Open,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Advice {
    /// Every temperature measured stays under the limits.
    NoLimit { to: Temperature },
    /// These do, and those next to them are not shown to.
    Range { from: Temperature, to: Temperature },
    /// None is shown to.
    Nowhere,
    /// Every one is over: none is the right one.
    Everywhere,
    /// None is shown to, because the metric can't see into the texts: more prompts would not help.
    Blind { why: Blindness },
    /// These are over, and at each of them these other chains are under: it is the chain
    /// that needs to go, not the temperature.
    OtherChain { over: Vec<Temperature>, chains: Vec<String> },
}

/// In the order of the cells' first trials.
pub fn recommend(analysis: &Analysis, limits: Limits) -> Vec<Recommendation> {
    let mut arms: Vec<Recommendation> = Vec::new();
    for (cell, at) in standings(analysis, limits) {
        match arms.iter_mut().find(|arm| arm.is_of(cell)) {
            Some(arm) => arm.temperatures.push(at),
            None => arms.push(Recommendation {
                model: cell.model.clone(),
                chain: cell.chain.clone(),
                offload: cell.offload,
                quant: cell.quant,
                template: cell.template,
                op_offload: cell.op_offload,
                temperatures: vec![at],
                advice: Advice::Nowhere,
            }),
        }
    }
    for arm in &mut arms {
        arm.temperatures.sort_by_key(|at| at.temperature);
        arm.advice = arm.by_itself();
    }
    let alone = arms.clone();
    for arm in &mut arms {
        let is_over = |at: &&AtTemperature| at.standing == Standing::Over;
        let over: Vec<_> = arm.temperatures.iter().filter(is_over).map(|at| at.temperature).collect();
        let clean = |other: &&Recommendation| {
            other.shares_all_but_the_chain(arm) && over.iter().all(|&t| other.stands_at(t) == Some(Standing::Under))
        };
        let chains: Vec<_> = alone.iter().filter(clean).map(|other| other.chain.clone()).collect();
        if !over.is_empty() && !chains.is_empty() {
            arm.advice = Advice::OtherChain { over, chains };
        }
    }
    arms
}

/// Cells with where they stand. The profiles are in the cells' order.
fn standings(analysis: &Analysis, limits: Limits) -> impl Iterator<Item = (&Cell, AtTemperature)> {
    let mut texts: BTreeMap<&Cell, Vec<&ScoredTrial>> = BTreeMap::new();
    for scored in &analysis.trials {
        texts.entry(&scored.trial.cell).or_default().push(scored);
    }
    let scores = analysis.cells.iter().filter(move |summary| summary.metric == limits.metric);
    scores.zip(&analysis.profiles).map(move |(summary, profile)| {
        let texts = texts.get(&summary.cell).map(Vec::as_slice).unwrap_or_default();
        let blind = [limits.metric, Metric::Loop]
            .into_iter()
            .find_map(|metric| Blindness::of(metric, TextPart::Whole, texts.iter().copied()).if_forbids());
        let score = summary.estimate.and_then(|estimate| estimate.interval);
        let p_loop = profile.two_part.map(|two| two.loops.interval);
        let standing = match standing(&[(p_loop, limits.p_loop), (score, limits.score)]) {
            Standing::Under if blind.is_some() => Standing::Open,
            standing => standing,
        };
        (&summary.cell, AtTemperature { temperature: summary.cell.temperature, standing, p_loop, score, blind })
    })
}

fn standing(measured: &[(Option<Interval>, f64)]) -> Standing {
    let is_over = |(interval, limit): &(Option<Interval>, f64)| interval.is_some_and(|i| i.low > *limit);
    let is_under = |(interval, limit): &(Option<Interval>, f64)| interval.is_some_and(|i| i.high <= *limit);
    if measured.iter().any(is_over) {
        Standing::Over
    } else if measured.iter().all(is_under) {
        Standing::Under
    } else {
        Standing::Open
    }
}

impl Recommendation {
    fn is_of(&self, cell: &Cell) -> bool {
        let Cell { model, chain, offload, quant, template, op_offload, .. } = cell;
        (&self.model, &self.chain) == (model, chain)
            && (self.offload, self.quant, self.template, self.op_offload) == (*offload, *quant, *template, *op_offload)
    }

    fn shares_all_but_the_chain(&self, other: &Self) -> bool {
        let rest = |arm: &Self| (arm.offload, arm.quant, arm.template, arm.op_offload);
        self.model == other.model && rest(self) == rest(other) && self.chain != other.chain
    }

    fn stands_at(&self, temperature: Temperature) -> Option<Standing> {
        self.temperatures.iter().find(|at| at.temperature == temperature).map(|at| at.standing)
    }

    /// The temperature to run it at; `None` where none is shown to stay under.
    pub fn highest(&self) -> Option<Temperature> {
        match self.by_itself() {
            Advice::NoLimit { to } | Advice::Range { to, .. } => Some(to),
            Advice::Nowhere | Advice::Everywhere | Advice::Blind { .. } | Advice::OtherChain { .. } => None,
        }
    }

    /// What its temperatures say, the other chains aside: the range of
    /// neighbours under the limits that reaches highest.
    fn by_itself(&self) -> Advice {
        let is_under = |at: &&AtTemperature| at.standing == Standing::Under;
        let under = self.temperatures.iter().rev().skip_while(|at| !is_under(at)).take_while(is_under);
        let range: Vec<_> = under.map(|at| at.temperature).collect();
        match (range.first(), range.last()) {
            (Some(&to), Some(_)) if range.len() == self.temperatures.len() => Advice::NoLimit { to },
            (Some(&to), Some(&from)) => Advice::Range { from, to },
            _ => {
                let mut open = self.temperatures.iter().filter(|at| at.standing == Standing::Open);
                match open.clone().find_map(|at| at.blind) {
                    Some(why) => Advice::Blind { why },
                    None if open.next().is_some() => Advice::Nowhere,
                    None => Advice::Everywhere,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{CellProfile, CellSummary, Estimate};
    use crate::stats::{Effect, TwoPart};

    const LIMITS: Limits = Limits { p_loop: 0.2, score: 0.1, metric: Metric::RepetitionScore };

    /// A chain whose score lies within 0.02 of each of these, from T 0.1 in steps of 0.4.
    fn analysis(chains: &[(&str, &[f64])]) -> Analysis {
        let mut analysis = Analysis::default();
        for (chain, scores) in chains {
            for (place, &score) in scores.iter().enumerate() {
                let cell = Cell {
                    model: "tiny".to_owned(),
                    chain: (*chain).to_owned(),
                    offload: Offload::All,
                    quant: Quant::Source,
                    template: Template::Raw,
                    op_offload: OpOffload::On,
                    temperature: Temperature::new(0.1 + 0.4 * place as f32).unwrap(),
                };
                let interval = Interval { low: score - 0.02, high: score + 0.02, level: 0.95 };
                let loops = Effect { estimate: score, interval };
                let two_part = TwoPart { loops, score_without_loop: None, n_prompts: 24, n_texts: 24, n_loops: 0 };
                let estimate = Estimate { mean: score, median: score, interval: Some(interval) };
                analysis.profiles.push(CellProfile {
                    cell: cell.clone(),
                    two_part: Some(two_part),
                    onset: None,
                    self_repetition: None,
                    n_self_repetition: 0,
                });
                let metric = Metric::RepetitionScore;
                analysis.cells.push(CellSummary { cell, metric, n: 24, estimate: Some(estimate) });
            }
        }
        analysis
    }

    fn advice(chains: &[(&str, &[f64])]) -> Vec<Advice> {
        recommend(&analysis(chains), LIMITS).into_iter().map(|arm| arm.advice).collect()
    }

    fn t(temperature: f32) -> Temperature {
        Temperature::new(temperature).unwrap()
    }

    #[test]
    fn what_stays_under_everywhere_needs_no_limit() {
        assert_eq!(advice(&[("a", &[0.01, 0.02, 0.03])]), [Advice::NoLimit { to: t(0.1 + 0.8) }]);
    }

    #[test]
    fn the_highest_range_under_the_limits_is_taken() {
        assert_eq!(advice(&[("a", &[0.01, 0.02, 0.5])]), [Advice::Range { from: t(0.1), to: t(0.1 + 0.4) }]);
        assert_eq!(advice(&[("a", &[0.5, 0.02, 0.02])]), [Advice::Range { from: t(0.1 + 0.4), to: t(0.1 + 0.8) }]);
        assert_eq!(advice(&[("a", &[0.5, 0.6])]), [Advice::Everywhere]);
        // Its interval holds the limit.
        assert_eq!(advice(&[("a", &[0.09, 0.11, 0.5])]), [Advice::Nowhere]);
    }

    #[test]
    fn where_another_chain_is_clean_the_chain_is_at_fault() {
        let other = Advice::OtherChain { over: vec![t(0.1 + 0.4)], chains: vec!["b".to_owned(), "c".to_owned()] };
        let clean = Advice::NoLimit { to: t(0.1 + 0.4) };
        let chains: [(&str, &[f64]); 3] = [("a", &[0.01, 0.5]), ("b", &[0.01, 0.02]), ("c", &[0.1, 0.02])];
        assert_eq!(advice(&chains), [other, clean, Advice::Range { from: t(0.1 + 0.4), to: t(0.1 + 0.4) }]);
        // A chain that was not measured where this one is over shows nothing.
        let chains: [(&str, &[f64]); 2] = [("a", &[0.01, 0.5]), ("b", &[0.01])];
        assert_eq!(advice(&chains)[0], Advice::Range { from: t(0.1), to: t(0.1) });
    }

    #[test]
    fn without_an_interval_nothing_is_shown() {
        let mut analysis = analysis(&[("a", &[0.01])]);
        analysis.profiles[0].two_part = None;
        assert_eq!(recommend(&analysis, LIMITS)[0].advice, Advice::Nowhere);
    }
}
