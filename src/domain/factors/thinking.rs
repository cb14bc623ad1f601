//! Owns the levels of `thinking`: whether a chat template is told to have the model think first.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantNames};

use super::read_name;
use crate::domain::{LevelType, Scope};

/// Whether a chat template is told to have the model think first (`enable_thinking`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[derive(Serialize, Deserialize, Display, EnumString, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Thinking {
    /// It is told nothing.
    #[default]
    Default,
    On,
    Off,
}

impl Thinking {
    /// What is said; None where nothing is.
    pub fn switch(self) -> Option<bool> {
        match self {
            Self::Default => None,
            Self::On => Some(true),
            Self::Off => Some(false),
        }
    }
}

impl LevelType for Thinking {
    const SCOPE: Scope = Scope::Prompt;
    read_name!();

    fn usual() -> Option<Self> {
        Some(Self::default())
    }

    fn in_title(&self) -> String {
        format!("thinking {self}")
    }
}
