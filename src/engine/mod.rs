//! Engines turn prompts and sampler chains into texts.
//!
//! Owns the [`Engine`] trait and everything that crosses it. Must not know
//! experiment files, plans, journals, metrics, or that it runs in a child
//! process.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::experiment::{Bos, Numerics, Offload, OpOffload, Quant, ResolvedChain, Seed, Template};
use crate::metrics::Markers;

mod chat;
mod device;
mod footprint;
pub mod http;
pub mod llama;
pub mod scripted;
mod strategy;
mod takeover;
pub mod trace;

pub use chat::ChatForm;
pub use device::{Device, DeviceKind, Devices};
pub use footprint::{Footprint, Holding, Saved};
pub use strategy::{CACHE_STEP, Limits, MAX_ROWS, Shape, Strategy};
pub use takeover::{Takeover, Widths};
pub use trace::{TraceWork, Traced};

/// A token id of the model's vocabulary.
pub type Token = i32;

/// A loaded model that can generate.
pub trait Engine {
    /// Generates every job of `work`, several at a time, and reports each one
    /// as it begins and ends.
    ///
    /// # Errors
    /// When the engine can't go on; jobs that have not been reported finished
    /// have no result then.
    fn generate(&mut self, work: &Work, observer: &mut dyn Observer) -> Result<(), EngineError>;

    /// Follows texts and records what `work` asks for, in files too; tells of
    /// progress only.
    ///
    /// # Errors
    /// When the engine can't be looked into, or can't go on.
    fn trace(&mut self, _: &TraceWork, _: &mut dyn Observer) -> Result<Vec<Traced>, EngineError> {
        Err(EngineError::Opaque)
    }
}

/// What an engine tells while it works. An error from any of these means
/// that nobody listens any more: the engine stops.
pub trait Observer: Send {
    fn started(&mut self, ticket: Ticket) -> std::io::Result<()>;
    fn finished(&mut self, ticket: Ticket, generation: Generation, timing: Timing) -> std::io::Result<()>;
    /// There will be no text for this job, although it was tried so often.
    fn failed(&mut self, ticket: Ticket, reason: String, attempts: u32) -> std::io::Result<()>;
    /// A job is asked for again, for this reason, after a pause; only servers make one wait.
    fn pausing(&mut self, _reason: String, _pause: Duration) -> std::io::Result<()> {
        Ok(())
    }
    /// So much more has been done.
    fn worked(&mut self, effort: Effort) -> std::io::Result<()>;
}

/// Names a job in what an engine reports; the caller's own number.
pub type Ticket = u32;

/// Jobs to generate, grouped by prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// The most tokens a job may generate.
    pub max_tokens: u32,
    pub bos: Bos,
    pub groups: Vec<Group>,
    /// Whether to hash the logits too; it takes time.
    #[serde(default)]
    pub hash_logits: bool,
}

/// Jobs that share a prompt, and therefore its evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    pub prompt: String,
    pub template: Template,
    pub jobs: Vec<Job>,
}

/// One text to generate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub ticket: Ticket,
    pub chain: ResolvedChain,
    /// None where the chain makes no draw.
    pub seed: Option<Seed>,
}

/// One generated text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Tokens of the prompt, BOS included; None where a server does not tell.
    #[serde(default)]
    pub n_prompt_tokens: Option<u32>,
    /// The generated tokens, without the end-of-generation token; None where a
    /// server gives text only.
    #[serde(default)]
    pub tokens: Option<Vec<Token>>,
    /// How many they are, where a server tells no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_stated_tokens: Option<u32>,
    /// What a server gives apart from the answer as the model's thought; None where it parts
    /// nothing, and then a thought may stand in `text` between the model's markers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thought: Option<String>,
    /// `tokens` as text, or the answer where a server gives the thought apart; bytes that are
    /// not UTF-8 become U+FFFD.
    pub text: String,
    pub stop: Stop,
    /// What a server's answer says against itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// blake3 of all logits that the tokens were chosen from, where the work asked
    /// for it: two texts can agree by luck, their logits can't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logits_blake3: Option<String>,
}

/// Why a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The model chose an end-of-generation token.
    Eos,
    MaxTokens,
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

/// What was computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Effort {
    /// Tokens that went through the model, those of prompts included.
    pub evaluated_tokens: u64,
    /// Tokens chosen by the samplers in Rust.
    pub fast_draws: u64,
    /// Tokens chosen by llama.cpp's samplers.
    pub llama_draws: u64,
    /// Sequences that went to another context, where cores had nothing to do.
    pub moved_sequences: u64,
    /// How wide steps were; None where there is no device beside the host to take any over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub widths: Option<Widths>,
}

impl Effort {
    pub fn evaluated(tokens: u64) -> Self {
        Self { evaluated_tokens: tokens, ..Self::default() }
    }
}

impl AddAssign for Effort {
    fn add_assign(&mut self, more: Self) {
        self.evaluated_tokens += more.evaluated_tokens;
        self.fast_draws += more.fast_draws;
        self.llama_draws += more.llama_draws;
        self.moved_sequences += more.moved_sequences;
        if let Some(more) = more.widths {
            *self.widths.get_or_insert_default() += more;
        }
    }
}

/// Which samplers choose; the tokens are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Samplers {
    /// Those in Rust, for the chains that they cover.
    #[default]
    Fast,
    /// llama.cpp's own, for comparison.
    Llama,
}

/// Which texts share evaluations; the tokens are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// Every text evaluates its prompt and its tokens by itself.
    None,
    /// A prompt is evaluated once for its texts.
    Prompt,
    /// So is every beginning that texts have in common.
    #[default]
    Trie,
}

/// How long a job took; varies from run to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// From the job's first sampled token to its last, in seconds.
    pub seconds: f64,
    /// Sequences that were decoded together when the job ended, itself included;
    /// 0 where a server does not tell.
    pub rows: u32,
    /// From the beginning of its prompt's evaluation to its first token, in seconds; None
    /// where the prompt had been evaluated for another job already. A server's: from the
    /// request to the first piece of text.
    #[serde(default, alias = "seconds_to_first_token", skip_serializing_if = "Option::is_none")]
    pub first_token_seconds: Option<f64>,
}

/// What decides that a model must be loaded anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadSettings {
    #[serde(with = "crate::any_path")]
    pub path: PathBuf,
    /// What the file must hash to: it may have been replaced since it was surveyed.
    pub blake3: String,
    pub offload: Offload,
    #[serde(default)]
    pub op_offload: OpOffload,
    pub numerics: Numerics,
    /// Tokens of context for each sequence.
    pub context: u32,
    pub strategy: Strategy,
    pub samplers: Samplers,
    #[serde(default)]
    pub sharing: Sharing,
}

/// A model file to be written anew, its weights brought to another type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantisation {
    #[serde(with = "crate::any_path")]
    pub source: PathBuf,
    #[serde(with = "crate::any_path")]
    pub target: PathBuf,
    pub quant: Quant,
    pub threads: u32,
}

/// What a model's file says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    pub architecture: String,
    pub n_layer: u32,
    /// Experts of a layer; 0 for a dense model.
    pub n_expert: u32,
    pub n_expert_used: u32,
    pub n_vocab: u32,
    /// The context length the model was trained for; 0 where the file does not tell.
    pub n_ctx_train: u32,
    /// How that length was reached, where positions were scaled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rope_scaling: Option<RopeScaling>,
    /// What surrounds a prompt in `template = "chat"`, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<Box<ChatForm>>,
    /// Between what the model writes its thought, where its chat template says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thought_markers: Option<Markers>,
    /// What the cache takes for one token; None where the file does not tell.
    #[serde(default)]
    pub cache_bytes_per_token: Option<u64>,
}

/// How a model's positions were scaled to a longer context.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RopeScaling {
    /// llama.cpp's name: `linear`, `yarn`, `longrope`; files of models with LongRoPE often name none.
    pub kind: Option<String>,
    pub factor: Option<f32>,
    /// The context before it was scaled.
    pub original_context: Option<u32>,
}

impl RopeScaling {
    pub fn is_long_rope(&self) -> bool {
        self.kind.as_deref().is_none_or(|kind| kind == "longrope")
    }
}

/// For each template the tokens of every prompt, in the order they were given,
/// BOS included; or why the model can't be asked in this way.
pub type PromptCounts = BTreeMap<Template, Result<Vec<u32>, String>>;

/// The prompts that a model will be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Questions {
    pub prompts: Vec<String>,
    pub templates: Vec<Template>,
    pub bos: Bos,
}

/// What the engine is, as far as it may change a text, and what it runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineFacts {
    /// Versions, build options and CPU features in one line.
    pub fingerprint: String,
    /// Devices other than the CPU, as the engine names them.
    pub accelerators: Vec<String>,
    /// Why `numerics = "invariant"` does not hold in this build, if so.
    pub variance: Option<String>,
}

/// Errors that leave the process alive; llama.cpp aborts it on others.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("cannot start llama.cpp: {0}")]
    Start(String),
    #[error("cannot load the model {path}: {reason}")]
    Load { path: PathBuf, reason: String },
    #[error("{path} has changed since the run began: run the same command again")]
    Changed { path: PathBuf },
    #[error("cannot create a context of {context} tokens for {rows} sequences: {reason}")]
    Context { context: u32, rows: u32, reason: String },
    #[error(
        "the prompt has {n_prompt_tokens} tokens; with {max_tokens} to generate it exceeds the context of {context}"
    )]
    PromptTooLong { n_prompt_tokens: usize, max_tokens: u32, context: u32 },
    #[error("cannot bring {path} to {quant}: {reason}")]
    Quantise { path: PathBuf, quant: Quant, reason: String },
    #[error("cannot put the prompt to the model: {0}")]
    Prompt(String),
    #[error("cannot build the chain's step {step}: {reason}")]
    Sampler { step: &'static str, reason: String },
    #[error("the chain selected no token")]
    NothingSelected,
    /// It can't be used.
    #[error("{0}")]
    Server(String),
    /// The model is somewhere else, and can't be asked any more.
    #[error("{0}")]
    Unreachable(String),
    #[error("decoding failed: {0}")]
    Decode(String),
    #[error("this model's engine can't be looked into: follow a model that llama.cpp runs, a GGUF file")]
    Opaque,
    #[error("cannot read the model's routing: {0}")]
    Routing(String),
    #[error(transparent)]
    Scratch(#[from] trace::ScratchError),
    #[error("nobody reads the results any more")]
    Abandoned(#[from] std::io::Error),
}

/// Which engine a model file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    Llama,
    /// A `*.scripted.toml` file: exact, instant texts for tests.
    Scripted,
}

impl EngineKind {
    pub fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".scripted.toml") { Self::Scripted } else { Self::Llama }
    }
}

impl Stop {
    pub fn name(self) -> &'static str {
        match self {
            Self::Eos => "eos",
            Self::MaxTokens => "max_tokens",
            Self::Cut => "cut",
            Self::Repetition => "repetition",
            Self::Unknown => "unknown",
        }
    }
}
