//! What a gate decides about: arms, or cells, each with its prompts' differences.

use std::collections::BTreeMap;

use super::Baseline;
use super::gate::{LoopsMore, Unit};
use crate::analysis::{Analysis, Blindness, ScoredTrial};
use crate::metrics::{Metric, TextPart, Worse};
use crate::plan::Cell;

/// How fine a gate looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A model under a chain, its temperatures averaged: a change everywhere is
    /// seen soonest.
    Arm,
    /// Every temperature by itself: a change at one is seen.
    Cell,
}

/// The units of a baseline, in its order, with how much worse the run is for each
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
    let mut units: Vec<(String, BTreeMap<&str, Vec<f64>>)> = Vec::new();
    for theirs in &baseline.cells {
        let ours = run.cells.iter().find(|ours| ours.cell == theirs.cell)?;
        let theirs_by_prompt = theirs.scores.get(metric.name())?;
        let none = BTreeMap::new();
        let ours_by_prompt = ours.scores.get(metric.name()).unwrap_or(&none);
        let name = name(&theirs.cell, by);
        let place = units.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            units.push((name, BTreeMap::new()));
            units.len() - 1
        });
        for (prompt, (before, _)) in theirs_by_prompt {
            let Some((after, _)) = ours_by_prompt.get(prompt) else { continue };
            units[place].1.entry(prompt).or_default().push(sign * (after - before));
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
    let unit = |(name, prompts): (String, BTreeMap<&str, Vec<f64>>)| Unit {
        blind: blind(&name),
        loops_more: loops_more(&name),
        name,
        differences: prompts.values().filter_map(|differences| crate::stats::mean(differences)).collect(),
    };
    Some(units.into_iter().map(unit).collect())
}

fn name(cell: &Cell, by: By) -> String {
    match by {
        By::Arm => cell.arm(),
        By::Cell => cell.to_string(),
    }
}
