//! The levels of each factor that an analysis holds, in the order to show them.

use crate::analysis::Analysis;
use crate::experiment::{Offload, Temperature};
use crate::plan::Cell;

/// Models, chains and offloads as the plan first names them; temperatures
/// ascending.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Levels<'a> {
    pub models: Vec<&'a str>,
    pub chains: Vec<&'a str>,
    pub offloads: Vec<Offload>,
    pub temperatures: Vec<Temperature>,
}

/// A cell, its temperature aside: one curve of a plot, one row of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arm<'a> {
    pub model: &'a str,
    pub chain: &'a str,
    pub offload: Offload,
}

impl<'a> Levels<'a> {
    pub fn of(analysis: &'a Analysis) -> Self {
        let mut levels = Self::default();
        for cell in cells(analysis) {
            push_new(&mut levels.models, cell.model.as_str());
            push_new(&mut levels.chains, cell.chain.as_str());
            push_new(&mut levels.offloads, cell.offload);
            push_new(&mut levels.temperatures, cell.temperature);
        }
        levels.temperatures.sort();
        levels
    }
}

impl<'a> Arm<'a> {
    pub fn of(cell: &'a Cell) -> Self {
        Self { model: &cell.model, chain: &cell.chain, offload: cell.offload }
    }

    /// Every arm that occurs, in plan order.
    pub fn all(analysis: &'a Analysis) -> Vec<Self> {
        let mut arms = Vec::new();
        for cell in cells(analysis) {
            push_new(&mut arms, Self::of(cell));
        }
        arms
    }
}

/// Whose experts are in host memory.
pub(super) fn offload_in_words(offload: Offload) -> String {
    match offload {
        Offload::None => "none".to_owned(),
        Offload::Layers(1) => "first layer".to_owned(),
        Offload::Layers(n) => format!("first {n} layers"),
        Offload::All => "all".to_owned(),
    }
}

/// Trials first: a cell without a summary still has its place.
fn cells(analysis: &Analysis) -> impl Iterator<Item = &Cell> {
    let of_trials = analysis.trials.iter().map(|scored| &scored.trial.cell);
    of_trials.chain(analysis.cells.iter().map(|summary| &summary.cell))
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}
