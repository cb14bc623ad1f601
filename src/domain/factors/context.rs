//! Owns the levels of `context`: how many tokens a prompt and its text may have together.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::number;
use crate::domain::{LevelType, NotALevel, Order, Scope, Written};

/// How many tokens a text and its prompt may have together (`--ctx-size`, of one slot).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Context {
    /// As many as `[generate]` says.
    #[default]
    Setting,
    Tokens(NonZeroU32),
}

impl Context {
    /// How many tokens they are where `[generate]` says `setting`.
    pub fn tokens(self, setting: u32) -> u32 {
        match self {
            Self::Setting => setting,
            Self::Tokens(n) => n.get(),
        }
    }
}

impl LevelType for Context {
    const SCOPE: Scope = Scope::Context;
    const ORDER: Order = Order::Ascending;

    fn usual() -> Option<Self> {
        Some(Self::default())
    }

    fn read(written: &Written) -> Result<Self, NotALevel> {
        let read = match written {
            Written::Name(name) if name == "setting" => Some(Self::Setting),
            written => number(written).map(Self::Tokens),
        };
        read.ok_or_else(|| NotALevel::other("this is not a number of tokens", "give a number from 1 up"))
    }

    fn written(&self) -> Written {
        match self {
            Self::Setting => Written::Name(self.to_string()),
            Self::Tokens(n) => Written::Integer(n.get().into()),
        }
    }

    fn in_title(&self) -> String {
        format!("context {self}")
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting => f.write_str("setting"),
            Self::Tokens(n) => n.fmt(f),
        }
    }
}
