//! Owns the levels of `ubatch`: how many tokens are computed at once at most.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::number;
use crate::domain::{LevelType, NotALevel, Order, Scope, Written};

/// How many tokens llama.cpp computes at once at most (`--ubatch-size`): a longer prompt goes in pieces, and no more texts are
/// decoded together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ubatch(NonZeroU32);

impl Ubatch {
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

/// llama.cpp's default.
impl Default for Ubatch {
    fn default() -> Self {
        Self(NonZeroU32::new(512).expect("it is not 0"))
    }
}

impl LevelType for Ubatch {
    const SCOPE: Scope = Scope::Context;
    const ORDER: Order = Order::Ascending;

    fn usual() -> Option<Self> {
        Some(Self::default())
    }

    fn read(written: &Written) -> Result<Self, NotALevel> {
        let not_one = || NotALevel::other("this is not a number of tokens", "give a number from 1 up");
        number(written).map(Self).ok_or_else(not_one)
    }

    fn written(&self) -> Written {
        Written::Integer(self.get().into())
    }

    fn in_title(&self) -> String {
        format!("ubatch {self}")
    }
}

impl fmt::Display for Ubatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
