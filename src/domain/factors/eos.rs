//! Owns the levels of `eos`: which token ends a text.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{LevelType, NotALevel, Scope, Written};

/// Which token ends a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Eos {
    /// Those that the model's file says end a generation.
    #[default]
    Model,
    /// None: they are never chosen (`--ignore-eos`), and a text has `max_tokens`.
    Ignore,
    /// This one alone, as where a file names a wrong one; the model's own are like other tokens.
    Token(i32),
}

impl LevelType for Eos {
    const SCOPE: Scope = Scope::Sampler;

    fn usual() -> Option<Self> {
        Some(Self::default())
    }

    fn read(written: &Written) -> Result<Self, NotALevel> {
        let read = match written {
            Written::Name(name) if name == "model" => Some(Self::Model),
            Written::Name(name) if name == "ignore" => Some(Self::Ignore),
            &Written::Integer(token) => i32::try_from(token).ok().filter(|&token| token >= 0).map(Self::Token),
            _ => None,
        };
        read.ok_or_else(|| NotALevel::other("this is not an eos setting", "use \"model\", \"ignore\", or a token's id"))
    }

    fn written(&self) -> Written {
        match self {
            Self::Model | Self::Ignore => Written::Name(self.to_string()),
            Self::Token(token) => Written::Integer((*token).into()),
        }
    }

    fn in_title(&self) -> String {
        format!("eos {self}")
    }
}

impl fmt::Display for Eos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model => f.write_str("model"),
            Self::Ignore => f.write_str("ignore"),
            Self::Token(token) => token.fmt(f),
        }
    }
}
