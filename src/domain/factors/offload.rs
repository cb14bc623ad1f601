//! Owns the levels of `offload`: whose experts are kept in host memory.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::number;
use crate::domain::{Acts, LevelType, NotALevel, Order, Scope, Wording, Written};

/// Whose experts are kept in host memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Offload {
    None,
    /// The experts of the first n layers.
    Layers(u32),
    All,
}

impl LevelType for Offload {
    const SCOPE: Scope = Scope::Load;
    const ORDER: Order = Order::Ascending;
    const ACTS: Acts = Acts::OnExpertsBesideAnAccelerator;
    const WORDING: Wording = Wording::Always;

    fn usual() -> Option<Self> {
        Some(Self::All)
    }

    fn read(written: &Written) -> Result<Self, NotALevel> {
        let offload = match written {
            Written::Name(name) if name == "none" => Some(Self::None),
            Written::Name(name) if name == "all" => Some(Self::All),
            written => number(written).map(|n| Self::Layers(n.get())),
        };
        offload.ok_or_else(|| {
            NotALevel::other("this is not an offload setting", "use \"none\", \"all\", or a number of layers from 1 up")
        })
    }

    fn written(&self) -> Written {
        match self {
            Self::Layers(n) => Written::Integer((*n).into()),
            Self::None | Self::All => Written::Name(self.to_string()),
        }
    }

    fn in_title(&self) -> String {
        match self {
            Self::None => "experts offloaded: none".to_owned(),
            Self::Layers(1) => "experts offloaded: first layer".to_owned(),
            Self::Layers(n) => format!("experts offloaded: first {n} layers"),
            Self::All => "experts offloaded: all".to_owned(),
        }
    }

    fn in_cell(&self) -> String {
        format!("offload {self}")
    }
}

impl fmt::Display for Offload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Layers(n) => n.fmt(f),
            Self::All => f.write_str("all"),
        }
    }
}
