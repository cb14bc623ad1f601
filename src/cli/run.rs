//! Owns the arguments of `run`, and those that say which run of an experiment is meant.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::parsers::{above_0, api};
use super::results::{Custody, Printed};
use crate::experiment::Api;

#[derive(Debug, Args)]
pub struct RunArgs {
    /// The experiment file.
    pub experiment: PathBuf,
    /// Stop after M minutes and write the results so far. The same command continues from there.
    #[arg(long, value_name = "M", value_parser = above_0)]
    pub minutes: Option<f64>,
    /// Try trials again that an earlier run recorded as failed.
    #[arg(long)]
    pub retry_failed: bool,
    #[command(flatten)]
    pub printed: Printed,
    #[command(flatten)]
    pub custody: Custody,
    // Below are the groups with headings: what stands after them would stand under the last one.
    #[command(flatten)]
    pub variant: RunVariant,
    #[command(flatten)]
    pub means: Means,
}

/// The heading of what makes texts quicker or slower.
pub(super) const SPEED: &str = "Speed and memory";

/// What texts are made with, as far as it changes none.
#[derive(Debug, Args)]
#[command(next_help_heading = SPEED)]
pub struct Means {
    /// Threads for llama.cpp [default: the cores that this process may use].
    ///
    /// More threads than free cores are slower by far.
    #[arg(long, value_name = "N", env = "MOE_SWEEP_THREADS")]
    pub threads: Option<NonZeroU32>,
    /// Contexts that decode side by side, the threads shared out among them
    /// [default: one a core for small models, one in all for large ones].
    #[arg(long, value_name = "N", env = "MOE_SWEEP_LANES")]
    pub lanes: Option<NonZeroU32>,
    /// Texts decoded together in a lane, at most 255
    /// [default: 64, or all of a prompt if they are more, as far as memory allows].
    ///
    /// Changes the speed and, with numerics = "invariant", nothing else.
    #[arg(long, value_name = "N", env = "MOE_SWEEP_BATCH", value_parser = clap::value_parser!(u32).range(1..=255))]
    pub batch: Option<u32>,
    /// Which samplers choose the tokens. The tokens are the same; `llama` is slower.
    #[arg(long, value_enum, default_value = "fast", env = "MOE_SWEEP_SAMPLERS")]
    pub samplers: SamplersArg,
    /// Which texts share evaluations. The tokens are the same; all but `trie` are slower.
    #[arg(long, value_enum, default_value = "trie", hide = true)]
    pub sharing: SharingArg,
    /// How the weights that stay on the host get into its memory. The tokens are the same.
    ///
    /// It matters where a GPU computes with experts on the host: what is read (none) is in memory that the GPU fetches
    /// from by itself, what is mapped (mmap) is copied once more.
    #[arg(long, value_enum, default_value = "auto", env = "MOE_SWEEP_LOAD_MODE")]
    pub load_mode: LoadModeArg,
    /// Give a model that shows no sign of life for so many seconds up.
    #[arg(long, value_name = "SECONDS", env = "MOE_SWEEP_STALL_TIMEOUT", default_value = "600")]
    pub stall_timeout: NonZeroU32,
    /// Wait so many seconds for memory, where a model finds too little, before the run ends as incomplete.
    ///
    /// The model is loaded again after 1, 5, 30, 30 … seconds, for half as many texts together each time.
    #[arg(long, value_name = "SECONDS", env = "MOE_SWEEP_WAIT_FOR_MEMORY", default_value = "100")]
    pub wait_for_memory: u32,
    /// Where files made for `quant` are kept [default: the user's cache directory, moe-sweep].
    #[arg(long, value_name = "DIR", env = "MOE_SWEEP_CACHE")]
    pub cache: Option<PathBuf>,
}

/// Whose samplers.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SamplersArg {
    /// moe-sweep's own, for the chains that they cover.
    Fast,
    /// llama.cpp's, for comparison.
    Llama,
}

/// Whose kernels.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KernelsArg {
    /// The quickest of moe-sweep's that work here, or else ggml's.
    Auto,
    /// llama.cpp's own.
    Ggml,
    /// moe-sweep's, for any CPU: the reference, and slow.
    Portable,
    /// moe-sweep's, for x86-64 with AVX2.
    Avx2,
    /// moe-sweep's, for x86-64 with AVX-512 and VNNI.
    Avx512,
}

/// What is evaluated once for several texts; for `make bench`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SharingArg {
    None,
    Prompt,
    Trie,
}

/// How a model's file is loaded.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LoadModeArg {
    /// llama.cpp's own choice: mmap, unless a device can't.
    Auto,
    /// The file is mapped.
    Mmap,
    /// The file is read.
    None,
}

/// Where a run's files are, and which of an experiment's repetitions it is.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where it goes, and which part of it this is")]
pub struct RunVariant {
    /// The run's directory [default: results/ and the experiment's name].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Add N to every seed: fresh texts of the same design. Chains without a draw have none.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed_offset: u32,
    /// Of N machines' parts the Kth, counted from 1; or auto: which one Slurm's array or a
    /// Kubernetes Indexed Job says that this is.
    ///
    /// Every machine divides the plan in the same way: whole prompts, few models a shard.
    /// Results go to results/NAME/shard-K-of-N; `moe-sweep merge` puts them together.
    /// auto reads SLURM_ARRAY_TASK_ID, _MIN, _STEP and _COUNT, or JOB_COMPLETION_INDEX and
    /// MOE_SWEEP_SHARDS, the number of shards.
    #[arg(long, value_name = "K/N|auto")]
    pub shard: Option<String>,
    #[command(flatten)]
    pub overrides: OverrideOptions,
    #[command(flatten)]
    pub server: ServerOptions,
    /// What multiplies quantised weights on the CPU.
    ///
    /// `auto` tries moe-sweep's own kernels for this CPU, each in a process of its own, and takes the quickest of those that
    /// compute what they should; all of them make the same texts. ggml's make others.
    #[arg(long, value_enum, default_value = "auto", env = "MOE_SWEEP_KERNELS", help_heading = SPEED)]
    pub kernels: KernelsArg,
}

/// What stands in the place of what the experiment file says.
#[derive(Debug, Args)]
#[command(next_help_heading = "Instead of what the experiment file says")]
pub struct OverrideOptions {
    /// Run this model: a GGUF file, or a name. Repeat it for several models.
    ///
    /// With --server: what the server calls the model.
    #[arg(long, value_name = "FILE|ID")]
    pub model: Vec<String>,
    /// Use these levels of a factor, such as temperature=0.1,0.9. Repeat it for several factors.
    #[arg(long, value_name = "FACTOR=LEVEL[,LEVEL]")]
    pub set: Vec<String>,
    /// Use the first N prompts only.
    #[arg(long, value_name = "N")]
    pub limit: Option<NonZeroU32>,
}

/// Asking a server in place of loading the grid's models.
#[derive(Debug, Args)]
#[command(next_help_heading = "A server in place of the models' files")]
pub struct ServerOptions {
    /// Ask the server at this address for the texts of every model of the grid.
    ///
    /// For more settings, and to have files and servers in one run, describe
    /// it in the experiment file, as a server of its own (docs/servers.md).
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
    /// The API that it speaks [default: the server is asked].
    #[arg(long, value_name = "API", requires = "server", value_parser = api())]
    pub api: Option<Api>,
    /// What the server calls the model [default: as the experiment does].
    #[arg(long, value_name = "NAME", requires = "server")]
    pub served_as: Option<String>,
    /// The chain that the server runs whatever it is asked; of a request it takes the temperature.
    #[arg(long, value_name = "CHAIN", requires = "server")]
    pub own_chain: Option<String>,
    /// The environment variable that holds the server's key.
    #[arg(long, value_name = "VARIABLE", requires = "server")]
    pub key_env: Option<String>,
}
