//! Whether two arms choose the same experts for the same tokens.

use super::estimate::Estimate;
use super::routing::{RoutedText, grouped};
use crate::engine::trace::{Routed, RoutingShape};
use crate::experiment::Arm;

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
    let overlaps: Vec<Vec<f64>> = base
        .iter()
        .zip(other)
        .map(|(base, other)| {
            let positions = base.positions.iter().zip(&other.positions);
            positions.flat_map(|(a, b)| layers.iter().map(move |&layer| overlap(&a[layer], &b[layer]))).collect()
        })
        .collect();
    let exact = overlaps.iter().map(|text| text.iter().map(|&overlap| f64::from(u8::from(overlap == 1.0))).collect());
    let exact = grouped(base, exact);
    let n_positions = overlaps.iter().map(Vec::len).sum();
    let overlaps = grouped(base, overlaps.into_iter());
    let n_prompts = overlaps.len();
    Some(LayerAgreement {
        layer,
        overlap: Estimate::of_mean(&overlaps)?,
        exact: Estimate::of_mean(&exact)?,
        n_positions,
        n_prompts,
    })
}

/// The size of the intersection over the number selected; order is ignored.
fn overlap(base: &Routed, other: &Routed) -> f64 {
    let shared = base.experts.iter().filter(|expert| other.experts.contains(expert)).count();
    shared as f64 / base.experts.len().max(1) as f64
}
