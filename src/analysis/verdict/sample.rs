//! The scores that a hypothesis is about, arranged as its test needs them.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::against::Less;
use crate::analysis::level::Level;
use crate::analysis::{ScoredTrial, TrialResult};
use crate::experiment::{Factor, Hypothesis, Seed, Selection};
use crate::metrics::{Scores, TextPart, Written, score_head};
use crate::plan::Trial;
use crate::stats::{Pair, mean};

/// Scored texts; those that lack the metric are left out.
#[derive(Clone)]
pub struct Sample<'a>(Vec<(&'a Trial, f64)>);

/// A prompt's values, and how many texts are behind all of them.
pub struct Blocks<T> {
    /// One for each prompt that has them all.
    pub prompts: Vec<T>,
    pub n_texts: usize,
}

impl<'a> Sample<'a> {
    pub fn of(hypothesis: &Hypothesis, trials: &'a [ScoredTrial]) -> Self {
        let value = |scored: &'a ScoredTrial| {
            let scores = taken(hypothesis, scored)?;
            Some((&scored.trial, value(hypothesis, scored, scores)?))
        };
        Self(trials.par_iter().filter_map(value).collect())
    }

    /// The same, but for texts that the metric can't see into: where they speak against the claim
    /// they count as repeated from beginning to end, and elsewhere as the metric has them, or as 0.
    /// What holds then holds whatever these texts are.
    ///
    /// `None` where no side of the claim is said to repeat more, or the metric does not end at 1.
    pub fn against(hypothesis: &'a Hypothesis, trials: &'a [ScoredTrial]) -> Option<Self> {
        let less = Less::of(hypothesis, trials)?;
        let value = |scored: &'a ScoredTrial| {
            let scores = taken(hypothesis, scored)?;
            let known = value(hypothesis, scored, scores);
            let value = match (scores.sees(hypothesis.metric), less.takes(&scored.trial)) {
                (true, _) => known?,
                (false, true) => 1.0,
                (false, false) => known.unwrap_or(0.0),
            };
            Some((&scored.trial, value))
        };
        Some(Self(trials.iter().filter_map(value).collect()))
    }

    /// Two samples of the same texts, with the least and with the greatest score that each can have. They
    /// differ where a text has none that counts: the metric can't see into it, it failed, or a server cut it.
    pub fn bounds(hypothesis: &Hypothesis, trials: impl IntoIterator<Item = &'a ScoredTrial>) -> [Self; 2] {
        let ends = if hypothesis.metric.ends_at_1() { [0.0, 1.0] } else { [f64::NEG_INFINITY, f64::INFINITY] };
        let bounds = |scored: &'a ScoredTrial| match &scored.result {
            TrialResult::Scored { .. } => {
                let scores = taken(hypothesis, scored)?;
                if !scores.sees(hypothesis.metric) {
                    return Some(ends);
                }
                value(hypothesis, scored, scores).map(|value| [value; 2])
            }
            TrialResult::Censored { .. } | TrialResult::Failed(_) => {
                hypothesis.within.takes(scored.trial.point()).then_some(ends)
            }
            TrialResult::Missing => None,
        };
        let known = trials.into_iter().filter_map(|scored| Some((&scored.trial, bounds(scored)?)));
        let (least, greatest) = known.map(|(trial, [low, high])| ((trial, low), (trial, high))).unzip();
        [Self(least), Self(greatest)]
    }

    /// A sample for each level, in the order of their first trials.
    pub fn split(&self, factor: Factor) -> Vec<(String, Self)> {
        let mut samples: Vec<(Level, Self)> = Vec::new();
        for &(trial, value) in &self.0 {
            let level = Level::of(&trial.cell, factor);
            match samples.iter_mut().find(|(known, _)| *known == level) {
                Some((_, sample)) => sample.0.push((trial, value)),
                None => samples.push((level, Self(vec![(trial, value)]))),
            }
        }
        samples.into_iter().map(|(level, sample)| (level.to_string(), sample)).collect()
    }

    /// The mean at each combination of the factors' levels, by prompt; the last
    /// factor's levels change fastest, each in their order. Also how many levels each has.
    pub fn cells(&self, factors: &[Factor]) -> (Vec<usize>, Blocks<Vec<f64>>) {
        let levels: Vec<Vec<Level>> = factors
            .iter()
            .map(|&factor| {
                let levels: BTreeSet<Level> = self.0.iter().map(|(trial, _)| Level::of(&trial.cell, factor)).collect();
                levels.into_iter().collect()
            })
            .collect();
        let n_levels: Vec<usize> = levels.iter().map(Vec::len).collect();
        let n_cells = n_levels.iter().product();
        let mut prompts: BTreeMap<&str, Vec<Vec<f64>>> = BTreeMap::new();
        for &(trial, value) in &self.0 {
            let place = factors.iter().zip(&levels).fold(0, |place, (&factor, levels)| {
                let level = Level::of(&trial.cell, factor);
                place * levels.len() + levels.binary_search(&level).expect("it was collected above")
            });
            prompts.entry(&trial.prompt).or_insert_with(|| vec![vec![]; n_cells])[place].push(value);
        }
        let complete = prompts.into_values().filter(|cells| cells.iter().all(|texts| !texts.is_empty()));
        let mut blocks = Blocks { prompts: vec![], n_texts: 0 };
        for cells in complete {
            blocks.n_texts += cells.iter().map(Vec::len).sum::<usize>();
            blocks.prompts.push(cells.iter().filter_map(|texts| mean(texts)).collect());
        }
        (n_levels, blocks)
    }

    /// What both selections have of a prompt, paired by seed and by the levels of
    /// the factors that neither of them names. A chain without a draw has one text, which pairs
    /// with each seed of the other side.
    pub fn pairs(&self, base: &Selection, other: &Selection) -> Blocks<Vec<Pair>> {
        let named: BTreeSet<Factor> = base.factors().chain(other.factors()).collect();
        let rest: Vec<Factor> = Factor::ALL.into_iter().filter(|factor| !named.contains(factor)).collect();
        type Side = BTreeMap<Option<Seed>, Vec<f64>>;
        let mut groups: BTreeMap<(&str, Vec<Level>), [Side; 2]> = BTreeMap::new();
        for &(trial, value) in &self.0 {
            for (side, selection) in [base, other].into_iter().enumerate() {
                if selection.takes(trial.point()) {
                    let levels = rest.iter().map(|&factor| Level::of(&trial.cell, factor)).collect();
                    let group = groups.entry((&trial.prompt, levels)).or_default();
                    group[side].entry(trial.seed).or_default().push(value);
                }
            }
        }
        let mut prompts: BTreeMap<&str, Vec<Pair>> = BTreeMap::new();
        let mut n_texts = 0;
        for ((prompt, _), [base, other]) in &groups {
            let seeds: BTreeSet<Option<Seed>> = base.keys().chain(other.keys()).copied().collect();
            let at = |side: &Side, seed| side.get(&seed).or_else(|| side.get(&None)).and_then(|texts| mean(texts));
            // A text without a seed stands for all seeds of the other side, if that has any.
            let only_unseeded = seeds.len() == 1;
            let pairs = seeds
                .into_iter()
                .filter(|seed| seed.is_some() || only_unseeded)
                .filter_map(|seed| Some(Pair { base: at(base, seed)?, other: at(other, seed)? }));
            let pairs: Vec<Pair> = pairs.collect();
            if !pairs.is_empty() {
                n_texts += base.values().chain(other.values()).map(Vec::len).sum::<usize>();
                prompts.entry(prompt).or_default().extend(pairs);
            }
        }
        Blocks { prompts: prompts.into_values().collect(), n_texts }
    }
}

/// The scores of a text that the hypothesis is about.
fn taken<'a>(hypothesis: &Hypothesis, scored: &'a ScoredTrial) -> Option<&'a Scores> {
    scored.scores_of(hypothesis.part).filter(|_| hypothesis.within.takes(scored.trial.point()))
}

fn value(hypothesis: &Hypothesis, scored: &ScoredTrial, scores: &Scores) -> Option<f64> {
    match hypothesis.first {
        None => scores.get(hypothesis.metric),
        Some(k) => head(scored, hypothesis.part, k as usize)?.get(hypothesis.metric),
    }
}

/// The scores of the first `k` words and tokens of a part of a text.
fn head(scored: &ScoredTrial, part: TextPart, k: usize) -> Option<Scores> {
    let TrialResult::Scored { generation, .. } = &scored.result else { return None };
    match (part, &scored.apart) {
        (TextPart::Whole, _) | (TextPart::Answer, None) => {
            // The whole is the same whatever parts it.
            let written = Written::of(&generation.text, generation.thought.as_deref(), None);
            Some(score_head(&written.whole, generation.tokens.as_deref(), k))
        }
        (TextPart::Thought, Some(apart)) => Some(score_head(&apart.thought, None, k)),
        (TextPart::Answer, Some(apart)) => Some(score_head(&apart.answer, None, k)),
        (TextPart::Thought, None) => None,
    }
}
