//! Finds the levels of each factor that an analysis holds, in the order to show them.

use crate::analysis::Analysis;
use crate::domain::{Cell, Factor, Level, Temperature};

/// Facets and chains as the plan first names them; temperatures ascending. Of facets that are the same computation the
/// first stands for all.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Levels<'a> {
    pub facets: Vec<Facet<'a>>,
    pub chains: Vec<&'a str>,
    pub temperatures: Vec<Temperature>,
}

/// A cell, its chain and temperature aside: what one panel holds fixed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facet<'a>(&'a Cell);

/// A cell, its temperature aside: one curve of a plot, one row of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Arm<'a> {
    pub facet: Facet<'a>,
    pub chain: &'a str,
}

impl<'a> Levels<'a> {
    pub fn of(analysis: &'a Analysis) -> Self {
        let mut levels = Self::default();
        for cell in cells(analysis) {
            push_new(&mut levels.facets, Facet::of(cell), |a, b| a.computes_as(*b, &analysis.inert));
            push_new(&mut levels.chains, cell.chain(), PartialEq::eq);
            push_new(&mut levels.temperatures, cell.temperature(), PartialEq::eq);
        }
        levels.temperatures.sort();
        levels
    }

    /// The models of the facets.
    pub fn models(&self) -> Vec<&'a str> {
        let mut models = Vec::new();
        self.facets.iter().for_each(|facet| push_new(&mut models, facet.model(), PartialEq::eq));
        models
    }
}

impl<'a> Facet<'a> {
    /// The factors that a facet leaves open.
    const OPEN: [Factor; 2] = [Factor::Chain, Factor::Temperature];

    pub fn of(cell: &'a Cell) -> Self {
        Self(cell)
    }

    pub fn model(self) -> &'a str {
        self.0.model()
    }

    /// Whether the two differ in nothing but `inert` factors.
    fn computes_as(self, other: Self, inert: &[Factor]) -> bool {
        self.0.differs_at_most_in(&[&Self::OPEN, inert].concat(), other.0)
    }

    /// Names of the factors other than the model that vary among `all`.
    pub fn details(self, all: &[Facet<'_>]) -> Vec<String> {
        let varies = |level: &&Level| all.iter().any(|facet| facet.0.level(level.factor()) != *level);
        let levels = self.0.levels().filter(|level| level.factor() != Factor::Model);
        let held = levels.filter(|level| !Self::OPEN.contains(&level.factor()));
        held.filter(varies).map(Level::in_title).collect()
    }

    /// The model, and what else varies among `all`.
    pub fn title(self, all: &[Facet<'_>]) -> String {
        let mut parts = vec![self.model().to_owned()];
        parts.extend(self.details(all));
        parts.join(" · ")
    }
}

impl PartialEq for Facet<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.differs_at_most_in(&Self::OPEN, other.0)
    }
}

impl<'a> Arm<'a> {
    pub fn of(cell: &'a Cell) -> Self {
        Self { facet: Facet::of(cell), chain: cell.chain() }
    }

    /// The model and the chain, and of the other factors those that vary among `all` or are not the usual ones.
    pub fn title(&self, all: &[Self]) -> String {
        let Self { facet: Facet(cell), chain } = self;
        let mut title = format!("{} · {chain}", cell.model());
        let named = [Factor::Model, Factor::Chain, Factor::Temperature];
        let varies = |level: &Level| all.iter().any(|arm| arm.facet.0.level(level.factor()) != level);
        let is_shown = |level: &&Level| !named.contains(&level.factor()) && (!level.is_usual() || varies(level));
        for level in cell.levels().filter(is_shown) {
            title += &format!(" · {}", level.in_title());
        }
        title
    }

    /// Every arm that occurs, in plan order; of those that are the same computation the first stands for all.
    pub fn all(analysis: &'a Analysis) -> Vec<Self> {
        let is_same = |a: &Self, b: &Self| a.chain == b.chain && a.facet.computes_as(b.facet, &analysis.inert);
        let mut arms = Vec::new();
        for cell in cells(analysis) {
            push_new(&mut arms, Self::of(cell), is_same);
        }
        arms
    }
}

/// Trials first: a cell without a summary still has its place.
fn cells(analysis: &Analysis) -> impl Iterator<Item = &Cell> {
    let of_trials = analysis.trials.iter().map(|scored| &scored.trial.cell);
    of_trials.chain(analysis.cells.iter().map(|summary| &summary.cell))
}

fn push_new<T>(list: &mut Vec<T>, item: T, is_same: impl Fn(&T, &T) -> bool) {
    if !list.iter().any(|known| is_same(known, &item)) {
        list.push(item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Offload, Quant, Template};
    use crate::report::sample::Shape;

    #[test]
    fn a_raw_prompt_is_named_where_a_chat_stands_beside_it() {
        let cell = Cell::usual("smol", "greedy", Temperature::new(0.1).unwrap());
        let chat = cell.clone().with(Template::Chat);
        let (raw, chat) = (Arm::of(&cell), Arm::of(&chat));
        assert_eq!(raw.title(&[raw]), "smol · greedy");
        assert_eq!(raw.title(&[raw, chat]), "smol · greedy · raw prompt");
        assert_eq!(chat.title(&[chat]), "smol · greedy · llama.cpp's built-in chat form");
    }

    #[test]
    fn what_is_the_same_computation_is_shown_once() {
        let shape = Shape {
            models: &["a", "b"],
            chains: &["pure", "greedy"],
            quants: &[Quant::Source],
            offloads: &[Offload::None, Offload::All],
            temperatures: &[0.1, 0.9],
            prompts: 2,
            seeds: 2,
        };
        let mut analysis = shape.analysis();
        let shown = |analysis: &Analysis| {
            let levels = Levels::of(analysis);
            let titles: Vec<_> = levels.facets.iter().map(|facet| facet.title(&levels.facets)).collect();
            (titles, Arm::all(analysis).len())
        };
        assert_eq!(shown(&analysis).1, 8);
        analysis.inert = vec![Factor::Offload];
        assert_eq!(shown(&analysis), (vec!["a".to_owned(), "b".to_owned()], 4));
    }
}
