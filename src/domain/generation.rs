//! Owns what a generated text is, and why it ended. Must not know who made it.

use serde::{Deserialize, Serialize};

/// A token id of the model's vocabulary.
pub type Token = i32;

/// One generated text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Tokens of the prompt, BOS included; None where a server does not tell.
    pub n_prompt_tokens: Option<u32>,
    /// The generated tokens, without the end-of-generation token; None where a
    /// server gives text only.
    pub tokens: Option<Vec<Token>>,
    /// How many they are, where a server tells no more.
    pub n_stated_tokens: Option<u32>,
    /// What a server gives apart from the answer as the model's thought; None where it parts
    /// nothing, and then a thought may stand in `text` between the model's markers.
    pub thought: Option<String>,
    /// `tokens` as text, or the answer where a server gives the thought apart; bytes that are
    /// not UTF-8 become U+FFFD.
    pub text: String,
    pub stop: Stop,
    /// What a server's answer says against itself.
    pub doubt: Option<String>,
    /// blake3 of all logits that the tokens were chosen from, where the work asked
    /// for it: two texts can agree by luck, their logits can't.
    pub logits_blake3: Option<String>,
}

/// Why a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The model chose an end-of-generation token.
    Eos,
    MaxTokens,
    /// Its context was full.
    Context,
    /// The chain's grammar allows no token more: the text is complete, or the steps before have left none that it allows.
    Grammar,
    /// The server cut it: a lost stream, a filter, a limit of its own. How it would have gone
    /// on is not known.
    Cut,
    /// The server ended it because it repeats itself: it is a loop, whatever its text shows.
    Repetition,
    /// The server does not say.
    Unknown,
}

impl Generation {
    /// A text whose tokens are known.
    pub fn of_tokens(n_prompt_tokens: u32, tokens: Vec<Token>, text: String, stop: Stop) -> Self {
        let (n_prompt_tokens, tokens) = (Some(n_prompt_tokens), Some(tokens));
        Self {
            n_prompt_tokens,
            tokens,
            n_stated_tokens: None,
            thought: None,
            text,
            stop,
            doubt: None,
            logits_blake3: None,
        }
    }

    /// How many tokens were generated, where that is known.
    pub fn n_tokens(&self) -> Option<u32> {
        self.tokens.as_ref().map(|tokens| tokens.len() as u32).or(self.n_stated_tokens)
    }
}

impl Stop {
    pub fn name(self) -> &'static str {
        match self {
            Self::Eos => "eos",
            Self::MaxTokens => "max_tokens",
            Self::Context => "context",
            Self::Grammar => "grammar",
            Self::Cut => "cut",
            Self::Repetition => "repetition",
            Self::Unknown => "unknown",
        }
    }
}
