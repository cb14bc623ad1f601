//! Owns what is to be generated, and what is told while it is.

use std::io;
use std::ops::AddAssign;

use crate::Step;

/// A token id of the model's vocabulary.
pub type Token = i32;

/// Names a job in what is told of it; the caller's own number.
pub type Ticket = u32;

/// Jobs to generate, grouped by prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// The most tokens a job may generate.
    pub max_tokens: u32,
    pub groups: Vec<Group>,
    /// Whether to hash the logits too; it takes time.
    pub hash_logits: bool,
}

/// Jobs that share a prompt, and therefore its evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its tokens, all that surrounds it included.
    pub prompt: Vec<Token>,
    pub jobs: Vec<Job>,
}

/// Which token ends a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Eos {
    /// Those that the model's vocabulary says end a generation.
    #[default]
    Model,
    /// None, and they are never chosen.
    Ignore,
    /// This one alone.
    Token(Token),
}

/// One text to generate.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub ticket: Ticket,
    pub chain: Vec<Step>,
    /// Not looked at where the chain makes no draw.
    pub seed: u32,
    pub eos: Eos,
}

/// One generated text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Tokens of the prompt, BOS included.
    pub n_prompt_tokens: u32,
    /// The generated tokens, without the end-of-generation token.
    pub tokens: Vec<Token>,
    /// `tokens` as text; bytes that are not UTF-8 become U+FFFD.
    pub text: String,
    pub stop: Stop,
    /// blake3 of all logits that the tokens were chosen from, where the work asked for it.
    pub logits_blake3: Option<String>,
}

/// Why a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The model chose an end-of-generation token.
    Eos,
    MaxTokens,
    /// Its context is full.
    Context,
    /// The chain's grammar allows no token more.
    Grammar,
}

/// How long a job took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// From the job's first sampled token to its last, in seconds; with what it waited for a sequence.
    pub seconds: f64,
    /// Sequences that were decoded together when the job ended, itself included.
    pub rows: u32,
    /// From the beginning of its prompt's evaluation to its first token, in seconds; None where the prompt had been
    /// evaluated for another job already.
    pub first_token_seconds: Option<f64>,
}

/// What is told while jobs are generated. An error from any of these means that nobody listens any more: the engine
/// stops.
pub trait Observer: Send {
    fn started(&mut self, ticket: Ticket) -> io::Result<()>;
    fn finished(&mut self, ticket: Ticket, generation: Generation, timing: Timing) -> io::Result<()>;
    fn worked(&mut self, done: Done<'_>) -> io::Result<()>;
}

/// What has been done since this was last told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done<'a> {
    /// A prompt was evaluated, in pieces of so many tokens, after a head of so many that another prompt's evaluation
    /// had already.
    Prompt { pieces: &'a [u32], head: u32 },
    /// A token of each of so many sequences was evaluated, in a batch of so many tokens: a sequence may have a twin in
    /// it.
    Step { sequences: u64, tokens: u64 },
    /// Tokens were chosen.
    Drawn(Draws),
    /// So many sequences went to another context, where cores had nothing to do.
    Moved { sequences: u64 },
}

/// Tokens chosen, by whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Draws {
    /// By the samplers in Rust.
    pub fast: u64,
    /// By llama.cpp's.
    pub llama: u64,
}

impl AddAssign for Draws {
    fn add_assign(&mut self, more: Self) {
        self.fast += more.fast;
        self.llama += more.llama;
    }
}
