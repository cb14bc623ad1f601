//! Says what a device computes with weights that are on the host: llama.cpp's `op_offload` (docs/offload.md).
//!
//! Where a step's batch is large enough llama.cpp copies weights to the device and has it
//! compute with them there. Of products of experts the batch is the tokens of the whole step,
//! prompt or decoding: so the width decides where experts are computed, not only the offload.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// When a device beside the host computes products of experts that are on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Takeover {
    /// `op_offload` is off, or the device's back end has no such thing.
    Never,
    /// In steps of at least so many tokens (`GGML_OP_OFFLOAD_MIN_BATCH`).
    From(u32),
}

/// How wide the steps were, and what of them was wide enough for a takeover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Widths {
    /// Steps of decoding; prompts are counted apart.
    pub steps: u64,
    /// Tokens of these steps: one of each sequence.
    pub step_tokens: u64,
    pub wide_steps: u64,
    /// Tokens of the wide steps.
    pub wide_step_tokens: u64,
    /// Tokens of the widest step.
    pub widest_step: u64,
    pub prompt_tokens: u64,
    /// Those evaluated in pieces that were wide enough.
    pub wide_prompt_tokens: u64,
}

impl Takeover {
    /// By what a back end says of one number of tokens: whether it would take them over. If it
    /// takes a batch, it takes every larger one.
    pub fn found_by(takes: impl Fn(u32) -> bool) -> Self {
        let (mut too_few, mut enough) = (0, i32::MAX as u32);
        if !takes(enough) {
            return Self::Never;
        }
        while too_few + 1 < enough {
            let middle = too_few + (enough - too_few) / 2;
            *(if takes(middle) { &mut enough } else { &mut too_few }) = middle;
        }
        Self::From(enough)
    }

    /// The least batch that is taken over; of none, more than any batch has.
    pub fn least(self) -> u32 {
        match self {
            Self::Never => u32::MAX,
            Self::From(least) => least,
        }
    }

    /// Whether a batch of so many tokens is taken over.
    pub fn takes(self, tokens: u64) -> bool {
        match self {
            Self::Never => false,
            Self::From(least) => tokens >= u64::from(least),
        }
    }

    /// A step of decoding for so many sequences, in a batch of so many tokens: a sequence may
    /// have a twin in it.
    pub fn of_step(self, sequences: u64, tokens: u64) -> Widths {
        let mut widths = Widths { steps: 1, step_tokens: sequences, widest_step: tokens, ..Widths::default() };
        if self.takes(tokens) {
            (widths.wide_steps, widths.wide_step_tokens) = (1, sequences);
        }
        widths
    }

    /// A prompt that was evaluated in pieces of these lengths.
    pub fn of_prompt(self, pieces: impl IntoIterator<Item = u64>) -> Widths {
        let mut widths = Widths::default();
        for tokens in pieces {
            widths.prompt_tokens += tokens;
            widths.wide_prompt_tokens += if self.takes(tokens) { tokens } else { 0 };
        }
        widths
    }
}

impl AddAssign for Widths {
    fn add_assign(&mut self, more: Self) {
        let Self { steps, step_tokens, wide_steps, wide_step_tokens, widest_step, prompt_tokens, wide_prompt_tokens } =
            more;
        self.steps += steps;
        self.step_tokens += step_tokens;
        self.wide_steps += wide_steps;
        self.wide_step_tokens += wide_step_tokens;
        self.widest_step = self.widest_step.max(widest_step);
        self.prompt_tokens += prompt_tokens;
        self.wide_prompt_tokens += wide_prompt_tokens;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_what_the_back_end_says() {
        for least in [1, 2, 31, 32, 512, 1_000_000, i32::MAX as u32] {
            assert_eq!(Takeover::found_by(|tokens| tokens >= least), Takeover::From(least));
        }
        assert_eq!(Takeover::found_by(|_| false), Takeover::Never);
    }

    #[test]
    fn a_step_counts_by_its_batch_and_its_tokens_by_its_sequences() {
        let sum = |takeover: Takeover, steps: &[(u64, u64)]| {
            let mut widths = Widths::default();
            steps.iter().for_each(|&(sequences, tokens)| widths += takeover.of_step(sequences, tokens));
            widths
        };
        // Texts end one by one, and the last has a twin.
        let steps = [(40, 40), (32, 32), (31, 31), (1, 2)];
        let counted = Widths { steps: 4, step_tokens: 104, widest_step: 40, ..Widths::default() };
        assert_eq!(sum(Takeover::From(32), &steps), Widths { wide_steps: 2, wide_step_tokens: 72, ..counted });
        assert_eq!(sum(Takeover::From(2), &steps), Widths { wide_steps: 4, wide_step_tokens: 104, ..counted });
        assert_eq!(sum(Takeover::Never, &steps), counted);
    }

    #[test]
    fn a_prompt_counts_by_its_pieces_and_is_no_step() {
        let mut widths = Takeover::From(32).of_prompt([512, 31]);
        widths += Takeover::From(32).of_prompt([8]);
        assert_eq!(widths, Widths { prompt_tokens: 551, wide_prompt_tokens: 512, ..Widths::default() });
        assert_eq!(Takeover::Never.of_prompt([512]).wide_prompt_tokens, 0);
    }
}
