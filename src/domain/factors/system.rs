//! Owns the levels of `system`: which system message stands before a prompt.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{LevelType, NotALevel, Scope, Written};

/// The system message that stands before a prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum System {
    /// None is sent, so that the template writes its own, if it has one.
    #[default]
    Default,
    /// An empty one is sent, so that the template does not write its own.
    None,
    /// This one.
    Text(String),
}

/// Characters of a message in the names of cells and in titles.
const SHOWN: usize = 32;

impl System {
    /// What is sent; None where nothing is.
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Default => None,
            Self::None => Some(""),
            Self::Text(text) => Some(text),
        }
    }
}

impl LevelType for System {
    const SCOPE: Scope = Scope::Prompt;

    fn usual() -> Option<Self> {
        Some(Self::default())
    }

    fn read(written: &Written) -> Result<Self, NotALevel> {
        match written {
            Written::Name(text) if text.contains('\0') => {
                Err(NotALevel::other("this system message contains a NUL byte", "remove it"))
            }
            Written::Name(text) if !text.trim().is_empty() => Ok(text.clone().into()),
            _ => Err(NotALevel::other("this is not a system message", "use \"default\", \"none\", or its text")),
        }
    }

    /// Long texts that begin alike are told apart by their hashes.
    fn in_title(&self) -> String {
        let Self::Text(text) = self else { return format!("system {self}") };
        match text.char_indices().nth(SHOWN) {
            None => format!("system {text:?}"),
            Some((at, _)) => {
                let hash = blake3::hash(text.as_bytes()).to_hex();
                format!("system {:?}… ({})", &text[..at], &hash[..6])
            }
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::None => "none",
            Self::Text(text) => text,
        })
    }
}

impl From<String> for System {
    fn from(text: String) -> Self {
        match &*text {
            "default" => Self::Default,
            "none" => Self::None,
            _ => Self::Text(text),
        }
    }
}

impl From<System> for String {
    fn from(system: System) -> Self {
        system.to_string()
    }
}
