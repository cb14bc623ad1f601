//! Owns what a server can be said to speak: its API, the fields that it adds to it, how its answers come.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantNames};

/// The languages that servers speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, VariantNames)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Api {
    /// `/v1/completions`, and `/v1/chat/completions` for `template = "chat"`.
    #[default]
    Openai,
    /// llama-server's own `/completion`, with the order of the samplers.
    LlamaServer,
    /// `/api/generate`, raw, and `/api/chat` for `template = "chat"`.
    Ollama,
    /// Shimmy's `/api/generate`.
    Shimmy,
}

/// Sampling fields that OpenAI's API lacks and servers add under these names.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    VariantNames
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Extension {
    #[default]
    TopK,
    MinP,
    TypicalP,
    /// llama.cpp's and llama-cpp-python's name for the repetition penalty.
    RepeatPenalty,
    /// vLLM's name for it.
    RepetitionPenalty,
    /// Tokens that the penalties look back on.
    RepeatLastN,
}

/// How an answer comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Delivery {
    /// Token by token, which tells the time to the first one.
    #[default]
    Stream,
    /// At once, when it is complete.
    Whole,
}
