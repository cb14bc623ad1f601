//! Arranges the scores that a hypothesis is about as its test needs them.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::against::{Extreme, Opposed};
use super::unknown::{Score, Unknowns};
use crate::analysis::parting::{Likeness, likeness};
use crate::analysis::{ScoredTrial, TrialResult};
use crate::domain::{Factor, Generation, Level, Seed, Selection, Trial};
use crate::experiment::Hypothesis;
use crate::metrics::{Metric, Scores};
use crate::stats::{Kinds, Pair, PromptPairs, mean, rounded};

/// The texts that count, and all that were planned.
#[derive(Clone)]
pub struct Sample<'a> {
    texts: Vec<Text<'a>>,
    planned: Vec<&'a Trial>,
}

#[derive(Clone, Copy)]
struct Text<'a> {
    trial: &'a Trial,
    value: f64,
    ends: Ends,
    /// None of a text whose score is supposed.
    generation: Option<&'a Generation>,
}

/// How a text ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// In a loop: [`Metric::Loop`].
    InALoop,
    /// It does not, and half of it is repeated all the same.
    Repeated,
    Free,
}

impl Ends {
    /// Of a text without scores, as its supposed value has it.
    fn of(metric: Metric, value: f64, scores: Option<&Scores>) -> Self {
        match scores {
            None if value >= 0.5 => Self::InALoop,
            Some(scores) if scores.get(Metric::Loop) == Some(1.0) => Self::InALoop,
            _ if metric.is_loop(value) => Self::Repeated,
            _ => Self::Free,
        }
    }
}

/// What a test is made of.
pub struct Blocks<T> {
    /// One for each prompt that has all it needs, in the order of the prompts' ids.
    pub prompts: Vec<T>,
    /// The ids of these.
    pub ids: Vec<String>,
    /// How many texts are behind all of them.
    pub n_texts: usize,
    pub sameness: Sameness,
    /// Combinations of the other factors' levels that lack a level in the plan, and are left out.
    pub left_out: BTreeSet<String>,
}

/// A prompt's mean at each combination of levels, and what kinds of text are behind it.
pub struct PromptCells {
    pub means: Vec<f64>,
    pub kinds: Vec<Kinds>,
}

impl AsRef<[f64]> for PromptCells {
    fn as_ref(&self) -> &[f64] {
        &self.means
    }
}

/// What the texts compared have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sameness {
    /// Some differ, or are not known.
    None,
    /// All are the same, word for word.
    Texts,
    /// They are the same trials: a chain that ignores the temperature has one text for all.
    Trials,
}

impl<'a> Sample<'a> {
    /// Texts whose score is not known are left out.
    pub fn of(hypothesis: &Hypothesis, trials: &'a [ScoredTrial]) -> Self {
        Self::with(hypothesis, trials, |_, _, says| says)
    }

    /// The `unknown` texts count as 1 on the side of the extreme, and elsewhere as what the metric says, or 0.
    pub fn at(
        hypothesis: &Hypothesis,
        trials: &'a [ScoredTrial],
        unknown: Unknowns,
        opposed: &Opposed<'_>,
        extreme: Extreme,
    ) -> Self {
        Self::with(hypothesis, trials, |trial, score, says| match score {
            // So few that what the metric says is taken.
            Score::Blind { .. } if unknown.blind.is_none() => says,
            _ => Some(if opposed.counts(trial, extreme) { 1.0 } else { says.unwrap_or(0.0) }),
        })
    }

    /// `suppose` is given what is known of a text without a score, and what the metric says of it, if anything.
    fn with(
        hypothesis: &Hypothesis,
        trials: &'a [ScoredTrial],
        suppose: impl Fn(&Trial, Score<'_>, Option<f64>) -> Option<f64> + Sync,
    ) -> Self {
        let text = |scored: &'a ScoredTrial| {
            let (trial, score) = (&scored.trial, Score::of(hypothesis, scored));
            let (value, scores, generation) = match score {
                Score::Known { value, scores, generation } => (value, Some(scores), Some(generation)),
                Score::Blind { says, scores, generation } => {
                    (suppose(trial, score, says)?, Some(scores), Some(generation))
                }
                Score::Failed | Score::Short => (suppose(trial, score, None)?, None, None),
                Score::Absent => return None,
            };
            Some(Text { trial, value, ends: Ends::of(hypothesis.metric, value, scores), generation })
        };
        let taken = |scored: &&ScoredTrial| hypothesis.within.takes(scored.trial.point());
        Self {
            texts: trials.par_iter().filter(taken).filter_map(text).collect(),
            planned: trials.iter().filter(taken).map(|scored| &scored.trial).collect(),
        }
    }

    /// Two samples of the same texts, with the least and with the greatest score that each can have. They
    /// differ where a text has none that is known, or a server cut it.
    pub fn bounds(hypothesis: &Hypothesis, trials: impl IntoIterator<Item = &'a ScoredTrial>) -> [Self; 2] {
        let ends = if hypothesis.metric.ends_at_1() { [0.0, 1.0] } else { [f64::NEG_INFINITY, f64::INFINITY] };
        let taken = |scored: &&ScoredTrial| hypothesis.within.takes(scored.trial.point());
        let trials: Vec<&ScoredTrial> = trials.into_iter().filter(taken).collect();
        ends.map(|end| {
            let text = |scored: &&'a ScoredTrial| {
                let (value, scores) = match Score::of(hypothesis, scored) {
                    Score::Known { value, scores, .. } => (value, Some(scores)),
                    Score::Absent if !matches!(scored.result, TrialResult::Censored { .. }) => return None,
                    Score::Blind { .. } | Score::Failed | Score::Short | Score::Absent => (end, None),
                };
                let ends = Ends::of(hypothesis.metric, value, scores);
                Some(Text { trial: &scored.trial, value, ends, generation: None })
            };
            Self {
                texts: trials.iter().filter_map(text).collect(),
                planned: trials.iter().map(|scored| &scored.trial).collect(),
            }
        })
    }

    /// A sample for each level, in the order of their first trials.
    pub fn split(&self, factor: Factor) -> Vec<(String, Self)> {
        let mut samples: Vec<(&Level, Self)> = Vec::new();
        for &trial in &self.planned {
            let level = trial.cell.level(factor);
            match samples.iter_mut().find(|(known, _)| *known == level) {
                Some((_, sample)) => sample.planned.push(trial),
                None => samples.push((level, Self { texts: vec![], planned: vec![trial] })),
            }
        }
        for &text in &self.texts {
            let level = text.trial.cell.level(factor);
            let of_level = samples.iter_mut().find(|(known, _)| *known == level);
            of_level.expect("what has a text was planned").1.texts.push(text);
        }
        samples.into_iter().map(|(level, sample)| (level.to_string(), sample)).collect()
    }

    /// The mean at each combination of the factors' levels, by prompt; the last
    /// factor's levels change fastest, each in their order. Also how many levels each has.
    ///
    /// Only combinations of the other factors' levels that have all of these count: with a chain
    /// that is excluded at some temperatures, hot and cold would be other chains.
    pub fn cells(&self, factors: &[Factor]) -> (Vec<usize>, Blocks<PromptCells>) {
        let levels: Vec<Vec<&Level>> = factors
            .iter()
            .map(|&factor| {
                let levels: BTreeSet<&Level> = self.planned.iter().map(|trial| trial.cell.level(factor)).collect();
                levels.into_iter().collect()
            })
            .collect();
        let n_levels: Vec<usize> = levels.iter().map(Vec::len).collect();
        let n_cells = n_levels.iter().product();
        let place = |trial: &Trial| {
            factors.iter().zip(&levels).fold(0, |place, (&factor, levels)| {
                let level = trial.cell.level(factor);
                place * levels.len() + levels.binary_search(&level).expect("it was collected above")
            })
        };
        let rest = Rest::of(factors.iter().copied());
        let mut planned: BTreeMap<Vec<&Level>, BTreeSet<usize>> = BTreeMap::new();
        for trial in &self.planned {
            planned.entry(rest.levels(trial)).or_default().insert(place(trial));
        }
        let is_complete = |combination: &[&Level]| planned[combination].len() == n_cells;
        let left_out: BTreeSet<String> =
            planned.keys().filter(|combination| !is_complete(combination)).map(|levels| rest.name(levels)).collect();

        type Cells<'a> = Vec<Vec<Text<'a>>>;
        let mut prompts: BTreeMap<&str, BTreeMap<Vec<&Level>, Cells>> = BTreeMap::new();
        for text in &self.texts {
            let combination = rest.levels(text.trial);
            if is_complete(&combination) {
                let combinations = prompts.entry(&text.trial.prompt).or_default();
                combinations.entry(combination).or_insert_with(|| vec![vec![]; n_cells])[place(text.trial)].push(*text);
            }
        }
        let mut blocks = Blocks { prompts: vec![], ids: vec![], n_texts: 0, sameness: Sameness::Trials, left_out };
        for (id, mut combinations) in prompts {
            // The same within a prompt, of which some texts may not be there.
            combinations.retain(|_, cells| cells.iter().all(|texts| !texts.is_empty()));
            if combinations.is_empty() {
                continue;
            }
            for cells in combinations.values() {
                blocks.n_texts += cells.iter().map(Vec::len).sum::<usize>();
                let first = &cells[0];
                blocks.sameness = cells[1..].iter().map(|texts| sameness(first, texts)).fold(blocks.sameness, Ord::min);
            }
            let texts =
                |cell: usize| -> Vec<Text> { combinations.values().flat_map(|cells| &cells[cell]).copied().collect() };
            let cells: Vec<Vec<Text>> = (0..n_cells).map(texts).collect();
            blocks.prompts.push(PromptCells {
                means: cells.iter().filter_map(|texts| value(texts)).map(rounded).collect(),
                kinds: cells.iter().map(|texts| kinds(texts)).collect(),
            });
            blocks.ids.push(id.to_owned());
        }
        (n_levels, blocks)
    }

    /// What both selections have of a prompt, paired by seed and by the levels of
    /// the factors that neither of them names. A chain without a draw has one text, which pairs
    /// with each seed of the other side.
    pub fn pairs(&self, base: &Selection, other: &Selection) -> Blocks<PromptPairs> {
        let rest = Rest::of(base.factors().chain(other.factors()));
        type Side<'a> = BTreeMap<Option<Seed>, Vec<Text<'a>>>;
        let mut groups: BTreeMap<(&str, Vec<&Level>), [Side; 2]> = BTreeMap::new();
        for text in &self.texts {
            for (side, selection) in [base, other].into_iter().enumerate() {
                if selection.takes(text.trial.point()) {
                    let group = groups.entry((&text.trial.prompt, rest.levels(text.trial))).or_default();
                    group[side].entry(text.trial.seed).or_default().push(*text);
                }
            }
        }
        let mut prompts: BTreeMap<&str, PromptPairs> = BTreeMap::new();
        let (mut n_texts, mut all_alike) = (0, Sameness::Trials);
        for ((prompt, _), [base, other]) in &groups {
            let seeds: BTreeSet<Option<Seed>> = base.keys().chain(other.keys()).copied().collect();
            let at = |side: &Side<'a>, seed| side.get(&seed).or_else(|| side.get(&None)).cloned();
            // A text without a seed stands for all seeds of the other side, if that has any.
            let only_unseeded = seeds.len() == 1;
            let pairs: Vec<_> = seeds
                .into_iter()
                .filter(|seed| seed.is_some() || only_unseeded)
                .filter_map(|seed| Some((at(base, seed)?, at(other, seed)?)))
                .collect();
            if pairs.is_empty() {
                continue;
            }
            n_texts += base.values().chain(other.values()).map(Vec::len).sum::<usize>();
            let of_prompt = prompts.entry(prompt).or_default();
            for (base, other) in pairs {
                all_alike = all_alike.min(sameness(&base, &other));
                of_prompt.base = of_prompt.base.and(kinds(&base));
                of_prompt.other = of_prompt.other.and(kinds(&other));
                if let (Some(base), Some(other)) = (value(&base), value(&other)) {
                    of_prompt.pairs.push(Pair { base, other });
                }
            }
        }
        let ids = prompts.keys().map(|&id| id.to_owned()).collect();
        let prompts = prompts.into_values().collect();
        Blocks { prompts, ids, n_texts, sameness: all_alike, left_out: BTreeSet::new() }
    }

    /// The same of whether texts loop, 1 or 0.
    pub fn of_loops(&self) -> Self {
        let of_text = |text: &Text<'a>| Text { value: f64::from(u8::from(text.ends == Ends::InALoop)), ..*text };
        Self { texts: self.texts.iter().map(of_text).collect(), planned: self.planned.clone() }
    }

    /// The texts that do not loop.
    pub fn without_loops(&self) -> Self {
        let texts = self.texts.iter().filter(|text| text.ends != Ends::InALoop).copied().collect();
        Self { texts, planned: self.planned.clone() }
    }
}

/// Infinite where one of them is, as where nothing bounds a score.
fn value(texts: &[Text<'_>]) -> Option<f64> {
    let infinite = texts.iter().map(|text| text.value).find(|value| value.is_infinite());
    infinite.or_else(|| mean(&texts.iter().map(|text| text.value).collect::<Vec<_>>()))
}

fn kinds(texts: &[Text<'_>]) -> Kinds {
    let is_free = |text: &Text| text.ends == Ends::Free;
    Kinds { loops: !texts.iter().all(is_free), free: texts.iter().any(is_free) }
}

/// Of texts of the same prompt and seeds.
fn sameness(these: &[Text<'_>], those: &[Text<'_>]) -> Sameness {
    let pair = |(this, that): (&Text, &Text)| match (this.generation, that.generation) {
        _ if this.trial.id == that.trial.id => Sameness::Trials,
        (Some(a), Some(b)) if likeness(a, b) == Likeness::Identical => Sameness::Texts,
        _ => Sameness::None,
    };
    if these.len() != those.len() {
        return Sameness::None;
    }
    these.iter().zip(those).map(pair).min().unwrap_or(Sameness::None)
}

/// The factors that are no part of a comparison.
struct Rest(Vec<Factor>);

impl Rest {
    fn of(compared: impl Iterator<Item = Factor>) -> Self {
        let compared: BTreeSet<Factor> = compared.collect();
        Self(Factor::ALL.into_iter().filter(|factor| !compared.contains(factor)).collect())
    }

    fn levels<'a>(&self, trial: &'a Trial) -> Vec<&'a Level> {
        self.0.iter().map(|&factor| trial.cell.level(factor)).collect()
    }

    /// Such as "tiny · llama.cpp".
    fn name(&self, levels: &[&Level]) -> String {
        let named = |factor: &Factor| factor.usual().is_none();
        let levels = self.0.iter().zip(levels).filter(|(factor, _)| named(factor));
        levels.map(|(_, level)| level.to_string()).collect::<Vec<_>>().join(" · ")
    }
}
