//! The levels of each factor that an analysis holds, in the order to show them.

use crate::analysis::Analysis;
use crate::experiment::{Offload, OpOffload, Quant, Temperature, Template};
use crate::plan::Cell;

/// Facets and chains as the plan first names them; temperatures ascending.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Levels<'a> {
    pub facets: Vec<Facet<'a>>,
    pub chains: Vec<&'a str>,
    pub temperatures: Vec<Temperature>,
}

/// A cell, its chain and temperature aside: what one panel holds fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facet<'a> {
    pub model: &'a str,
    pub quant: Quant,
    pub offload: Offload,
    pub template: Template,
    pub op_offload: OpOffload,
}

/// A cell, its temperature aside: one curve of a plot, one row of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arm<'a> {
    pub facet: Facet<'a>,
    pub chain: &'a str,
}

impl<'a> Levels<'a> {
    pub fn of(analysis: &'a Analysis) -> Self {
        let mut levels = Self::default();
        for cell in cells(analysis) {
            push_new(&mut levels.facets, Facet::of(cell));
            push_new(&mut levels.chains, cell.chain.as_str());
            push_new(&mut levels.temperatures, cell.temperature);
        }
        levels.temperatures.sort();
        levels
    }

    /// The models of the facets.
    pub fn models(&self) -> Vec<&'a str> {
        let mut models = Vec::new();
        self.facets.iter().for_each(|facet| push_new(&mut models, facet.model));
        models
    }
}

impl<'a> Facet<'a> {
    pub fn of(cell: &'a Cell) -> Self {
        let Cell { model, quant, offload, template, op_offload, .. } = cell;
        Self { model, quant: *quant, offload: *offload, template: *template, op_offload: *op_offload }
    }

    /// Names of the factors other than the model that vary among `all`.
    pub fn details(&self, all: &[Facet<'_>]) -> Vec<String> {
        let varies = |differ: fn(&Facet<'_>, &Facet<'_>) -> bool| all.iter().any(|facet| differ(facet, &all[0]));
        let mut details = Vec::new();
        if varies(|a, b| a.quant != b.quant) {
            details.push(format!("weights {}", self.quant));
        }
        if varies(|a, b| a.offload != b.offload) {
            details.push(format!("experts offloaded: {}", offload_in_words(self.offload)));
        }
        if varies(|a, b| a.template != b.template) {
            details.push(format!("{} prompt", self.template));
        }
        if varies(|a, b| a.op_offload != b.op_offload) {
            details.push(format!("op_offload {}", self.op_offload));
        }
        details
    }

    /// The model, and what else varies among `all`.
    pub fn title(&self, all: &[Facet<'_>]) -> String {
        let mut parts = vec![self.model.to_owned()];
        parts.extend(self.details(all));
        parts.join(" · ")
    }
}

impl<'a> Arm<'a> {
    pub fn of(cell: &'a Cell) -> Self {
        Self { facet: Facet::of(cell), chain: &cell.chain }
    }

    /// The offload always, the other factors where they are not the usual ones.
    pub fn title(&self) -> String {
        let Facet { model, quant, offload, template, op_offload } = self.facet;
        let mut title = format!("{model} · {} · offload {offload}", self.chain);
        if quant != Quant::Source {
            title += &format!(" · weights {quant}");
        }
        if template != Template::Raw {
            title += &format!(" · {template} prompt");
        }
        if !op_offload.is_default() {
            title += &format!(" · op_offload {op_offload}");
        }
        title
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
fn offload_in_words(offload: Offload) -> String {
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
