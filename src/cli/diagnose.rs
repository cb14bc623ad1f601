//! Owns the arguments of `diagnose`.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::parsers::like;
use super::run::{KernelsArg, Means, SPEED, ServerOptions};
use crate::diagnosis::Like;

#[derive(Debug, Args)]
#[command(mut_arg("served_as", |name| name.visible_alias("model")))]
pub struct DiagnoseArgs {
    /// The model: a GGUF file, or a name of the catalogue (moe-sweep model list).
    #[arg(value_name = "FILE|ID", required_unless_present = "server", conflicts_with = "server")]
    pub model: Option<String>,
    /// The runtime whose defaults it runs with.
    #[arg(long, value_name = "RUNTIME", default_value = "llama-server", value_parser = like())]
    pub like: Like,
    /// What becomes of a prompt: raw (nothing), jinja (the model's own chat template), chat (llama.cpp's built-in form)
    /// [default: jinja where the model's file has a template].
    #[arg(long, value_name = "TEMPLATE")]
    pub template: Option<String>,
    /// Tokens of a text at most. A loop that begins later is not seen.
    #[arg(long, value_name = "N", default_value = "128")]
    pub max_tokens: NonZeroU32,
    /// Your own prompts, at least 12: one a line, JSON lines, or a JSON list
    /// [default: 72 built-in ones of six kinds].
    #[arg(long, value_name = "FILE")]
    pub prompt_file: Option<PathBuf>,
    /// Stop after this time: 10m, 90s, 2h. A search ends while there is time left to confirm what looks best by then.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub budget: Option<Duration>,
    /// Stop after so many texts, in the same way. Texts that are there already do not count.
    #[arg(long, value_name = "N")]
    pub texts: Option<NonZeroUsize>,
    /// Where the stages' runs and the diagnosis go [default: results/diagnose- and the model's name].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the diagnosis as JSON.
    #[arg(long)]
    pub json: bool,
    // Below are the groups with headings: what stands after them would stand under the last one.
    #[command(flatten)]
    pub samplers: SamplerOptions,
    #[command(flatten)]
    pub engine: EngineOptions,
    #[command(flatten)]
    pub server: ServerOptions,
    #[command(flatten)]
    pub means: Means,
    /// What multiplies quantised weights on the CPU; see `run`.
    #[arg(long, value_enum, default_value = "auto", env = "MOE_SWEEP_KERNELS", help_heading = SPEED)]
    pub kernels: KernelsArg,
}

fn time(typed: &str) -> Result<Duration, String> {
    humantime::parse_duration(typed).map_err(|error| format!("{error}; write it as 10m, 90s or 2h"))
}

/// What you run with where it is not the runtime's default.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Samplers, where they are not the runtime's defaults")]
pub struct SamplerOptions {
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub temperature: Option<f32>,
    #[arg(long, value_name = "K")]
    pub top_k: Option<i32>,
    #[arg(long, value_name = "P")]
    pub top_p: Option<f32>,
    #[arg(long, value_name = "P")]
    pub min_p: Option<f32>,
    /// 1 is none.
    #[arg(long, value_name = "X")]
    pub repeat_penalty: Option<f32>,
    #[arg(long, value_name = "N")]
    pub repeat_last_n: Option<i32>,
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub presence_penalty: Option<f32>,
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub frequency_penalty: Option<f32>,
}

/// Levels as an experiment file writes them.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Engine, where it is not llama.cpp's default")]
pub struct EngineOptions {
    /// f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0 or iq4_nl.
    #[arg(long, value_name = "TYPE")]
    pub cache_type_k: Option<String>,
    #[arg(long, value_name = "TYPE")]
    pub cache_type_v: Option<String>,
    /// auto, on or off.
    #[arg(long, value_name = "WHETHER")]
    pub flash_attn: Option<String>,
    /// model, always or never.
    #[arg(long, value_name = "WHETHER")]
    pub bos: Option<String>,
    /// Any other factor of an experiment and its level, such as rope=linear:4 or eos=ignore.
    #[arg(long = "set", value_name = "FACTOR=LEVEL")]
    pub set: Vec<String>,
}
