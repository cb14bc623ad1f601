//! Owns whether a prompt and its text have room in a context, and what becomes of them where they have not. Must not know
//! how a text is made.

use super::PlanError;
use crate::domain::{Generate, LoadKey, Overflow};

/// What a prompt and its text may have together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub max_tokens: u32,
    pub context: u32,
    pub overflow: Overflow,
}

impl Room {
    /// That of a load's texts.
    pub fn of(key: &LoadKey, generate: Generate) -> Self {
        Self { context: key.context(generate), overflow: *key.get(), ..Self::usual(generate) }
    }

    /// That of texts whose context is the experiment's, and must not be full.
    pub fn usual(Generate { max_tokens, context, .. }: Generate) -> Self {
        Self { max_tokens, context, overflow: Overflow::default() }
    }

    /// Whether a text after a prompt of so many tokens can fill its context.
    pub fn can_overflow(self, n_prompt_tokens: u32) -> bool {
        n_prompt_tokens.saturating_add(self.max_tokens) > self.context
    }

    /// The most tokens that lie one after the other in a context.
    pub fn reached(self, n_prompt_tokens: u32) -> u32 {
        n_prompt_tokens.saturating_add(self.max_tokens).min(self.context)
    }

    /// Returns the prompt's tokens, where there is room for them.
    pub fn take(self, model: &str, prompt: &str, n_prompt_tokens: u32) -> Result<u32, PlanError> {
        let Self { max_tokens, context, overflow } = self;
        let (model, prompt) = (model.to_owned(), prompt.to_owned());
        match overflow {
            Overflow::Refuse if self.can_overflow(n_prompt_tokens) => {
                Err(PlanError::PromptTooLong { prompt, model, n_prompt_tokens, max_tokens, context })
            }
            Overflow::Stop | Overflow::Shift(_) if n_prompt_tokens >= context => {
                Err(PlanError::PromptFillsContext { prompt, model, n_prompt_tokens, context })
            }
            Overflow::Refuse | Overflow::Stop | Overflow::Shift(_) => Ok(n_prompt_tokens),
        }
    }
}
