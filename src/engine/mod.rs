//! Engines turn prompts and sampler chains into texts.
//!
//! Owns the [`Engine`] trait and everything that crosses it. Must not know
//! experiment files, plans, journals, metrics, or that it runs in a child
//! process.

use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{Eos, Generation, LoadKey, Numerics, PromptKey, Quant, ResolvedChain, Seed};

mod device;
mod footprint;
pub mod http;
pub mod kernels;
#[cfg(feature = "llama")]
pub mod llama;
#[cfg(not(feature = "llama"))]
#[path = "without_llama.rs"]
pub mod llama;
mod messages;
pub mod scripted;
mod strategy;
mod takeover;
pub mod trace;

pub use device::{Device, DeviceKind, Devices};
pub use footprint::{Footprint, Holding, Saved};
pub use messages::Messages;
pub use strategy::{CACHE_STEP, Limits, Shape, Strategy};
pub use takeover::{Takeover, Widths};
pub use trace::{TraceWork, Traced};

/// A loaded model that can generate.
pub trait Engine {
    /// Generates every job of `work`, several at a time, and reports each one
    /// as it begins and ends.
    ///
    /// # Errors
    /// When the engine can't go on; jobs that have not been reported finished
    /// have no result then.
    fn generate(&mut self, work: &Work, observer: &mut dyn Observer) -> Result<(), EngineError>;

    /// Goes on with the same weights in contexts of other settings; says what that takes, where the engine holds weights.
    ///
    /// # Errors
    /// When it is somewhere else, and chooses its own settings, or can't allocate the contexts.
    fn reuse(&mut self, _: &LoadSettings) -> Result<Option<Footprint>, EngineError> {
        Err(EngineError::OfOthers)
    }

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
    pub groups: Vec<Group>,
    /// Whether to hash the logits too; it takes time.
    pub hash_logits: bool,
}

/// Jobs that share a prompt, and therefore its evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    pub prompt: String,
    pub key: PromptKey,
    pub jobs: Vec<Job>,
}

/// One text to generate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub ticket: Ticket,
    pub chain: ResolvedChain,
    /// None where the chain makes no draw.
    pub seed: Option<Seed>,
    pub eos: Eos,
}

/// What was computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effort {
    /// Tokens that went through the model, those of prompts included.
    pub evaluated_tokens: u64,
    /// Tokens chosen by the samplers in Rust.
    pub fast_draws: u64,
    /// Tokens chosen by llama.cpp's samplers.
    pub llama_draws: u64,
    /// Sequences that went to another context, where cores had nothing to do.
    pub moved_sequences: u64,
    /// Tokens of prompts that need not be evaluated, for another prompt began with them.
    pub shared_head_tokens: u64,
    /// How wide steps were; None where there is no device beside the host to take any over.
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
        self.shared_head_tokens += more.shared_head_tokens;
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
    pub batch: u32,
    /// From the beginning of its prompt's evaluation to its first token, in seconds; None
    /// where the prompt had been evaluated for another job already. A server's: from the
    /// request to the first piece of text.
    pub first_token_seconds: Option<f64>,
}

/// How weights that stay on the host get into its memory; changes no text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadMode {
    /// The engine's own choice.
    #[default]
    Auto,
    /// The file is mapped.
    Mmap,
    /// The file is read, beside a GPU into memory that the GPU's driver has pinned.
    None,
}

/// What decides that a model must be loaded anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadSettings {
    #[serde(with = "crate::any_path")]
    pub path: PathBuf,
    /// What the file must hash to: it may have been replaced since it was surveyed.
    pub blake3: String,
    /// How, and of which file.
    pub levels: LoadKey,
    pub numerics: Numerics,
    /// Tokens of context for each sequence.
    pub context: u32,
    pub strategy: Strategy,
    pub samplers: Samplers,
    pub sharing: Sharing,
    pub load_mode: LoadMode,
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

/// Changes weights of a file in the type that they have.
#[derive(Clone, Copy, Debug)]
pub struct BlockCodec {
    /// Whether rows of this `ggml_type` can be changed.
    pub takes: fn(ggml_type: u32) -> bool,
    /// Turns a row of such a type into numbers, has them changed, and turns them back.
    pub rewrite: fn(ggml_type: u32, row: &mut [u8], change: Change<'_>),
}

/// Changes the numbers of a row.
type Change<'a> = &'a mut dyn FnMut(&mut [f32]);

/// How many tokens prompts become.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PromptCounts(Vec<(PromptKey, Result<Vec<u32>, Unaskable>)>);

/// Why a model can't be asked as a key of prompts has it, by the factor whose level is at fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Unaskable {
    #[error("{0}")]
    Template(String),
    #[error("{0}")]
    Bos(String),
    #[error("{0}")]
    System(String),
    #[error("{0}")]
    Thinking(String),
}

impl PromptCounts {
    /// For each key those of every prompt, in the order they were given; or why the model can't be asked in this way.
    pub fn of(keys: &[PromptKey], counts: impl Fn(&PromptKey) -> Result<Vec<u32>, Unaskable>) -> Self {
        Self(keys.iter().map(|key| (key.clone(), counts(key))).collect())
    }

    /// Those of one of its keys.
    pub fn get(&self, key: &PromptKey) -> &Result<Vec<u32>, Unaskable> {
        let found = self.0.iter().find(|(counted, _)| counted == key);
        &found.expect("each way to ask is counted").1
    }
}

/// What texts may be: a chain's step, to be read before anything is made with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Grammar {
    pub grammar: String,
    pub root: String,
}

/// The prompts that a model will be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Questions {
    pub prompts: Vec<String>,
    pub keys: Vec<PromptKey>,
}

/// What the engine is, as far as it may change a text, and what it runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineFacts {
    /// Versions, build options and CPU features in one line.
    pub fingerprint: String,
    /// What multiplies weights on the host; None where that is not ours to say.
    pub kernels: Option<kernels::Kernels>,
    /// Devices other than the CPU, as the engine names them.
    pub accelerators: Vec<String>,
    /// Why `numerics = "invariant"` does not hold in this build, if so.
    pub variance: Option<String>,
}

/// Errors that leave the process alive; llama.cpp aborts it on others.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[cfg(feature = "llama")]
    #[error(transparent)]
    Llama(::llama::Error),
    #[cfg(not(feature = "llama"))]
    #[error("this build of moe-sweep has no llama.cpp, which runs, quantises and tokenises for GGUF files")]
    WithoutLlama,
    #[error("cannot load the model {path}: {reason}")]
    Load { path: PathBuf, reason: String },
    #[error("{path} has changed since the run began: run the same command again")]
    Changed { path: PathBuf },
    #[error("cannot bring {path} to {quant}: {reason}")]
    Quantise { path: PathBuf, quant: Quant, reason: String },
    /// It can't be used.
    #[error("{0}")]
    Server(String),
    /// The model is somewhere else, and can't be asked any more.
    #[error("{0}")]
    Unreachable(String),
    #[error("cannot put the prompt to the model: {0}")]
    Unaskable(#[from] Unaskable),
    #[error("decoding failed: {0}")]
    Decode(String),
    #[error("the settings of this model's engine are not ours to choose")]
    OfOthers,
    #[error("this model's engine can't be looked into: follow a model that llama.cpp runs, a GGUF file")]
    Opaque,
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
