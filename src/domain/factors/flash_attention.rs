//! Owns the levels of `flash_attention`: whether attention is computed in one pass over the cache.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantNames};

use super::read_name;
use crate::domain::{LevelType, Scope};

/// Whether llama.cpp computes attention in one fused pass, without keeping the scores of all positions
/// (`--flash-attn`): other kernels, whose sums round otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[derive(Serialize, Deserialize, Display, EnumString, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum FlashAttention {
    /// Where the device of every layer's cache can: on the CPU always.
    #[default]
    Auto,
    On,
    Off,
}

impl LevelType for FlashAttention {
    const SCOPE: Scope = Scope::Context;
    read_name!();

    fn usual() -> Option<Self> {
        Some(Self::default())
    }

    fn in_title(&self) -> String {
        format!("flash_attention {self}")
    }
}
