//! Owns the levels of `prefix_tokens`: how much filler stands in front of a prompt.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{LevelType, NotALevel, Order, Scope, Written};

/// How many tokens of filler stand in front of a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrefixTokens(u32);

impl PrefixTokens {
    /// Longer than almost any context.
    pub const MOST: u32 = 1_000_000;

    pub fn get(self) -> u32 {
        self.0
    }
}

impl LevelType for PrefixTokens {
    const SCOPE: Scope = Scope::Prompt;
    const ORDER: Order = Order::Ascending;

    fn usual() -> Option<Self> {
        Some(Self::default())
    }

    fn read(written: &Written) -> Result<Self, NotALevel> {
        let tokens = match *written {
            Written::Integer(n) => u32::try_from(n).ok().filter(|&n| n <= Self::MOST),
            _ => None,
        };
        let not_one =
            || NotALevel::other("this is not a number of tokens", format!("give a number from 0 to {}", Self::MOST));
        tokens.map(Self).ok_or_else(not_one)
    }

    fn written(&self) -> Written {
        Written::Integer(self.0.into())
    }

    fn in_title(&self) -> String {
        format!("{self} tokens of filler")
    }

    fn in_cell(&self) -> String {
        format!("prefix {self}")
    }
}

impl fmt::Display for PrefixTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
