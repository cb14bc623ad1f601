//! Makes the units that a gate decides about: arms, or cells, each with its prompts' differences.

use std::collections::BTreeMap;

use super::Baseline;
use super::baseline::BaselineCell;
use super::gate::{By, LoopsMore, Means, Texts, Unit, Verdict};
use crate::analysis::{Analysis, Blindness, ScoredTrial, TrialResult};
use crate::domain::Cell;
use crate::metrics::{Metric, TextPart, Worse};
use crate::stats::{Kinds, PromptDifference, mean, rounded};

/// Makes the units of a baseline, in its order, with how much worse the run is for each
/// prompt: positive is worse. Both must have the same cells and prompts.
///
/// Prompts of which a text lacks the metric on either side are left out: `analysis`, the run's,
/// says how many texts the metric can't see into.
///
/// `None` for a metric that the baseline does not keep, or of which neither more
/// nor less is worse.
pub fn units(baseline: &Baseline, run: &Baseline, analysis: &Analysis, metric: Metric, by: By) -> Option<Vec<Unit>> {
    let sign = match metric.worse()? {
        Worse::Higher => 1.0,
        Worse::Lower => -1.0,
    };
    let mut units: Vec<(String, BTreeMap<&str, OfPrompt>, Texts)> = Vec::new();
    for theirs in &baseline.cells {
        let ours = run.cells.iter().find(|ours| ours.cell == theirs.cell)?;
        let theirs_by_prompt = theirs.scores.get(metric.name())?;
        let none = BTreeMap::new();
        let ours_by_prompt = ours.scores.get(metric.name()).unwrap_or(&none);
        let name = name(&theirs.cell, by);
        let place = units.iter().position(|(known, ..)| *known == name).unwrap_or_else(|| {
            units.push((name, BTreeMap::new(), Texts::Same));
            units.len() - 1
        });
        let (_, prompts, texts) = &mut units[place];
        *texts = texts.and(self::texts(theirs, ours));
        for (prompt, (before, _)) in theirs_by_prompt {
            let Some((after, _)) = ours_by_prompt.get(prompt) else { continue };
            let of_prompt = prompts.entry(prompt).or_default();
            of_prompt.differences.push(sign * (after - before));
            of_prompt.means.push((*before, *after));
            of_prompt.before = of_prompt.before.and(kinds(theirs, metric, prompt));
            of_prompt.after = of_prompt.after.and(kinds(ours, metric, prompt));
        }
    }
    let blind = |name: &str| {
        let of_unit = |scored: &&ScoredTrial| self::name(&scored.trial.cell, by) == name;
        Blindness::of(metric, TextPart::Whole, analysis.trials.iter().filter(of_unit)).if_forbids()
    };
    let share_of_loops = |of: &Baseline, name: &str| {
        let cells = of.cells.iter().filter(|cell| self::name(&cell.cell, by) == name);
        let loops = cells.flat_map(|cell| cell.scores.get(Metric::Loop.name())).flat_map(BTreeMap::values);
        let (looping, all) =
            loops.fold((0.0, 0.0), |(looping, all), &(mean, n)| (looping + mean * f64::from(n), all + f64::from(n)));
        (all > 0.0).then(|| looping / all)
    };
    let loops_more = |name: &str| LoopsMore::of(share_of_loops(run, name)?, share_of_loops(baseline, name));
    let unit = |(name, prompts, texts): (String, BTreeMap<&str, OfPrompt>, Texts)| Unit {
        blind: blind(&name),
        loops_more: loops_more(&name),
        means: means(prompts.values()),
        name,
        by,
        prompts: prompts.values().filter_map(OfPrompt::difference).collect(),
        texts,
    };
    Some(units.into_iter().map(unit).collect())
}

/// Over all prompts' cells.
fn means<'a>(prompts: impl Iterator<Item = &'a OfPrompt>) -> Option<Means> {
    let (before, now): (Vec<f64>, Vec<f64>) = prompts.flat_map(|prompt| &prompt.means).copied().unzip();
    Some(Means { before: mean(&before)?, now: mean(&now)? })
}

/// The text of a unit that repeats itself most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorstText {
    pub prompt: String,
    pub text: String,
}

/// Finds it by the gate's metric, of texts with the same score that of the first trial.
pub fn worst_text<'a>(analysis: &'a Analysis, unit: &Verdict, metric: Metric) -> Option<WorstText> {
    let sign = if metric.worse()? == Worse::Higher { 1.0 } else { -1.0 };
    let of_unit = |scored: &&ScoredTrial| name(&scored.trial.cell, unit.by) == unit.unit;
    let text = |scored: &'a ScoredTrial| {
        let TrialResult::Scored { generation, scores } = &scored.result else { return None };
        Some((sign * scores.get(metric)?, &scored.trial.prompt, &generation.text))
    };
    let texts = analysis.trials.iter().filter(of_unit).filter_map(text);
    let (_, prompt, text) = texts.rev().max_by(|(a, ..), (b, ..)| a.total_cmp(b))?;
    Some(WorstText { prompt: prompt.clone(), text: text.clone() })
}

#[derive(Default)]
struct OfPrompt {
    differences: Vec<f64>,
    /// Of the baseline and of the run, a cell each.
    means: Vec<(f64, f64)>,
    before: Kinds,
    after: Kinds,
}

impl OfPrompt {
    fn difference(&self) -> Option<PromptDifference> {
        let value = mean(&self.differences).map(rounded)?;
        Some(PromptDifference { value, base: self.before, other: self.after })
    }
}

/// A prompt's mean of loops tells which kinds of text a cell has of it. A baseline that does not keep
/// loops tells by the metric.
fn kinds(cell: &BaselineCell, metric: Metric, prompt: &str) -> Kinds {
    let mean_of =
        |metric: Metric| cell.scores.get(metric.name()).and_then(|scores| scores.get(prompt)).map(|(mean, _)| *mean);
    let (loops, score) = (mean_of(Metric::Loop), mean_of(metric));
    Kinds {
        loops: loops.is_some_and(|mean| mean > 0.0) || score.is_some_and(|mean| metric.is_loop(mean)),
        free: loops.or(score).is_some_and(|mean| mean < 1.0),
    }
}

fn texts(theirs: &BaselineCell, ours: &BaselineCell) -> Texts {
    if theirs.texts.is_empty() {
        Texts::Untold
    } else if theirs.texts == ours.texts {
        Texts::Same
    } else {
        Texts::Other
    }
}

impl Texts {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Other, _) | (_, Self::Other) => Self::Other,
            (Self::Untold, _) | (_, Self::Untold) => Self::Untold,
            (Self::Same, Self::Same) => Self::Same,
        }
    }
}

fn name(cell: &Cell, by: By) -> String {
    match by {
        By::Arm => cell.arm(),
        By::Cell => cell.to_string(),
    }
}
