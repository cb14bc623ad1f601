//! Owns what becomes of a text that fills its context: how long it may be, and what it forgets to go on.
//!
//! Must not know how a sequence is told.

use std::ops::Range;

use crate::{Overflow, Stop};

/// How long a text may be, and why it ends there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Length {
    pub tokens: usize,
    pub stop: Stop,
}

impl Overflow {
    /// How many tokens of context a prompt of `n_prompt_tokens` needs at least, where `max_tokens` may follow it.
    pub(crate) fn least_context(self, n_prompt_tokens: usize, max_tokens: u32) -> usize {
        match self {
            Self::Refuse => n_prompt_tokens + max_tokens as usize,
            Self::Stop | Self::Shift { .. } => n_prompt_tokens + 1,
        }
    }

    /// How long the text after a prompt may be.
    pub(crate) fn length(self, n_prompt_tokens: usize, max_tokens: u32, context: u32) -> Length {
        let (room, most) = ((context as usize).saturating_sub(n_prompt_tokens), max_tokens as usize);
        match self {
            Self::Stop if room < most => Length { tokens: room, stop: Stop::Context },
            Self::Refuse | Self::Stop | Self::Shift { .. } => Length { tokens: most, stop: Stop::MaxTokens },
        }
    }

    /// Which of the tokens that a sequence holds it forgets before the next one; beside `keep` it keeps `bos` tokens before the text's own. As
    /// llama-server has it (its `update_slots`), where the next one would be the context's last.
    pub(crate) fn forgotten(self, n_held: u32, bos: u32, context: u32) -> Option<Range<u32>> {
        let Self::Shift { keep } = self else { return None };
        if n_held + 1 < context {
            return None;
        }
        let keep = keep.saturating_add(bos).min(context.saturating_sub(4));
        let half = (n_held.saturating_sub(keep) / 2).max(1);
        Some(keep..keep + half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_forgets_is_what_llama_server_lets_it_forget() {
        let shift = |keep| Overflow::Shift { keep };
        assert_eq!(shift(0).forgotten(254, 0, 256), None);
        assert_eq!(shift(0).forgotten(255, 0, 256), Some(0..127));
        assert_eq!(shift(4).forgotten(255, 1, 256), Some(5..130));
        // No more is kept than leaves four tokens.
        assert_eq!(shift(1000).forgotten(255, 1, 256), Some(252..253));
        assert_eq!(shift(u32::MAX).forgotten(1, 1, 2), Some(0..1));
        assert_eq!([Overflow::Refuse, Overflow::Stop].map(|other| other.forgotten(255, 0, 256)), [None, None]);
    }

    #[test]
    fn a_text_that_fits_is_the_same_whatever_becomes_of_others() {
        for overflow in [Overflow::Refuse, Overflow::Stop, Overflow::Shift { keep: 0 }] {
            assert_eq!(overflow.length(56, 200, 256), Length { tokens: 200, stop: Stop::MaxTokens });
            // The last token is not evaluated: before it 56 + 198 are held.
            assert_eq!(overflow.forgotten(56 + 198, 0, 256), None);
        }
        assert_eq!(Overflow::Stop.length(57, 200, 256), Length { tokens: 199, stop: Stop::Context });
    }
}
