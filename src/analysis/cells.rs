//! Summarises cells: each metric's mean over the cell's trials, with an interval that takes the prompts as clusters,
//! and their groups as strata.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::mean::interval_of_mean;
use super::{CellSummary, Estimate, Groups, ScoredTrial, TrialResult};
use crate::domain::Cell;
use crate::metrics::{Metric, Scores};
use crate::stats::{self, Dispersion, Strata};

/// The nominal coverage of every interval.
const LEVEL: f64 = 0.95;

/// Cells in the order of their first trials, metrics in the order of
/// [`Metric::ALL`].
pub(super) fn summarise(trials: &[ScoredTrial], groups: &Groups) -> Vec<CellSummary> {
    let cells = by_cell(trials);
    let cells = cells.iter().map(|cell| (cell, groups.strata(cell.ids.iter().copied())));
    let columns: Vec<_> =
        cells.flat_map(|(cell, strata)| Metric::ALL.map(|metric| (cell, strata.clone(), metric))).collect();
    columns.into_par_iter().map(|(cell, strata, metric)| cell.summary(metric, &strata)).collect()
}

/// The scores of one cell's trials.
struct OfCell<'a> {
    cell: &'a Cell,
    /// By prompt, in the order of their first trials.
    prompts: Vec<Vec<&'a Scores>>,
    /// Of the prompts.
    ids: Vec<&'a str>,
}

fn by_cell(trials: &[ScoredTrial]) -> Vec<OfCell<'_>> {
    let mut cells: Vec<OfCell> = Vec::new();
    let mut cell_of = BTreeMap::new();
    let mut prompt_of = BTreeMap::new();
    for ScoredTrial { trial, result, .. } in trials {
        // A cell all of whose trials failed is still a cell of the plan.
        let cell = *cell_of.entry(&trial.cell).or_insert_with(|| {
            cells.push(OfCell { cell: &trial.cell, prompts: Vec::new(), ids: Vec::new() });
            cells.len() - 1
        });
        let TrialResult::Scored { scores, .. } = result else { continue };
        let OfCell { prompts, ids, .. } = &mut cells[cell];
        let prompt = *prompt_of.entry((cell, &trial.prompt)).or_insert_with(|| {
            prompts.push(Vec::new());
            ids.push(&trial.prompt);
            prompts.len() - 1
        });
        prompts[prompt].push(scores);
    }
    cells
}

impl OfCell<'_> {
    fn summary(&self, metric: Metric, strata: &Strata) -> CellSummary {
        let of_prompt = |scores: &Vec<&Scores>| scores.iter().filter_map(|scores| scores.get(metric)).collect();
        let clusters: Vec<Vec<f64>> = self.prompts.iter().map(of_prompt).collect();
        let values = clusters.concat();
        CellSummary {
            cell: self.cell.clone(),
            metric,
            n: values.len(),
            spread: Dispersion::within(&clusters, strata),
            estimate: self.estimate(metric, &values, strata),
        }
    }

    /// `values` are those of all clusters; `None` where there are none.
    fn estimate(&self, metric: Metric, values: &[f64], strata: &Strata) -> Option<Estimate> {
        Some(Estimate {
            mean: stats::mean(values)?,
            median: stats::median(values)?,
            interval: interval_of_mean(metric, &self.prompts, strata, LEVEL),
        })
    }
}
