//! Computes the numbers of studies: what happens inside a model when it is run in another way, or loops.
//!
//! They are pure functions of logits, experts and tokens. Owns the definitions (docs/mechanism.md); must not know how
//! anything was recorded, nor how it is shown.

mod agreement;
mod divergence;
mod estimate;
mod parting;
mod placement;
mod routing;
#[cfg(test)]
mod tests;

pub use agreement::{Agreement, AgreementOutcome, LayerAgreement, agreement};
pub use divergence::{BadLogits, Compared, Divergence, Pair, Position, Spread, Text, compare, divergence};
pub use estimate::Estimate;
pub use parting::{Parting, parting};
pub use placement::{Machine, same_placement};
pub use routing::{LayerLoad, LoopShift, Phase, PhaseLoad, RoutedText, loop_onset, loop_shifts, phase_loads};

use crate::domain::Temperature;
use crate::engine::trace::RoutingShape;
use crate::experiment::Arm;

/// The coverage of every interval.
pub const LEVEL: f64 = 0.95;

/// What a routing experiment found of one model's texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Routing {
    pub model: String,
    /// Of the chain and the temperature that made the texts.
    pub chain: String,
    pub temperature: Temperature,
    pub base: Arm,
    pub shape: RoutingShape,
    pub n_texts: usize,
    /// Texts that end in a loop.
    pub n_loops: usize,
    pub loads: Vec<PhaseLoad>,
    /// Empty where no text has a loop and something before it.
    pub shifts: Vec<LoopShift>,
    pub agreements: Vec<Agreement>,
}
