//! Owns the levels of `bos`: whether a beginning-of-sequence token stands before a prompt.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantNames};

use super::read_name;
use crate::domain::{LevelType, Scope};

/// Whether a beginning-of-sequence token stands before a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[derive(Serialize, Deserialize, Display, EnumString, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Bos {
    /// As the model's file says (`tokenizer.ggml.add_bos_token`).
    #[default]
    Model,
    Always,
    Never,
}

impl LevelType for Bos {
    const SCOPE: Scope = Scope::Prompt;
    read_name!();

    fn usual() -> Option<Self> {
        Some(Self::default())
    }

    fn in_title(&self) -> String {
        format!("bos {self}")
    }
}
