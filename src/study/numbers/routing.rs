//! Computes which experts a model's routers choose: how the load is spread, and what a loop does to it.
//!
//! A position is in the loop when the token that it evaluates is: position p evaluates the generated token p − 1,
//! position 0 the prompt's last one.

use super::estimate::Estimate;
use crate::domain::Token;
use crate::engine::trace::{Routed, RoutingShape};
use crate::metrics::{CopiesRule, ends_in_copies, tail_cycle};

/// A text and what every layer did at each of its positions.
#[derive(Clone, Debug, PartialEq)]
pub struct RoutedText {
    /// The prompt's id.
    pub prompt: String,
    /// The first generated token of the loop in which it ends, if it does.
    pub onset: Option<usize>,
    /// For each position its layers.
    pub positions: Vec<Vec<Routed>>,
}

/// A part of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// All positions of all texts.
    All,
    /// Before the loop, in texts that have both.
    Before,
    /// In the loop, in the same texts.
    Loop,
}

/// The routers' work in one phase.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseLoad {
    pub phase: Phase,
    pub n_texts: usize,
    pub layers: Vec<LayerLoad>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LayerLoad {
    pub layer: u32,
    pub n_positions: usize,
    /// How often each expert was selected.
    pub selections: Vec<u64>,
    /// The mean over positions of the entropy of the router's probabilities,
    /// in nats.
    pub router_entropy: Estimate,
}

/// What the loop changed in a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoopShift {
    pub layer: u32,
    /// The total variation distance between the loads before and in the loop:
    /// half the sum of the absolute differences of the shares, 0 to 1.
    pub load_distance: f64,
    /// The mean over texts of the router's entropy in the loop less before it,
    /// in nats.
    pub entropy_change: Estimate,
    pub n_texts: usize,
}

/// Finds the first token of the loop in which a text ends: by the rule of P(loop)
/// (the tail's exact copies) whether it loops, by the tail's cycle from where.
pub fn loop_onset(tokens: &[Token]) -> Option<usize> {
    let loops = ends_in_copies(tokens, CopiesRule::OURS) == Some(true);
    tail_cycle(tokens).filter(|_| loops).map(|cycle| cycle.onset)
}

/// Computes the loads of all phases that have positions.
pub fn phase_loads(texts: &[RoutedText], shape: &RoutingShape) -> Vec<PhaseLoad> {
    let load = |phase| {
        let parts: Vec<_> = texts.iter().map(|text| text.part(phase)).collect();
        let layers = shape.layers.iter().enumerate();
        let n_texts = parts.iter().filter(|part| !part.is_empty()).count();
        let layers = layers.map(|(index, &layer)| layer_load(texts, &parts, index, layer, shape.n_expert));
        Some(PhaseLoad { phase, n_texts, layers: layers.collect::<Option<_>>()? })
    };
    [Phase::All, Phase::Before, Phase::Loop].into_iter().filter_map(load).collect()
}

fn layer_load(
    texts: &[RoutedText],
    parts: &[&[Vec<Routed>]],
    index: usize,
    layer: u32,
    n_expert: u32,
) -> Option<LayerLoad> {
    let mut selections = vec![0_u64; n_expert as usize];
    let routed = || parts.iter().flat_map(|part| part.iter()).map(|layers| &layers[index]);
    for &expert in routed().flat_map(|routed| &routed.experts) {
        selections[expert as usize] += 1;
    }
    let entropies = |part: &&[Vec<Routed>]| part.iter().map(|layers| entropy(&layers[index].probabilities)).collect();
    let by_prompt = grouped(texts, parts.iter().map(entropies));
    Some(LayerLoad { layer, n_positions: routed().count(), selections, router_entropy: Estimate::of_mean(&by_prompt)? })
}

/// Computes what the loop changed, in texts that have both phases; empty where none has.
pub fn loop_shifts(texts: &[RoutedText], loads: &[PhaseLoad]) -> Vec<LoopShift> {
    let of = |phase| loads.iter().find(|load| load.phase == phase);
    let Some((before, within)) = of(Phase::Before).zip(of(Phase::Loop)) else { return vec![] };
    let shift = |(index, (before, within)): (usize, (&LayerLoad, &LayerLoad))| {
        let changes = texts.iter().map(|text| {
            let mean = |phase| {
                let part = text.part(phase);
                let sum: f64 = part.iter().map(|layers| entropy(&layers[index].probabilities)).sum();
                (!part.is_empty()).then(|| sum / part.len() as f64)
            };
            mean(Phase::Loop).zip(mean(Phase::Before)).map(|(within, before)| within - before).into_iter().collect()
        });
        let entropy_change = Estimate::of_mean(&grouped(texts, changes))?;
        let pairs = before.shares().into_iter().zip(within.shares());
        let load_distance = pairs.map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0;
        let n_texts = texts.iter().filter(|text| !text.part(Phase::Loop).is_empty()).count();
        Some(LoopShift { layer: before.layer, load_distance, entropy_change, n_texts })
    };
    before.layers.iter().zip(&within.layers).enumerate().filter_map(shift).collect()
}

/// Values by prompt, in the order of the prompts' first texts.
fn grouped(texts: &[RoutedText], values: impl Iterator<Item = Vec<f64>>) -> Vec<Vec<f64>> {
    let mut prompts: Vec<(&str, Vec<f64>)> = Vec::new();
    for (text, values) in texts.iter().zip(values) {
        match prompts.iter_mut().find(|(prompt, _)| *prompt == text.prompt) {
            Some((_, all)) => all.extend(values),
            None => prompts.push((&text.prompt, values)),
        }
    }
    prompts.into_iter().map(|(_, values)| values).collect()
}

/// −Σ p ln p in nats (Shannon 1948).
fn entropy(probabilities: &[f32]) -> f64 {
    entropy_of(probabilities.iter().map(|&p| f64::from(p)))
}

fn entropy_of(probabilities: impl Iterator<Item = f64>) -> f64 {
    -probabilities.filter(|&p| p > 0.0).map(|p| p * p.ln()).sum::<f64>()
}

impl RoutedText {
    /// The positions of a phase; of a text that loops from its first token on,
    /// or not at all, neither `Before` nor `Loop` has any.
    fn part(&self, phase: Phase) -> &[Vec<Routed>] {
        let from = self.onset.map(|onset| onset + 1).filter(|&from| from > 1 && from < self.positions.len());
        match (phase, from) {
            (Phase::All, _) => &self.positions,
            (Phase::Before, Some(from)) => &self.positions[..from],
            (Phase::Loop, Some(from)) => &self.positions[from..],
            (Phase::Before | Phase::Loop, None) => &[],
        }
    }
}

impl Phase {
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Before => "before",
            Self::Loop => "loop",
        }
    }
}

impl LayerLoad {
    /// Computes each expert's share of all selections, from 0 to 1.
    pub fn shares(&self) -> Vec<f64> {
        let all: u64 = self.selections.iter().sum();
        self.selections.iter().map(|&n| n as f64 / all.max(1) as f64).collect()
    }

    /// Computes the entropy of the shares, in nats: ln of the number of experts where
    /// all are selected alike.
    pub fn load_entropy(&self) -> f64 {
        entropy_of(self.shares().into_iter())
    }

    /// Computes the entropy of the shares as a part of the greatest there could be.
    pub fn evenness(&self) -> f64 {
        match self.selections.len() {
            0 | 1 => 1.0,
            n => self.load_entropy() / (n as f64).ln(),
        }
    }
}
