//! Owns the levels of `experts_used`: how many experts a token goes through.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::number;
use crate::domain::{LevelType, NotALevel, Scope, Written};

/// How many of a layer's experts a token goes through (`--override-kv ARCHITECTURE.expert_used_count=int:N`). Without effect
/// on models that have none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExpertsUsed {
    /// As many as the model's file says.
    #[default]
    Model,
    Number(NonZeroU32),
}

impl LevelType for ExpertsUsed {
    const SCOPE: Scope = Scope::Load;

    fn usual() -> Option<Self> {
        Some(Self::default())
    }

    fn read(written: &Written) -> Result<Self, NotALevel> {
        let read = match written {
            Written::Name(name) if name == "model" => Some(Self::Model),
            written => number(written).map(Self::Number),
        };
        read.ok_or_else(|| {
            NotALevel::other("this is not a number of experts", "use \"model\", or a number of experts from 1 up")
        })
    }

    fn written(&self) -> Written {
        match self {
            Self::Model => Written::Name(self.to_string()),
            Self::Number(n) => Written::Integer(n.get().into()),
        }
    }

    fn in_title(&self) -> String {
        format!("experts_used {self}")
    }
}

impl fmt::Display for ExpertsUsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model => f.write_str("model"),
            Self::Number(n) => n.fmt(f),
        }
    }
}
