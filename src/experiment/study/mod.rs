//! Experiments of another kind than the sweep, called studies: the same tokens go through several arms of one model,
//! instead of a grid of texts.
//!
//! Owns what a study is. `raw` is its file's shape, `resolve` gives it its meaning. Must not know how arms are run nor
//! what is computed of them.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantNames};

use super::grid::{move_seeds, seeds_of};
use super::{Model, Prompt};
use crate::domain::{Chain, Generate, Numerics, Offload, PromptKey, Quant, Seed, Temperature, Template};

mod raw;
mod resolve;
#[cfg(test)]
mod tests;

pub use raw::RawStudy;
pub use resolve::{kind_of, parse_study, resolve_study};

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
pub struct Study {
    /// Also the name of the run's directory: letters, digits, `-`, `_`, `.`.
    pub name: String,
    pub question: Option<String>,
    /// Its numerics are the base's; each other arm has its own.
    pub generate: Generate,
    /// In file order.
    pub models: Vec<Model>,
    /// What stands around every prompt.
    pub template: Template,
    /// In file order; ids and texts are unique.
    pub prompts: Vec<Prompt>,
    pub base: Arm,
    /// Each differs from `base` and from the others; may be empty for [`Subject::Routing`].
    pub others: Vec<Arm>,
    pub subject: Subject,
}

/// What is compared, and on which texts.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// The probabilities of the next token, on the texts that the base chooses greedily: one a prompt.
    Divergence,
    /// The experts that are chosen, on texts that the base samples.
    Routing(Sampling),
}

/// How the texts of a routing study are made.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    pub chains: Vec<Chain>,
    pub temperatures: Vec<Temperature>,
    pub seeds: Vec<Seed>,
}

impl Study {
    /// How every prompt is asked.
    pub fn prompt_key(&self) -> PromptKey {
        PromptKey::default().with(self.template).with(self.generate.bos)
    }

    /// The word for it in an experiment file; never [`Kind::Sweep`].
    pub fn kind(&self) -> Kind {
        match self.subject {
            Subject::Divergence => Kind::Divergence,
            Subject::Routing(_) => Kind::Routing,
        }
    }

    /// The base, then the others.
    pub fn arms(&self) -> impl Iterator<Item = &Arm> {
        std::iter::once(&self.base).chain(&self.others)
    }

    /// How many texts each model has.
    pub fn texts_a_model(&self) -> usize {
        match &self.subject {
            Subject::Divergence => self.prompts.len(),
            Subject::Routing(sampling) => {
                let seeds: usize = sampling.chains.iter().map(|chain| sampling.seeds_of(chain).len()).sum();
                seeds * sampling.temperatures.len() * self.prompts.len()
            }
        }
    }

    /// Adds `offset` to every seed; a divergence has none.
    ///
    /// # Errors
    /// When one would be none.
    pub fn offset_seeds(&mut self, offset: u32) -> Result<(), String> {
        match &mut self.subject {
            Subject::Divergence => Ok(()),
            Subject::Routing(sampling) => move_seeds(&mut sampling.seeds, offset),
        }
    }
}

impl Sampling {
    /// The seeds a chain runs with: none at all, once, where it makes no draw.
    pub fn seeds_of(&self, chain: &Chain) -> Vec<Option<Seed>> {
        seeds_of(chain, &self.seeds)
    }
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
