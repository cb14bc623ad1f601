//! Engines turn a prompt and sampler chains into texts.
//!
//! Owns the [`Engine`] trait and what crosses it. Must not know experiments'
//! files, plans, journals or metrics.

use serde::{Deserialize, Serialize};

/// A token id of the model's vocabulary.
pub type Token = i32;

/// One generated text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Tokens of the prompt, BOS included.
    pub n_prompt_tokens: u32,
    /// The generated tokens, without the end-of-generation token.
    pub tokens: Vec<Token>,
    /// `tokens` as text; bytes that are not UTF-8 become U+FFFD.
    pub text: String,
    pub stop: Stop,
}

/// Why a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The model chose an end-of-generation token.
    Eos,
    MaxTokens,
}

impl Stop {
    pub fn name(self) -> &'static str {
        match self {
            Self::Eos => "eos",
            Self::MaxTokens => "max_tokens",
        }
    }
}
