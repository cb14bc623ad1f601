//! Reads, out of a verdict, what changes from how much to how much. Must not know how it is worded.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::mean::interval_of_mean;
use super::super::verdict::scores_of;
use super::super::{Analysis, Conclusion, Groups, LevelVerdict, NamedEffect, ScoredTrial, TrialResult, Verdict};
use crate::domain::{Factor, Level, Selection};
use crate::experiment::{Direction, Hypothesis, Test};
use crate::metrics::{Metric, Scores, Worse};
use crate::stats::{self, Interval};

/// The nominal coverage of every interval.
const LEVEL: f64 = 0.95;

/// A change that is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The id of the hypothesis.
    pub id: String,
    pub claim: String,
    pub metric: Metric,
    pub course: Course,
    /// The factors that differ between the two sides.
    pub factors: Vec<Factor>,
    /// What both sides have in common, of the factors that a hypothesis names.
    pub within: Vec<Level>,
    pub from: Side,
    pub to: Side,
    /// The test's: `to` less `from`, over the prompts that both have.
    pub difference: f64,
    pub interval: Option<Interval>,
    /// After Holm's procedure.
    pub p: Option<f64>,
    pub n_prompts: usize,
}

/// How the two sides lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// From the least level of an ordered factor to the greatest.
    Along,
    /// From what repeats more to what repeats less.
    Between,
}

/// Texts that have something in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    pub levels: Vec<Level>,
    /// Of their values; None of no texts.
    pub mean: Option<f64>,
    /// Over prompts; None where there are too few.
    pub interval: Option<Interval>,
    pub n_prompts: usize,
}

impl Change {
    /// None of a verdict that shows no change: an open one, or one about something else than a difference.
    /// `n_tested` is the number of all hypotheses that were put to a test.
    pub fn of(hypothesis: &Hypothesis, verdict: &Verdict, n_tested: usize, analysis: &Analysis) -> Option<Self> {
        let Shown { effects, p, n_prompts, each } = Shown::of(hypothesis, verdict, n_tested, analysis)?;
        let NamedEffect { estimate, interval, .. } = difference(effects)?;
        let within = hypothesis.within.clone().and(each);
        let side = |levels: Vec<Level>| {
            let selection = levels.iter().cloned().fold(Selection::default(), |all, level| all.and([level]));
            let takes =
                |scored: &&ScoredTrial| within.takes(scored.trial.point()) && selection.takes(scored.trial.point());
            let side = Side::of(hypothesis, analysis.trials.iter().filter(takes), &analysis.groups);
            Side { levels, ..side }
        };
        let named = |selection: &Selection| selection.levels.iter().flat_map(|(_, levels)| levels.clone()).collect();
        let is_worse_lower = hypothesis.metric.worse() == Some(Worse::Lower);
        let (course, factors, from, to, turned) = match &hypothesis.test {
            Test::Trend { factor, .. } => {
                let (least, greatest) = ends(*factor, &within, &analysis.trials)?;
                (Course::Along, vec![*factor], vec![least], vec![greatest], false)
            }
            Test::Contrast { base, other, .. } => {
                let factors = base.factors().chain(other.factors());
                let mut factors = Vec::from_iter(factors);
                factors.dedup();
                let turned = (*estimate > 0.0) != is_worse_lower;
                let (from, to) = if turned { (other, base) } else { (base, other) };
                (Course::Between, factors, named(from), named(to), turned)
            }
            Test::Equivalence { .. } | Test::Interaction { .. } => return None,
        };
        let sign = if turned { -1.0 } else { 1.0 };
        Some(Self {
            id: verdict.id.clone(),
            claim: verdict.claim.clone(),
            metric: hypothesis.metric,
            course,
            factors,
            within: within.levels.iter().flat_map(|(_, levels)| levels.clone()).collect(),
            from: side(from),
            to: side(to),
            difference: sign * estimate,
            interval: interval.map(|interval| if turned { negated(interval) } else { interval }),
            p,
            n_prompts,
        })
    }

    /// Whether its second side repeats less.
    pub fn lessens(&self) -> bool {
        (self.difference < 0.0) != (self.metric.worse() == Some(Worse::Lower))
    }
}

/// What a verdict shows.
struct Shown<'a> {
    effects: &'a [NamedEffect],
    p: Option<f64>,
    n_prompts: usize,
    /// Of a claim about each level of a factor: the one with the greatest difference.
    each: Option<Level>,
}

impl<'a> Shown<'a> {
    fn of(hypothesis: &Hypothesis, verdict: &'a Verdict, n_tested: usize, analysis: &Analysis) -> Option<Self> {
        let is_shown = |outcome: Conclusion| match (&hypothesis.test, outcome) {
            (_, Conclusion::Supported) => true,
            // The opposite of a direction is a change as well; that of "they differ" is none.
            (Test::Trend { expect, .. } | Test::Contrast { expect, .. }, Conclusion::Refuted) => {
                *expect != Direction::Different
            }
            _ => false,
        };
        let Some(each) = hypothesis.each.filter(|_| !verdict.levels.is_empty()) else {
            let Verdict { effects, p_holm: p, n_prompts, .. } = verdict;
            return is_shown(verdict.outcome).then_some(Self { effects, p: *p, n_prompts: *n_prompts, each: None });
        };
        // A claim about all levels may be open, and one of them shown: by Holm's procedure over the levels, and by
        // Bonferroni's over the hypotheses, for the order of Holm's is that of the claims.
        let of_level = |level: &LevelVerdict| level.p_holm.map(|p| (p * n_tested as f64).min(1.0));
        let p = |level: &LevelVerdict| match verdict.outcome {
            // The claim's p is the greatest of its levels'.
            Conclusion::Supported => verdict.p_holm,
            Conclusion::Refuted | Conclusion::Inconclusive => of_level(level),
        };
        let is_found = |level: &&LevelVerdict| is_shown(level.outcome) && p(level).is_none_or(|p| p <= verdict.alpha);
        let size = |level: &LevelVerdict| difference(&level.effects).map_or(0.0, |effect| effect.estimate.abs());
        let most = verdict.levels.iter().filter(is_found).max_by(|a, b| size(a).total_cmp(&size(b)))?;
        let of_this_name = |level: &&Level| level.to_string() == most.level;
        let each = analysis.trials.iter().map(|scored| scored.trial.cell.level(each)).find(of_this_name)?.clone();
        Some(Self { effects: &most.effects, p: p(most), n_prompts: most.n_prompts, each: Some(each) })
    }
}

/// The difference of means among a test's effects.
fn difference(effects: &[NamedEffect]) -> Option<&NamedEffect> {
    effects.iter().find(|effect| effect.name.starts_with("mean difference"))
}

/// The least and the greatest level that the plan has there.
fn ends(factor: Factor, within: &Selection, trials: &[ScoredTrial]) -> Option<(Level, Level)> {
    let there = trials.iter().filter(|scored| within.takes(scored.trial.point()));
    let levels = there.map(|scored| scored.trial.cell.level(factor));
    Some((levels.clone().min()?.clone(), levels.max()?.clone()))
}

fn negated(Interval { low, high, level }: Interval) -> Interval {
    Interval { low: -high, high: -low, level }
}

impl Side {
    /// All these texts, by a metric of whole texts.
    pub fn over<'a>(metric: Metric, trials: impl Iterator<Item = &'a ScoredTrial>, groups: &Groups) -> Self {
        let whole = |scored: &'a ScoredTrial| match &scored.result {
            TrialResult::Scored { scores, .. } => Some(Cow::Borrowed(scores)),
            _ => None,
        };
        Self::by(metric, trials, groups, whole)
    }

    /// Of what of the texts a hypothesis is about.
    fn of<'a>(hypothesis: &Hypothesis, trials: impl Iterator<Item = &'a ScoredTrial>, groups: &Groups) -> Self {
        Self::by(hypothesis.metric, trials, groups, |scored| scores_of(hypothesis, scored))
    }

    fn by<'a>(
        metric: Metric,
        trials: impl Iterator<Item = &'a ScoredTrial>,
        groups: &Groups,
        scores: impl Fn(&'a ScoredTrial) -> Option<Cow<'a, Scores>>,
    ) -> Self {
        let mut prompts: BTreeMap<&str, Vec<Cow<Scores>>> = BTreeMap::new();
        for scored in trials {
            if let Some(scores) = scores(scored).filter(|scores| scores.get(metric).is_some()) {
                prompts.entry(&scored.trial.prompt).or_default().push(scores);
            }
        }
        let values: Vec<f64> = prompts.values().flatten().filter_map(|scores| scores.get(metric)).collect();
        let strata = groups.strata(prompts.keys().copied());
        let prompts: Vec<Vec<&Scores>> =
            prompts.values().map(|texts| texts.iter().map(Cow::as_ref).collect()).collect();
        Self {
            levels: vec![],
            mean: stats::mean(&values),
            interval: interval_of_mean(metric, &prompts, &strata, LEVEL),
            n_prompts: prompts.len(),
        }
    }
}
