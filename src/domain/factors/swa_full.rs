//! Owns the levels of `swa_full`: how much of a text layers with a sliding window keep.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{LevelType, NotALevel, Scope, Written};

/// How much of a text llama.cpp keeps for layers that look back on a window of it only; a bool in files (`--swa-full`).
/// Without effect on models that have no such layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
pub enum SwaFull {
    /// All of it, as llama.cpp's library does where nothing is said.
    #[default]
    Full,
    /// The window, as llama-server does where nothing is said.
    Window,
}

impl LevelType for SwaFull {
    const SCOPE: Scope = Scope::Context;

    fn usual() -> Option<Self> {
        Some(Self::default())
    }

    fn read(written: &Written) -> Result<Self, NotALevel> {
        match written {
            &Written::Switch(full) => Ok(full.into()),
            _ => Err(NotALevel::other("this is not true or false", "write swa_full = [true, false]")),
        }
    }

    fn written(&self) -> Written {
        Written::Switch((*self).into())
    }

    fn in_title(&self) -> String {
        format!("swa_full {self}")
    }
}

impl From<bool> for SwaFull {
    fn from(full: bool) -> Self {
        if full { Self::Full } else { Self::Window }
    }
}

impl From<SwaFull> for bool {
    fn from(level: SwaFull) -> Self {
        level == SwaFull::Full
    }
}

impl fmt::Display for SwaFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bool::from(*self).fmt(f)
    }
}
