//! Summaries of cells: each metric's mean over the cell's trials, with an
//! interval that takes the prompts as clusters.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::mean::interval_of_mean;
use super::{CellSummary, Estimate, ScoredTrial, TrialResult};
use crate::metrics::{Metric, Scores};
use crate::plan::Cell;
use crate::stats::{self, Dispersion};

/// The nominal coverage of every interval.
const LEVEL: f64 = 0.95;

/// Cells in the order of their first trials, metrics in the order of
/// [`Metric::ALL`].
pub(super) fn summarise(trials: &[ScoredTrial]) -> Vec<CellSummary> {
    let groups = group(trials);
    let columns: Vec<_> = groups.iter().flat_map(|group| Metric::ALL.map(|metric| (group, metric))).collect();
    columns.into_par_iter().map(|(group, metric)| group.summary(metric)).collect()
}

/// The scores of one cell's trials.
struct Group<'a> {
    cell: &'a Cell,
    /// By prompt, in the order of their first trials.
    prompts: Vec<Vec<&'a Scores>>,
}

fn group(trials: &[ScoredTrial]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut group_of = BTreeMap::new();
    let mut prompt_of = BTreeMap::new();
    for ScoredTrial { trial, result, .. } in trials {
        // A cell all of whose trials failed is still a cell of the plan.
        let group = *group_of.entry(&trial.cell).or_insert_with(|| {
            groups.push(Group { cell: &trial.cell, prompts: Vec::new() });
            groups.len() - 1
        });
        let TrialResult::Scored { scores, .. } = result else { continue };
        let prompts = &mut groups[group].prompts;
        let prompt = *prompt_of.entry((group, &trial.prompt)).or_insert_with(|| {
            prompts.push(Vec::new());
            prompts.len() - 1
        });
        prompts[prompt].push(scores);
    }
    groups
}

impl Group<'_> {
    fn summary(&self, metric: Metric) -> CellSummary {
        let of_prompt = |scores: &Vec<&Scores>| scores.iter().filter_map(|scores| scores.get(metric)).collect();
        let clusters: Vec<Vec<f64>> = self.prompts.iter().map(of_prompt).collect();
        let values = clusters.concat();
        CellSummary {
            cell: self.cell.clone(),
            metric,
            n: values.len(),
            spread: Dispersion::of(&clusters),
            estimate: self.estimate(metric, &values),
        }
    }

    /// `values` are those of all clusters; `None` where there are none.
    fn estimate(&self, metric: Metric, values: &[f64]) -> Option<Estimate> {
        Some(Estimate {
            mean: stats::mean(values)?,
            median: stats::median(values)?,
            interval: interval_of_mean(metric, &self.prompts, LEVEL),
        })
    }
}
