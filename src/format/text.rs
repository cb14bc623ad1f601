//! Owns how files say how a text ended, and between what a model writes its thought.

use serde::{Deserialize, Serialize};

use super::both_ways;
use crate::{domain, metrics};

/// Why a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    Eos,
    MaxTokens,
    Context,
    Grammar,
    Cut,
    Repetition,
    Unknown,
}
both_ways!(enum Stop, domain::Stop { Eos, MaxTokens, Context, Grammar, Cut, Repetition, Unknown });

/// The strings between which a model writes its thought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Markers {
    open: String,
    close: String,
}

impl From<metrics::Markers> for Markers {
    fn from(metrics::Markers { open, close }: metrics::Markers) -> Self {
        Self { open: open.into_owned(), close: close.into_owned() }
    }
}

impl From<Markers> for metrics::Markers {
    fn from(Markers { open, close }: Markers) -> Self {
        Self { open: open.into(), close: close.into() }
    }
}
