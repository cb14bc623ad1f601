//! Owns the settings that hold for a whole experiment, and seeds.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantNames};

use super::Bos;

/// Settings that hold for every trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Generate {
    /// The most tokens a trial may generate.
    pub max_tokens: u32,
    /// Tokens of context for one sequence: prompt and generated together.
    pub context: u32,
    pub numerics: Numerics,
    /// That of a grid which does not name the factor.
    pub bos: Bos,
    #[serde(skip_serializing_if = "Draws::is_common")]
    pub draws: Draws,
}

/// Whether a trial's text may depend on what is computed beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Display, EnumString, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Numerics {
    /// Settings under which a sequence's logits are bit-identical in any
    /// batch and at any number of threads (docs/decisions.md, Numerics).
    #[default]
    Invariant,
    /// The quickest settings.
    Fast,
}

/// What a seed starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Display, EnumString, VariantNames)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Draws {
    /// Other random numbers for each prompt, made of the seed and the prompt's text: prompts are the sample, so they
    /// share no luck. Cells do, for a prompt and seed (common random numbers: what a factor changes is not drowned in
    /// other luck).
    #[default]
    PerPrompt,
    /// The same for all prompts, as every version before this was a choice drew.
    Common,
}

impl Draws {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_common(&self) -> bool {
        *self == Self::Common
    }

    /// What a sampler is seeded with for a prompt: below 2³¹, as some servers ask.
    pub fn seed(self, seed: Seed, prompt: &str) -> Seed {
        match self {
            Self::Common => seed,
            Self::PerPrompt => {
                let mut hasher = blake3::Hasher::new_derive_key("moe-sweep 2026-11-28 the seed of a prompt's draw");
                hasher.update(&seed.get().to_le_bytes()).update(prompt.as_bytes());
                let [a, b, c, d, ..] = *hasher.finalize().as_bytes();
                Seed(u32::from_le_bytes([a, b, c, d]) >> 1)
            }
        }
    }
}

/// A sampler's seed. `u32::MAX` is not one: llama.cpp takes it for "random".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Seed(u32);

impl Seed {
    pub fn new(seed: u32) -> Option<Self> {
        (seed != u32::MAX).then_some(Self(seed))
    }

    pub fn get(self) -> u32 {
        self.0
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

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
