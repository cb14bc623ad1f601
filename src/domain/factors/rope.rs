//! Owns the levels of `rope`: how a token's position is turned into angles.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Positive;
use crate::domain::{LevelType, NotALevel, Scope, Written};

/// How the angles of rotary position encoding are scaled (`--rope-scaling` with `--rope-scale`, `--rope-freq-base`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Rope {
    /// As the model's file says.
    #[default]
    Model,
    /// Not at all, whatever the file says.
    None,
    /// Positions are divided by so much.
    Linear(Positive),
    /// By YaRN, for a context so many times as long (Peng et al. 2023, arXiv:2309.00071).
    Yarn(Positive),
    /// Not scaled, with another base of the frequencies.
    Base(Positive),
}

impl LevelType for Rope {
    // A YaRN context changes what llama.cpp's model says of its training (`llama_init_from_model`), on which the next
    // one's scaling depends: so each has weights of its own.
    const SCOPE: Scope = Scope::Load;

    fn usual() -> Option<Self> {
        Some(Self::default())
    }

    fn read(written: &Written) -> Result<Self, NotALevel> {
        let read = if let Written::Name(name) = written { name.parse() } else { Err(()) };
        read.map_err(|()| {
            NotALevel::other(
                "this is not a rope setting",
                "use \"model\", \"none\", or with a number above 0: \"linear:4\", \"yarn:4\", \"base:1000000\"",
            )
        })
    }

    fn in_title(&self) -> String {
        format!("rope {self}")
    }
}

impl FromStr for Rope {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match (name, name.split_once(':')) {
            ("model", _) => Ok(Self::Model),
            ("none", _) => Ok(Self::None),
            (_, Some((kind, number))) => {
                let number = number.parse().ok().and_then(Positive::new).ok_or(())?;
                match kind {
                    "linear" => Ok(Self::Linear(number)),
                    "yarn" => Ok(Self::Yarn(number)),
                    "base" => Ok(Self::Base(number)),
                    _ => Err(()),
                }
            }
            _ => Err(()),
        }
    }
}

impl fmt::Display for Rope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model => f.write_str("model"),
            Self::None => f.write_str("none"),
            Self::Linear(factor) => write!(f, "linear:{factor}"),
            Self::Yarn(factor) => write!(f, "yarn:{factor}"),
            Self::Base(base) => write!(f, "base:{base}"),
        }
    }
}

impl TryFrom<String> for Rope {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse().map_err(|()| "it is not a rope")
    }
}

impl From<Rope> for String {
    fn from(rope: Rope) -> Self {
        rope.to_string()
    }
}
