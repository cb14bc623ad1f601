//! Owns experiments on the mechanism: the same tokens through two arms of one model, instead of a grid of texts.
//!
//! `raw` is the file's shape, `resolve` gives it its meaning. What an
//! experiment of either kind has in common with a sweep (models, prompts,
//! settings) is an [`Experiment`] here too, so that models are surveyed alike.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantNames};

use super::{Experiment, Numerics, Offload, Quant};

mod raw;
mod resolve;
#[cfg(test)]
mod tests;

pub use raw::RawMechanism;
pub use resolve::{kind_of, parse_mechanism, resolve_mechanism};

/// What an experiment file asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Kind {
    /// How texts differ over a grid of factors.
    #[default]
    Sweep,
    /// How far the probabilities of two arms are apart on the same tokens.
    Divergence,
    /// Which experts are chosen, in two arms and in a loop.
    Routing,
}

/// A divergence or routing experiment, complete and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Mechanism {
    /// Never [`Kind::Sweep`].
    pub kind: Kind,
    /// Its grid has every level that an arm has, one template, and for
    /// [`Kind::Divergence`] the greedy chain only.
    pub experiment: Experiment,
    pub base: Arm,
    /// Each differs from `base` and from the others; may be empty for
    /// [`Kind::Routing`].
    pub others: Vec<Arm>,
}

/// How a model is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Arm {
    pub quant: Quant,
    pub offload: Offload,
    pub numerics: Numerics,
    /// Texts in a batch, side by side.
    pub width: u32,
}

impl Arm {
    /// What sets it apart from `base`, such as `quant=q4_k_m width=8`; empty
    /// where nothing does.
    pub fn differences(&self, base: &Self) -> String {
        let Self { quant, offload, numerics, width } = self;
        let differs = [
            (*quant != base.quant).then(|| format!("quant={quant}")),
            (*offload != base.offload).then(|| format!("offload={offload}")),
            (*numerics != base.numerics).then(|| format!("numerics={numerics}")),
            (*width != base.width).then(|| format!("width={width}")),
        ];
        differs.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// Whether both are the same but for where the experts lie.
    pub fn differs_in_offload_only(&self, other: &Self) -> bool {
        Self { offload: other.offload, ..*self } == *other && self != other
    }
}

impl fmt::Display for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { quant, offload, numerics, width } = self;
        write!(f, "quant={quant} offload={offload} numerics={numerics} width={width}")
    }
}
