//! The experiment: what a TOML file means once it is understood.
//!
//! `raw` is the file's shape, `resolve` turns it into the types here and
//! collects every error on the way. Nothing here reads files, runs a model
//! or knows how results look.

use std::fmt;

use serde::{Deserialize, Serialize};

mod builtin;
mod chain;
mod error;
mod model;
mod prompts;
mod raw;
mod resolve;
mod rules;
mod split;
#[cfg(test)]
mod tests;

pub use chain::{Chain, Fidelity, ResolvedChain, Slot, Step, StepKind, TokenBias};
pub use error::{BadExperiment, Problem, Problems};
pub use model::{HubFile, Model, Source, resolve_models};
pub use raw::{RawExperiment, RawModel};
pub use resolve::{Surroundings, parse, resolve};
pub use split::{SplitName, split_name};

/// An experiment, complete and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Also the name of the run's directory: letters, digits, `-`, `_`, `.`.
    pub name: String,
    pub question: Option<String>,
    pub generate: Generate,
    pub grid: Grid,
    /// In file order; ids and texts are unique.
    pub prompts: Vec<Prompt>,
}

/// Settings that hold for every trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generate {
    /// The most tokens a trial may generate.
    pub max_tokens: u32,
    /// Tokens of context for one sequence: prompt and generated together.
    pub context: u32,
    pub numerics: Numerics,
}

/// Whether a trial's text may depend on what is computed beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Numerics {
    /// Settings under which a sequence's logits are bit-identical in any
    /// batch and at any number of threads (docs/architecture.md, Numerics).
    Invariant,
    /// The quickest settings.
    Fast,
}

/// The levels of every factor, in file order, and what is left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    pub models: Vec<Model>,
    pub chains: Vec<Chain>,
    pub offloads: Vec<Offload>,
    pub temperatures: Vec<Temperature>,
    pub seeds: Vec<Seed>,
    pub excluded: Vec<Exclusion>,
}

/// One trial's coordinates, as exclusions see them.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a> {
    pub model: &'a str,
    pub chain: &'a str,
    pub offload: Offload,
    pub temperature: Temperature,
    /// None where the chain makes no draw.
    pub seed: Option<Seed>,
    pub prompt: &'a str,
}

/// Leaves out the cells that match every level named here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exclusion {
    pub model: Option<String>,
    pub chain: Option<String>,
    pub offload: Option<Offload>,
    pub temperature: Option<Temperature>,
    pub seed: Option<Seed>,
    /// A prompt's id.
    pub prompt: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    pub id: String,
    pub text: String,
}

/// Whose experts are kept in host memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Offload {
    None,
    /// The experts of the first n layers.
    Layers(u32),
    All,
}

/// A sampling temperature: finite, not negative; `f32` as llama.cpp takes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f32", into = "f32")]
pub struct Temperature(f32);

/// A sampler's seed. `u32::MAX` is not one: llama.cpp takes it for "random".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Seed(u32);

impl Grid {
    pub fn excludes(&self, point: Point<'_>) -> bool {
        self.excluded.iter().any(|exclusion| exclusion.matches(point))
    }

    /// The seeds a chain runs with: none at all, once, where it makes no draw.
    pub fn seeds_of(&self, chain: &Chain) -> Vec<Option<Seed>> {
        if chain.draws() { self.seeds.iter().copied().map(Some).collect() } else { vec![None] }
    }

    /// Whether the exclusions leave anything to run on these prompts.
    fn leaves_a_trial(&self, prompts: &[Prompt]) -> bool {
        self.models.iter().any(|model| {
            self.chains.iter().any(|chain| {
                let seeds = self.seeds_of(chain);
                self.offloads.iter().any(|&offload| {
                    self.temperatures.iter().any(|&temperature| {
                        seeds.iter().any(|&seed| {
                            prompts.iter().any(|prompt| {
                                let (model, chain, prompt) = (&*model.id, &*chain.id, &*prompt.id);
                                !self.excludes(Point { model, chain, offload, temperature, seed, prompt })
                            })
                        })
                    })
                })
            })
        })
    }
}

impl Exclusion {
    fn matches(&self, point: Point<'_>) -> bool {
        let Self { model, chain, offload, temperature, seed, prompt } = self;
        model.as_ref().is_none_or(|model| model == point.model)
            && chain.as_ref().is_none_or(|chain| chain == point.chain)
            && offload.is_none_or(|offload| offload == point.offload)
            && temperature.is_none_or(|temperature| temperature == point.temperature)
            && seed.is_none_or(|seed| Some(seed) == point.seed)
            && prompt.as_ref().is_none_or(|prompt| prompt == point.prompt)
    }
}

impl Temperature {
    pub fn new(t: f32) -> Option<Self> {
        // Adding 0 turns -0 into 0, so that equal temperatures have equal bits.
        (t.is_finite() && t >= 0.0).then_some(Self(t + 0.0))
    }

    pub fn get(self) -> f32 {
        self.0
    }
}

impl Eq for Temperature {}

impl PartialOrd for Temperature {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Temperature {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Seed {
    pub fn new(seed: u32) -> Option<Self> {
        (seed != u32::MAX).then_some(Self(seed))
    }

    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<f32> for Temperature {
    type Error = &'static str;

    fn try_from(t: f32) -> Result<Self, Self::Error> {
        Self::new(t).ok_or("a temperature must be finite and not negative")
    }
}

impl From<Temperature> for f32 {
    fn from(t: Temperature) -> Self {
        t.0
    }
}

impl TryFrom<u32> for Seed {
    type Error = &'static str;

    fn try_from(seed: u32) -> Result<Self, Self::Error> {
        Self::new(seed).ok_or("the seed 4294967295 means 'random' to llama.cpp")
    }
}

impl From<Seed> for u32 {
    fn from(seed: Seed) -> Self {
        seed.0
    }
}

impl fmt::Display for Temperature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Offload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Layers(n) => n.fmt(f),
            Self::All => f.write_str("all"),
        }
    }
}

impl Numerics {
    pub fn name(self) -> &'static str {
        match self {
            Self::Invariant => "invariant",
            Self::Fast => "fast",
        }
    }
}
