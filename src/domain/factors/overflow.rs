//! Owns the levels of `overflow`: what becomes of a text that fills its context.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::{LevelType, NotALevel, Scope, Written};

/// What becomes of a text that fills its context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Overflow {
    /// No text does: a prompt that leaves no room for `max_tokens` is refused.
    #[default]
    Refuse,
    /// It ends there, as llama-server does where nothing is said.
    Stop,
    /// It forgets the older half of all but so many tokens at the beginning, and goes on (`--context-shift`, `--keep`).
    Shift(u32),
}

impl LevelType for Overflow {
    const SCOPE: Scope = Scope::Context;

    fn usual() -> Option<Self> {
        Some(Self::default())
    }

    fn read(written: &Written) -> Result<Self, NotALevel> {
        let read = if let Written::Name(name) = written { name.parse() } else { Err(()) };
        read.map_err(|()| {
            NotALevel::other(
                "this is not an overflow setting",
                "use \"refuse\", \"stop\", \"shift\", or with the number of tokens to keep at the beginning: \"shift:4\"",
            )
        })
    }

    fn in_title(&self) -> String {
        format!("overflow {self}")
    }
}

impl FromStr for Overflow {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match (name, name.split_once(':')) {
            ("refuse", _) => Ok(Self::Refuse),
            ("stop", _) => Ok(Self::Stop),
            ("shift", _) => Ok(Self::Shift(0)),
            (_, Some(("shift", keep))) => keep.parse().map(Self::Shift).map_err(|_| ()),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse => f.write_str("refuse"),
            Self::Stop => f.write_str("stop"),
            Self::Shift(0) => f.write_str("shift"),
            Self::Shift(keep) => write!(f, "shift:{keep}"),
        }
    }
}

impl TryFrom<String> for Overflow {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse().map_err(|()| "it is not an overflow")
    }
}

impl From<Overflow> for String {
    fn from(overflow: Overflow) -> Self {
        overflow.to_string()
    }
}
