//! What the factors of a grid and the settings of a file can be, each a type
//! of its own.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantNames};

/// Whose experts are kept in host memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Offload {
    None,
    /// The experts of the first n layers.
    Layers(u32),
    All,
}

/// The types that a model's weights are brought to before it is loaded, in
/// llama.cpp's spelling (`llama-quantize`), lower case in files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[derive(Serialize, Deserialize, Display, EnumString, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[allow(non_camel_case_types, reason = "llama.cpp's spelling")]
pub enum Quant {
    /// The file as it is.
    #[default]
    Source,
    F32,
    F16,
    BF16,
    Q8_0,
    Q6_K,
    Q5_K_M,
    Q5_K_S,
    Q4_K_M,
    Q4_K_S,
    Q4_0,
    Q3_K_L,
    Q3_K_M,
    Q3_K_S,
    Q2_K,
    IQ4_XS,
    MXFP4_MOE,
}

/// What becomes of a prompt's text before it is cut into tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[derive(Serialize, Deserialize, Display, EnumString, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Template {
    /// Nothing.
    #[default]
    Raw,
    /// It is one user's message in the model's own chat template, as llama.cpp
    /// applies it, and the assistant's turn is opened.
    Chat,
}

/// Whether llama.cpp computes products of large batches on the accelerator
/// where the weights are on the host, by copying them; a bool in files
/// (`op_offload`, `--no-op-offload`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
pub enum OpOffload {
    /// llama.cpp's default.
    #[default]
    On,
    Off,
}

impl OpOffload {
    /// For serde: what is the default need not be written, so that what was
    /// written before there was a choice stays the same.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl From<bool> for OpOffload {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

impl From<OpOffload> for bool {
    fn from(op_offload: OpOffload) -> Self {
        op_offload == OpOffload::On
    }
}

impl fmt::Display for OpOffload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bool::from(*self).fmt(f)
    }
}

/// Whether a trial's text may depend on what is computed beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Display, EnumString, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Numerics {
    /// Settings under which a sequence's logits are bit-identical in any
    /// batch and at any number of threads (docs/architecture.md, Numerics).
    #[default]
    Invariant,
    /// The quickest settings.
    Fast,
}

/// Whether a beginning-of-sequence token stands before a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Display, EnumString, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Bos {
    /// As the model's file says (`tokenizer.ggml.add_bos_token`).
    #[default]
    Model,
    Always,
    Never,
}

/// What a seed starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Display, EnumString, VariantNames)]
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
    pub(super) fn before_it_was_a_choice() -> Self {
        Self::Common
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    pub(super) fn is_common(&self) -> bool {
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

/// A sampling temperature: finite, not negative; `f32` as llama.cpp takes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f32", into = "f32")]
pub struct Temperature(pub(super) f32);

/// A sampler's seed. `u32::MAX` is not one: llama.cpp takes it for "random".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Seed(pub(super) u32);

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
