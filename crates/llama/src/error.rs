//! Owns what can go wrong. llama.cpp aborts the process on other errors.

use std::io;
use std::path::PathBuf;

/// Why llama.cpp can't be used, or can't go on. The process lives on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot start llama.cpp: {0}")]
    Start(String),
    #[error("cannot load the model {path}: {reason}")]
    Load { path: PathBuf, reason: String },
    #[error("cannot create a context of {context} tokens for {rows} sequences: {reason}")]
    Context { context: u32, rows: u32, reason: String },
    #[error(
        "the prompt has {n_prompt_tokens} tokens; with {max_tokens} to generate it exceeds the context of {context}"
    )]
    PromptTooLong { n_prompt_tokens: usize, max_tokens: u32, context: u32 },
    #[error("the prompt has {n_prompt_tokens} tokens, which alone fill the context of {context}")]
    PromptFillsContext { n_prompt_tokens: usize, context: u32 },
    #[error("cannot quantise {path}: {reason}")]
    Quantise { path: PathBuf, reason: String },
    #[error("cannot build the chain's step {step}: {reason}")]
    Sampler { step: &'static str, reason: String },
    #[error("the chain selected no token")]
    NothingSelected,
    /// The text is complete, or the steps before the grammar have left nothing that it allows.
    #[error("the grammar allows none of the remaining tokens")]
    NothingAllowed,
    #[error("decoding failed: {0}")]
    Decode(String),
    #[error("cannot read the model's routing: {0}")]
    Routing(String),
    /// What the caller's [`Observer`](crate::Observer) or [`Recorder`](crate::trace::Recorder) returned.
    #[error("the results are no longer read")]
    Abandoned(#[from] io::Error),
}
