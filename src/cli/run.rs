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
    /// Retry trials that an earlier run recorded as failed.
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

/// How texts are made, as far as it does not change them.
#[derive(Debug, Args)]
#[command(next_help_heading = SPEED)]
pub struct Means {
    /// Threads for llama.cpp [default: the cores that this process may use].
    ///
    /// More threads than free cores are much slower.
    #[arg(long, value_name = "N", env = "MOE_SWEEP_THREADS")]
    pub threads: Option<NonZeroU32>,
    /// Contexts that decode side by side and share the threads
    /// [default: one per core for small models, one for large models].
    #[arg(long, value_name = "N", env = "MOE_SWEEP_LANES")]
    pub lanes: Option<NonZeroU32>,
    /// Texts decoded together in a lane, at most 255
    /// [default: 64, or all texts of a prompt if there are more; fewer if memory is short].
    ///
    /// With numerics = "invariant" it changes only the speed.
    #[arg(long, value_name = "N", env = "MOE_SWEEP_BATCH", value_parser = clap::value_parser!(u32).range(1..=255))]
    pub batch: Option<u32>,
    /// Which samplers choose the tokens. The tokens are the same; `llama` is slower.
    #[arg(long, value_enum, default_value = "fast", env = "MOE_SWEEP_SAMPLERS")]
    pub samplers: SamplersArg,
    /// Which texts share evaluations. The tokens are the same; all but `trie` are slower.
    #[arg(long, value_enum, default_value = "trie", hide = true)]
    pub sharing: SharingArg,
    /// How the weights that stay on the CPU are read into memory. The tokens are the same.
    ///
    /// It matters when a GPU computes with experts that are in CPU memory. With `none` the GPU fetches the weights itself;
    /// with `mmap` they are copied once more.
    #[arg(long, value_enum, default_value = "auto", env = "MOE_SWEEP_LOAD_MODE")]
    pub load_mode: LoadModeArg,
    /// Stop waiting for a model after SECONDS without progress.
    #[arg(long, value_name = "SECONDS", env = "MOE_SWEEP_STALL_TIMEOUT", default_value = "600")]
    pub stall_timeout: NonZeroU32,
    /// If a model finds too little memory, wait up to SECONDS for more before the run ends as incomplete.
    ///
    /// The model is loaded again after 1, 5, 30, 30 … seconds, each time for half as many texts together.
    #[arg(long, value_name = "SECONDS", env = "MOE_SWEEP_WAIT_FOR_MEMORY", default_value = "100")]
    pub wait_for_memory: u32,
    /// Keep files made for `quant` in this folder [default: moe-sweep in the user's cache folder].
    #[arg(long, value_name = "DIR", env = "MOE_SWEEP_CACHE")]
    pub cache: Option<PathBuf>,
}

/// Whose samplers.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SamplersArg {
    /// moe-sweep's own, for the chains that they support.
    Fast,
    /// llama.cpp's, for comparison.
    Llama,
}

/// Whose kernels.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KernelsArg {
    /// The fastest of moe-sweep's kernels that works here, otherwise ggml's.
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

/// What is evaluated only once for several texts; for `make bench`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SharingArg {
    None,
    Prompt,
    Trie,
}

/// How a model's file is loaded.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LoadModeArg {
    /// llama.cpp's own choice: mmap, unless a device can't use it.
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
    /// The run's folder [default: results/NAME, from the experiment's name].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Add N to every seed, for fresh texts of the same design. Deterministic chains have no seed.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed_offset: u32,
    /// Run part K of N (counted from 1); `auto` takes K and N from Slurm or Kubernetes.
    ///
    /// Every machine divides the plan in the same way: whole prompts, and few models per shard.
    /// Results go to results/NAME/shard-K-of-N; `moe-sweep merge` puts them together.
    /// `auto` reads SLURM_ARRAY_TASK_ID, _MIN, _STEP and _COUNT, or JOB_COMPLETION_INDEX and
    /// MOE_SWEEP_SHARDS (the number of shards).
    #[arg(long, value_name = "K/N|auto")]
    pub shard: Option<String>,
    #[command(flatten)]
    pub overrides: OverrideOptions,
    #[command(flatten)]
    pub server: ServerOptions,
    /// Which kernels multiply quantised weights on the CPU.
    ///
    /// `auto` tries moe-sweep's own kernels for this CPU, each in its own process, and takes the fastest one that computes
    /// correctly. All of moe-sweep's kernels make the same texts; ggml's make different ones.
    #[arg(long, value_enum, default_value = "auto", env = "MOE_SWEEP_KERNELS", help_heading = SPEED)]
    pub kernels: KernelsArg,
}

/// What replaces settings of the experiment file.
#[derive(Debug, Args)]
#[command(next_help_heading = "Instead of what the experiment file says")]
pub struct OverrideOptions {
    /// Run this model: a GGUF file, or a name. Repeat it for several models.
    ///
    /// With --server: the model's name on the server.
    #[arg(long, value_name = "FILE|ID")]
    pub model: Vec<String>,
    /// Use these levels of a factor, for example temperature=0.1,0.9. Repeat it for several factors.
    #[arg(long, value_name = "FACTOR=LEVEL[,LEVEL]")]
    pub set: Vec<String>,
    /// Use only the first N prompts.
    #[arg(long, value_name = "N")]
    pub limit: Option<NonZeroU32>,
}

/// Asking a server in place of loading the grid's models.
#[derive(Debug, Args)]
#[command(next_help_heading = "A server in place of the models' files")]
pub struct ServerOptions {
    /// Ask the server at this address for the texts of every model of the grid.
    ///
    /// For more settings, or to compare files and servers in one run, describe
    /// the server in the experiment file (docs/servers.md).
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
    /// The server's API [default: found out by asking the server].
    #[arg(long, value_name = "API", requires = "server", value_parser = api())]
    pub api: Option<Api>,
    /// The model's name on the server [default: its name in the experiment].
    #[arg(long, value_name = "NAME", requires = "server")]
    pub served_as: Option<String>,
    /// The sampler chain that the server always runs; it takes only the temperature from a request.
    #[arg(long, value_name = "CHAIN", requires = "server")]
    pub own_chain: Option<String>,
    /// The environment variable that holds the server's key.
    #[arg(long, value_name = "VARIABLE", requires = "server")]
    pub key_env: Option<String>,
}
