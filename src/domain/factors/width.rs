//! Owns the levels of `width`: how many texts are decoded together.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::number;
use crate::domain::{LevelType, NotALevel, Scope, Written};

/// How many texts one context decodes together at most, as llama-server's `--parallel` has it: as many from the first token
/// on, fewer when some have ended and none is left to begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Width {
    /// As many as is quickest here, in as many contexts.
    #[default]
    Any,
    Texts(NonZeroU32),
}

impl Width {
    /// The most sequences of a context, but for the one that holds a prompt.
    pub const MOST: u32 = 255;

    /// The texts, where their number is said; else 1.
    pub fn texts(self) -> usize {
        match self {
            Self::Any => 1,
            Self::Texts(n) => n.get() as usize,
        }
    }
}

impl LevelType for Width {
    const SCOPE: Scope = Scope::Context;

    fn usual() -> Option<Self> {
        Some(Self::default())
    }

    fn read(written: &Written) -> Result<Self, NotALevel> {
        let read = match written {
            Written::Name(name) if name == "any" => Some(Self::Any),
            written => number(written).filter(|n| n.get() <= Self::MOST).map(Self::Texts),
        };
        read.ok_or_else(|| {
            let help = format!("use \"any\", or a number of texts from 1 to {}", Self::MOST);
            NotALevel::other("this is not a width", help)
        })
    }

    fn written(&self) -> Written {
        match self {
            Self::Any => Written::Name(self.to_string()),
            Self::Texts(n) => Written::Integer(n.get().into()),
        }
    }

    fn in_title(&self) -> String {
        format!("width {self}")
    }
}

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Texts(n) => n.fmt(f),
        }
    }
}
