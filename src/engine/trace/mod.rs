//! Owns how texts are followed through a model, and what is kept of each position. Must not know how the model does it.
//!
//! A *position* is one evaluation whose logits choose a token: that of the
//! prompt's last token, then that of each generated token but the last. A text
//! that ends with the end-of-generation token has one position more than it
//! has tokens. Owns the request, the answer, and in `scratch` the files in
//! which large results cross processes. Must not know what is computed from
//! them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Ticket;
use crate::domain::{PromptKey, Stop, Token};

mod scratch;

pub use scratch::{LogitsReader, LogitsWriter, RoutingReader, RoutingWriter, ScratchError};

/// Texts to follow, as many side by side as the batch that the model was loaded for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceWork {
    /// The most tokens of a text.
    pub max_tokens: u32,
    pub texts: Vec<TraceText>,
    pub record: Record,
    /// Where the files go; it exists.
    #[serde(with = "crate::any_path")]
    pub directory: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceText {
    pub ticket: Ticket,
    pub prompt: String,
    pub key: PromptKey,
    pub follow: Follow,
}

/// Which tokens a text has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Follow {
    /// The one with the greatest logit each time; the first of equals.
    Greedy,
    /// These, whatever the model would choose (teacher forcing).
    Forced { tokens: Vec<Token>, stop: Stop },
}

/// What is kept of every position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    Nothing,
    /// All logits.
    Logits,
    /// The experts that every layer's router selects, and its probabilities.
    Routing,
}

/// A text that was followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Traced {
    pub ticket: Ticket,
    /// Tokens of the prompt, BOS included.
    pub n_prompt_tokens: u32,
    /// Without the end-of-generation token.
    pub tokens: Vec<Token>,
    pub stop: Stop,
    /// blake3 of all logits, in order.
    pub logits_blake3: String,
    pub n_vocab: u32,
    /// Where routing was recorded.
    pub routing: Option<RoutingShape>,
}

/// What one position of a routing trace holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutingShape {
    /// The layers that have experts, ascending.
    pub layers: Vec<u32>,
    /// Experts of a layer.
    pub n_expert: u32,
    /// Experts that a layer selects for a token.
    pub n_used: u32,
}

/// What one layer's router did at one position.
#[derive(Clone, Debug, PartialEq)]
pub struct Routed {
    /// In the order of their score, the best first.
    pub experts: Vec<u32>,
    /// Of every expert; they sum to 1.
    pub probabilities: Vec<f32>,
}

impl Follow {
    /// The positions of a forced text; None where the model decides.
    pub fn n_positions(&self) -> Option<usize> {
        match self {
            Self::Greedy => None,
            Self::Forced { tokens, stop } => Some(positions(tokens.len(), *stop)),
        }
    }
}

impl Traced {
    pub fn n_positions(&self) -> usize {
        positions(self.tokens.len(), self.stop)
    }
}

fn positions(tokens: usize, stop: Stop) -> usize {
    tokens + usize::from(stop == Stop::Eos)
}
