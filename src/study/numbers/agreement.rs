//! Says whether two arms choose the same experts for the same tokens.

use super::estimate::Estimate;
use super::routing::RoutedText;
use crate::engine::trace::{Routed, RoutingShape};
use crate::experiment::Arm;
use crate::stats::Hits;

/// Another arm's choices, held against the base's.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    pub other: Arm,
    pub outcome: AgreementOutcome,
    /// What must be known to read it rightly.
    pub note: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum AgreementOutcome {
    /// The same computation as the base, and why: nothing can be concluded.
    SamePlacement { why: String },
    /// The layers, then all of them together.
    Compared(Vec<LayerAgreement>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerAgreement {
    /// None for all layers together.
    pub layer: Option<u32>,
    /// The mean share of the selected experts that both arms select.
    pub overlap: Estimate,
    /// The share of positions at which both select the same set.
    pub exact: Estimate,
    /// Positions; for all layers together, those of each layer.
    pub n_positions: usize,
    pub n_prompts: usize,
}

/// Compares the same texts through two arms; None where they are not the same.
pub fn agreement(base: &[RoutedText], other: &[RoutedText], shape: &RoutingShape) -> Option<Vec<LayerAgreement>> {
    let alike = base.len() == other.len()
        && base.iter().zip(other).all(|(a, b)| a.prompt == b.prompt && a.positions.len() == b.positions.len());
    if !alike {
        return None;
    }
    let layers = 0..shape.layers.len();
    let one = |index: usize| agree(base, other, &[index], Some(shape.layers[index]));
    let all: Vec<usize> = layers.clone().collect();
    layers.map(one).chain([agree(base, other, &all, None)]).collect()
}

fn agree(base: &[RoutedText], other: &[RoutedText], layers: &[usize], layer: Option<u32>) -> Option<LayerAgreement> {
    let mut prompts: Vec<(&str, Counts)> = Vec::new();
    for (base, other) in base.iter().zip(other) {
        let counts = counts(base, other, layers);
        match prompts.iter_mut().find(|(prompt, _)| *prompt == base.prompt) {
            Some((_, all)) => *all = all.and(counts),
            None => prompts.push((&base.prompt, counts)),
        }
    }
    let of = |hits: fn(&Counts) -> Hits| Estimate::of_share(&prompts.iter().map(|(_, c)| hits(c)).collect::<Vec<_>>());
    Some(LayerAgreement {
        layer,
        overlap: of(|counts| Hits { hits: counts.shared, n: counts.selected })?,
        exact: of(|counts| Hits { hits: counts.same_sets, n: counts.positions })?,
        n_positions: prompts.iter().map(|(_, counts)| counts.positions as usize).sum(),
        n_prompts: prompts.len(),
    })
}

/// What two arms have in common; order is ignored.
#[derive(Clone, Copy, Default)]
struct Counts {
    positions: u32,
    /// Positions at which the sets are the same.
    same_sets: u32,
    /// Experts that the base selected.
    selected: u32,
    /// Those of them that the other selected too.
    shared: u32,
}

impl Counts {
    fn of(base: &Routed, other: &Routed) -> Self {
        let selected = base.experts.len() as u32;
        let shared = base.experts.iter().filter(|expert| other.experts.contains(expert)).count() as u32;
        Self { positions: 1, same_sets: u32::from(shared == selected), selected, shared }
    }

    fn and(self, more: Self) -> Self {
        Self {
            positions: self.positions + more.positions,
            same_sets: self.same_sets + more.same_sets,
            selected: self.selected + more.selected,
            shared: self.shared + more.shared,
        }
    }
}

fn counts(base: &RoutedText, other: &RoutedText, layers: &[usize]) -> Counts {
    let positions = base.positions.iter().zip(&other.positions);
    let each = positions.flat_map(|(a, b)| layers.iter().map(move |&layer| Counts::of(&a[layer], &b[layer])));
    each.fold(Counts::default(), Counts::and)
}
