//! Finds up to which temperature a model may be run under a chain, and whether it is the temperature that needs a
//! limit.

use rayon::prelude::*;
use serde::{Serialize, Serializer};

use super::sampled::{self, SampledCell, Tails};
use super::{Analysis, Blindness};
use crate::domain::{Cell, Factor, Temperature};
use crate::metrics::{Metric, TextPart, Worse};
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

impl Limits {
    /// The metrics to which a limit from above can be set: more of them is worse.
    pub fn metrics() -> Vec<Metric> {
        Metric::ALL.into_iter().filter(|metric| metric.worse() == Some(Worse::Higher)).collect()
    }
}

/// A model under a chain, and what can be said of its temperatures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recommendation {
    /// At any of the temperatures.
    #[serde(flatten, serialize_with = "all_but_the_temperature")]
    pub cell: Cell,
    /// Ascending.
    pub temperatures: Vec<AtTemperature>,
    pub advice: Advice,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AtTemperature {
    pub temperature: Temperature,
    /// By limits that allow for looking at all the arm's temperatures.
    pub standing: Standing,
    /// By its own limits, as if it were the only one.
    pub alone: Standing,
    /// By its own limits, each of them at 2.5 %.
    pub p_loop: Option<Interval>,
    pub score: Option<Interval>,
    /// With the lower and the upper limit at the shares of `Tails`.
    pub p_loop_of_all: Option<Interval>,
    pub score_of_all: Option<Interval>,
    pub n_prompts: usize,
    /// Where the metric, or the loops, can't be seen in too many of the texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blind: Option<Blindness>,
}

/// Where both intervals lie.
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
    /// Every temperature measured stays under the limits, each by its own.
    NoLimit { from: Temperature, to: Temperature },
    /// These do, by the limits for all; those next to them are not shown to.
    Range { from: Temperature, to: Temperature },
    /// The same; and at the temperatures that are over, these other chains are under.
    RangeOrOtherChain { from: Temperature, to: Temperature, over: Vec<Temperature>, chains: Vec<String> },
    /// None is shown to; those that are not over may be by more prompts.
    Nowhere { open: Vec<Temperature> },
    /// None is shown to, and so few prompts can't, even if none of their texts repeats itself.
    TooFewPrompts { n_prompts: usize, least: usize, measure: Measure },
    /// Every one is over: none is the right one. These other chains are under, each up to this temperature.
    Everywhere {
        #[serde(skip_serializing_if = "Vec::is_empty")]
        clean: Vec<CleanChain>,
    },
    /// None is shown to, because the metric can't see into the texts: more prompts would not help.
    Blind { why: Blindness },
    /// None is shown to; these are over, and at each of them these other chains are under: it is the chain
    /// that needs to go, not the temperature.
    OtherChain { over: Vec<Temperature>, chains: Vec<String> },
}

/// A chain that is under at some temperature.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CleanChain {
    pub chain: String,
    /// The highest of them.
    pub temperature: Temperature,
}

/// What has a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    PLoop,
    Score,
}

/// In the order of the cells' first trials.
pub fn recommend(analysis: &Analysis, limits: Limits) -> Vec<Recommendation> {
    let cells = sampled::cells(analysis);
    let mut arms: Vec<(Recommendation, Vec<&SampledCell>)> = Vec::new();
    for sampled in &cells {
        match arms.iter_mut().find(|(arm, _)| arm.is_of(sampled.cell)) {
            Some((_, cells)) => cells.push(sampled),
            None => arms.push((Recommendation::of(sampled.cell), vec![sampled])),
        }
    }
    let looked_at = |(arm, cells): (Recommendation, Vec<&SampledCell>)| {
        let tails = Tails::of_all(cells.len());
        let mut temperatures: Vec<_> = cells.par_iter().map(|cell| cell.at(limits, tails)).collect();
        temperatures.sort_by_key(|at| at.temperature);
        let advice = by_itself(&temperatures, limits);
        Recommendation { temperatures, advice, ..arm }
    };
    let mut arms: Vec<Recommendation> = arms.into_iter().map(looked_at).collect();
    let alone = arms.clone();
    for arm in &mut arms {
        let over = arm.standing(Standing::Over);
        let clean =
            |other: &&Recommendation| other.shares_all_but_the_chain(arm) && over.iter().all(|&t| other.is_under_at(t));
        let chains: Vec<_> = alone.iter().filter(clean).map(|other| other.cell.chain().to_owned()).collect();
        if !over.is_empty() && !chains.is_empty() {
            arm.advice = match arm.advice {
                Advice::Range { from, to } => Advice::RangeOrOtherChain { from, to, over, chains },
                _ => Advice::OtherChain { over, chains },
            };
        } else if matches!(arm.advice, Advice::Everywhere { .. }) {
            let others = alone.iter().filter(|other| other.shares_all_but_the_chain(arm));
            let clean = others.filter_map(Recommendation::as_clean).collect();
            arm.advice = Advice::Everywhere { clean };
        }
    }
    arms
}

impl SampledCell<'_> {
    fn at(&self, limits: Limits, of_all: Tails) -> AtTemperature {
        let p_loop = |tails| self.interval(Metric::Loop, tails);
        let score = |tails| self.interval(limits.metric, tails);
        let blind = [limits.metric, Metric::Loop]
            .into_iter()
            .find_map(|metric| Blindness::of(metric, TextPart::Whole, self.trials.iter().copied()).if_forbids());
        let standing = |p_loop: Option<Interval>, score: Option<Interval>| {
            let measured = [(p_loop, Metric::Loop, limits.p_loop), (score, limits.metric, limits.score)];
            match standing(&measured) {
                Standing::Under if blind.is_some() => Standing::Open,
                standing => standing,
            }
        };
        let (own, all) = (Tails::ALONE, of_all);
        let [p_loop, p_loop_of_all] = [own, all].map(p_loop);
        let [score, score_of_all] = [own, all].map(score);
        AtTemperature {
            temperature: self.cell.temperature(),
            standing: standing(p_loop_of_all, score_of_all),
            alone: standing(p_loop, score),
            p_loop,
            score,
            p_loop_of_all,
            score_of_all,
            n_prompts: self.prompts.len(),
            blind,
        }
    }
}

fn standing(measured: &[(Option<Interval>, Metric, f64)]) -> Standing {
    // No value of the metric is over a limit at its end, whatever is measured.
    let bounds = |metric: Metric, limit: f64| metric.ends().1.is_some_and(|worst| limit >= worst);
    let is_over = |(interval, _, limit): &(Option<Interval>, Metric, f64)| interval.is_some_and(|i| i.low > *limit);
    let is_under = |(interval, metric, limit): &(Option<Interval>, Metric, f64)| {
        bounds(*metric, *limit) || interval.is_some_and(|i| i.high <= *limit)
    };
    if measured.iter().any(is_over) {
        Standing::Over
    } else if measured.iter().all(is_under) {
        Standing::Under
    } else {
        Standing::Open
    }
}

/// What an arm's temperatures say, the other chains aside: the range of neighbours under the limits that
/// reaches highest.
fn by_itself(temperatures: &[AtTemperature], limits: Limits) -> Advice {
    let (Some(first), Some(last)) = (temperatures.first(), temperatures.last()) else {
        return Advice::Nowhere { open: Vec::new() };
    };
    if temperatures.iter().all(|at| at.alone == Standing::Under) {
        return Advice::NoLimit { from: first.temperature, to: last.temperature };
    }
    let is_under = |at: &&AtTemperature| at.standing == Standing::Under;
    let under = temperatures.iter().rev().skip_while(|at| !is_under(at)).take_while(is_under);
    let range: Vec<_> = under.map(|at| at.temperature).collect();
    if let (Some(&to), Some(&from)) = (range.first(), range.last()) {
        return Advice::Range { from, to };
    }
    let is_open = |at: &&AtTemperature| at.alone != Standing::Over && at.standing != Standing::Over;
    let open = temperatures.iter().filter(is_open);
    if open.clone().next().is_none() {
        return Advice::Everywhere { clean: Vec::new() };
    }
    if let Some(why) = open.clone().find_map(|at| at.blind) {
        return Advice::Blind { why };
    }
    let n_prompts = open.clone().map(|at| at.n_prompts).max().unwrap_or(0);
    // All may yet be under, each by its own limits; unless one is over.
    let tails =
        if open.clone().count() == temperatures.len() { Tails::ALONE } else { Tails::of_all(temperatures.len()) };
    match fewest_prompts(limits, tails.upper) {
        Some((least, measure)) if least > n_prompts => Advice::TooFewPrompts { n_prompts, least, measure },
        _ => Advice::Nowhere { open: open.map(|at| at.temperature).collect() },
    }
}

/// The fewest prompts that can be under both limits, none of their texts repeating itself, and the limit that needs
/// them; `None` where no number is enough, or a metric without an end doesn't tell.
fn fewest_prompts(limits: Limits, tail: f64) -> Option<(usize, Measure)> {
    let Limits { p_loop, score, metric } = limits;
    // The part of the way from no repetition to nothing else.
    let score = match metric.ends() {
        (Some(best), Some(worst)) => (score - best) / (worst - best),
        _ => 1.0,
    };
    let least = |share: f64| match share {
        share if share >= 1.0 => 1.0,
        // No hit among n: at most 1 − tail^(1/n) (Clopper and Pearson).
        share => (tail.ln() / (-share).ln_1p()).ceil(),
    };
    let (n, measure) = [(least(p_loop), Measure::PLoop), (least(score), Measure::Score)]
        .into_iter()
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    (n.is_finite() && n > 0.0).then_some((n as usize, measure))
}

fn all_but_the_temperature<S: Serializer>(cell: &Cell, serializer: S) -> Result<S::Ok, S::Error> {
    cell.serialize_without(Factor::Temperature, serializer)
}

impl Recommendation {
    fn of(cell: &Cell) -> Self {
        Self { cell: cell.clone(), temperatures: Vec::new(), advice: Advice::Nowhere { open: Vec::new() } }
    }

    fn is_of(&self, cell: &Cell) -> bool {
        self.cell.differs_at_most_in(&[Factor::Temperature], cell)
    }

    fn shares_all_but_the_chain(&self, other: &Self) -> bool {
        self.cell.differs_at_most_in(&[Factor::Chain, Factor::Temperature], &other.cell)
            && self.cell.chain() != other.cell.chain()
    }

    /// The temperatures that stand so, by the limits for all.
    fn standing(&self, standing: Standing) -> Vec<Temperature> {
        self.temperatures.iter().filter(|at| at.standing == standing).map(|at| at.temperature).collect()
    }

    fn is_under_at(&self, temperature: Temperature) -> bool {
        let at = self.temperatures.iter().find(|at| at.temperature == temperature);
        let all = matches!(self.advice, Advice::NoLimit { .. });
        at.is_some_and(|at| all || at.standing == Standing::Under)
    }

    /// The chain, where it is under at some temperature.
    fn as_clean(&self) -> Option<CleanChain> {
        Some(CleanChain { chain: self.cell.chain().to_owned(), temperature: self.highest()? })
    }

    /// The temperature to run it at; `None` where none is shown to stay under.
    pub fn highest(&self) -> Option<Temperature> {
        match self.advice {
            Advice::NoLimit { to, .. } | Advice::Range { to, .. } | Advice::RangeOrOtherChain { to, .. } => Some(to),
            Advice::Nowhere { .. } | Advice::TooFewPrompts { .. } | Advice::Everywhere { .. } => None,
            Advice::Blind { .. } | Advice::OtherChain { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests::{generated, trial};
    use crate::analysis::{ScoredTrial, TrialResult};
    use crate::domain::{Generation, Level};
    use crate::journal::record::Outcome;
    use crate::metrics::Scores;

    const LIMITS: Limits = Limits { p_loop: 0.2, score: 0.1, metric: Metric::RepetitionScore };

    /// A chain of which so many of the prompts' texts loop, from T 0.1 in steps of 0.4.
    fn analysis(n: usize, chains: &[(&str, &[usize])]) -> Analysis {
        let Outcome::Generated(text) = generated("so so so so", &[]) else { panic!("it was generated") };
        let mut analysis = Analysis::default();
        for (chain, loops) in chains {
            for (place, &loops) in loops.iter().enumerate() {
                for prompt in 0..n {
                    let mut trial = trial("a", 0.1 + 0.4 * place as f32, &format!("prompt {prompt}"), 0);
                    trial.cell = trial.cell.with(Level::Chain((*chain).into()));
                    let result = scored(&text, prompt < loops);
                    analysis.trials.push(ScoredTrial::new(trial, result));
                }
            }
        }
        analysis
    }

    fn scored(generation: &Generation, loops: bool) -> TrialResult {
        let value = if loops { 1.0 } else { 0.0 };
        TrialResult::Scored { generation: generation.clone(), scores: Scores::from_fn(|_| Some(value)) }
    }

    fn advice(n: usize, chains: &[(&str, &[usize])]) -> Vec<Advice> {
        recommend(&analysis(n, chains), LIMITS).into_iter().map(|arm| arm.advice).collect()
    }

    fn t(place: usize) -> Temperature {
        Temperature::new(0.1 + 0.4 * place as f32).unwrap()
    }

    #[test]
    fn what_stays_under_everywhere_needs_no_limit() {
        assert_eq!(advice(40, &[("a", &[0, 0, 0])]), [Advice::NoLimit { from: t(0), to: t(2) }]);
    }

    /// 36 prompts can be under 0.1 alone, 1 − 0.025^(1/36); of eight temperatures it takes 49, 1 − (0.05 / 8)^(1/49).
    #[test]
    fn a_range_is_held_to_limits_for_all_its_temperatures() {
        let clean = [0; 8];
        let hot = [0, 0, 0, 0, 0, 0, 0, 36];
        assert_eq!(advice(36, &[("a", &clean)]), [Advice::NoLimit { from: t(0), to: t(7) }]);
        let least = Advice::TooFewPrompts { n_prompts: 36, least: 49, measure: Measure::Score };
        assert_eq!(advice(36, &[("a", &hot)]), [least]);
        assert_eq!(advice(49, &[("a", &hot)]), [Advice::Range { from: t(0), to: t(6) }]);
    }

    #[test]
    fn the_highest_range_under_the_limits_is_taken() {
        assert_eq!(advice(96, &[("a", &[0, 1, 60])]), [Advice::Range { from: t(0), to: t(1) }]);
        assert_eq!(advice(96, &[("a", &[60, 1, 1])]), [Advice::Range { from: t(1), to: t(2) }]);
        assert_eq!(advice(96, &[("a", &[60, 70])]), [Advice::Everywhere { clean: vec![] }]);
        // Its interval holds the limit.
        assert_eq!(advice(96, &[("a", &[9, 11, 60])]), [Advice::Nowhere { open: vec![t(0), t(1)] }]);
    }

    #[test]
    fn so_few_prompts_that_none_could_be_under_are_said_to_be() {
        let few = |n_prompts, least, measure| Advice::TooFewPrompts { n_prompts, least, measure };
        assert_eq!(advice(12, &[("a", &[0, 0])]), [few(12, 36, Measure::Score)]);
        let only_loops = Limits { score: 1.0, ..LIMITS };
        assert_eq!(recommend(&analysis(12, &[("a", &[0, 0])]), only_loops)[0].advice, few(12, 17, Measure::PLoop));
        let eight = analysis(12, &[("a", &[12, 0, 0, 0, 0, 0, 0, 0])]);
        assert_eq!(recommend(&eight, only_loops)[0].advice, few(12, 23, Measure::PLoop));
        // It is over, and no number of prompts would show another thing.
        assert_eq!(advice(12, &[("a", &[12])]), [Advice::Everywhere { clean: vec![] }]);
        let none = Limits { p_loop: 0.0, ..LIMITS };
        assert_eq!(recommend(&analysis(12, &[("a", &[0])]), none)[0].advice, Advice::Nowhere { open: vec![t(0)] });
    }

    #[test]
    fn where_another_chain_is_clean_the_chain_is_at_fault() {
        let chains = vec!["b".to_owned(), "c".to_owned()];
        let other = Advice::OtherChain { over: vec![t(0), t(1)], chains: chains.clone() };
        let clean = Advice::NoLimit { from: t(0), to: t(1) };
        let all: [(&str, &[usize]); 3] = [("a", &[70, 70]), ("b", &[0, 0]), ("c", &[1, 0])];
        assert_eq!(advice(96, &all), [other, clean.clone(), clean]);
        // Cold, the first is clean too: then it may as well be the temperature.
        let either = Advice::RangeOrOtherChain { from: t(0), to: t(0), over: vec![t(1)], chains };
        let all: [(&str, &[usize]); 3] = [("a", &[0, 70]), ("b", &[0, 0]), ("c", &[1, 0])];
        let found = recommend(&analysis(96, &all), LIMITS);
        assert_eq!((&found[0].advice, found[0].highest()), (&either, Some(t(0))));
        // A chain that was not measured where this one is over shows nothing.
        let all: [(&str, &[usize]); 2] = [("a", &[0, 70]), ("b", &[0])];
        assert_eq!(advice(96, &all)[0], Advice::Range { from: t(0), to: t(0) });
    }

    /// As greedy decoding, which no temperature changes, beside a chain that is clean when it is hot.
    #[test]
    fn what_is_over_at_every_temperature_is_told_which_chain_is_clean_at_some() {
        let all: [(&str, &[usize]); 3] = [("greedy", &[60, 60]), ("b", &[60, 0]), ("c", &[60, 70])];
        let clean = vec![CleanChain { chain: "b".to_owned(), temperature: t(1) }];
        let found = advice(96, &all);
        assert_eq!(found[0], Advice::Everywhere { clean: clean.clone() });
        assert_eq!(found[2], Advice::Everywhere { clean });
        assert_eq!(found[1], Advice::Range { from: t(1), to: t(1) });
    }

    #[test]
    fn without_an_interval_nothing_is_shown() {
        assert_eq!(
            advice(1, &[("a", &[0])]),
            [Advice::TooFewPrompts { n_prompts: 1, least: 36, measure: Measure::Score }]
        );
        // But a limit that nothing can be over.
        let limits = Limits { p_loop: 1.0, score: 1.0, ..LIMITS };
        assert_eq!(recommend(&analysis(1, &[("a", &[0])]), limits)[0].advice, Advice::NoLimit { from: t(0), to: t(0) });
    }
}
