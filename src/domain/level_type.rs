//! Owns what the type of a factor's levels says of the factor and of each level, and how it reads what a file writes.
//!
//! Must not know which factors there are: that is `factor`'s list, which knows each of these types.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The most levels that a range may have.
pub const MAX_LEVELS: usize = 10_000;

/// What the type of a factor's levels says of the factor, and of each level.
pub trait LevelType: Clone + Ord + fmt::Display + Serialize + DeserializeOwned {
    const SCOPE: Scope;
    const ORDER: Order = Order::None;
    const ACTS: Acts = Acts::Everywhere;
    /// Whether its usual level is said too, in ids, files and names.
    const WORDING: Wording = Wording::WhereUnusual;

    /// The level of experiments that do not name the factor; None where each must.
    fn usual() -> Option<Self>;

    /// Reads a level as an experiment file writes it.
    ///
    /// # Errors
    /// When it is none.
    fn read(written: &Written) -> Result<Self, NotALevel>;

    /// The level as an experiment file writes it: what [`Self::read`] reads as this level.
    fn written(&self) -> Written {
        Written::Name(self.to_string())
    }

    /// The levels of a range.
    ///
    /// # Errors
    /// When it is no range of this factor's.
    fn range(_: Steps) -> Result<Vec<Self>, NotALevel> {
        Err(NotALevel::other("this factor has no ranges", "give a list of its levels"))
    }

    /// The level in the title of a table or a plot.
    fn in_title(&self) -> String;

    /// The level in the name of a cell.
    fn in_cell(&self) -> String {
        self.in_title()
    }

    /// The level in the name of a load, after the model's.
    fn in_load(&self) -> String {
        format!(", {}", self.in_cell())
    }
}

/// What a level of a factor decides. Grids nest in this order, the last one fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Which file is loaded.
    File,
    /// How it is loaded.
    Load,
    /// How a model that is loaded computes: another level takes other contexts, and the same weights.
    Context,
    /// What the model is asked.
    Prompt,
    /// How a token is chosen.
    Sampler,
}

/// Whether a factor's levels have an order, as a trend needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Ascending,
    None,
}

/// Where a factor acts at all. Elsewhere its levels are the same computation, and to compare them is no experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acts {
    Everywhere,
    /// Where an accelerator stands beside the host, on models with experts.
    OnExpertsBesideAnAccelerator,
}

/// Where a level is said: in a trial's id, in files, in a cell's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wording {
    /// As that of every factor of the first version.
    Always,
    /// So that what was written before there was the factor stays the same.
    WhereUnusual,
}

/// A level as a file writes it.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    Name(String),
    Integer(i64),
    Number(f64),
    Switch(bool),
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name:?}"),
            Self::Integer(n) => n.fmt(f),
            Self::Number(n) => n.fmt(f),
            Self::Switch(on) => on.fmt(f),
        }
    }
}

/// A range as a file writes it, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steps {
    pub from: f64,
    pub to: f64,
    pub step: f64,
}

/// Why what a file writes is no level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotALevel {
    /// It is none of the names.
    Unknown {
        names: &'static [&'static str],
    },
    Other {
        message: String,
        help: String,
    },
}

impl NotALevel {
    pub fn other(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Other { message: message.into(), help: help.into() }
    }
}
