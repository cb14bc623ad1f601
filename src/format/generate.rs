//! Owns how files hold the settings that are every trial's.

use serde::{Deserialize, Serialize};

use super::both_ways;
use crate::domain;

/// Settings that hold for every trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generate {
    max_tokens: u32,
    context: u32,
    numerics: Numerics,
    /// Files before it was a choice had the model's own way.
    #[serde(default)]
    bos: Bos,
    /// Files before it was a choice had the same draws for all prompts, and so have files that do not say.
    #[serde(default, skip_serializing_if = "Draws::are_common")]
    draws: Draws,
}
both_ways!(Generate, domain::Generate { max_tokens, context, numerics: into, bos: into, draws: into });

/// Whether a trial's text may depend on what is computed beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Numerics {
    Invariant,
    Fast,
}
both_ways!(enum Numerics, domain::Numerics { Invariant, Fast });

/// Whether a beginning-of-sequence token stands before a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bos {
    #[default]
    Model,
    Always,
    Never,
}
both_ways!(enum Bos, domain::Bos { Model, Always, Never });

/// What a seed starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Draws {
    PerPrompt,
    #[default]
    Common,
}
both_ways!(enum Draws, domain::Draws { PerPrompt, Common });

impl Draws {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn are_common(&self) -> bool {
        *self == Self::Common
    }
}
