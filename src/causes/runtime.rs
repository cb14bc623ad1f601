//! Says in each runtime's words what a person changes there.
//!
//! A line is one to paste: a flag of the server's command line, a line of a Modelfile, a variable of the environment, a
//! field of a request, an argument of a function. Where the remedy is to say nothing, the line says what to leave out.
//! Each runtime's words are in a file of their own.

mod llama_server;
mod lm_studio;
mod ollama;
mod openai;
mod request;
mod shimmy;
mod transformers;
mod vllm;

use strum::{Display, EnumString, VariantNames};

macro_rules! knobs {
    ($($(#[doc = $doc:literal])? $knob:ident,)+) => {
        /// Something that a person can set. Its values are those of the factor in an experiment file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display)]
        #[strum(serialize_all = "kebab-case")]
        pub enum Knob {
            $($(#[doc = $doc])? $knob,)+
        }

        impl Knob {
            pub const ALL: [Self; [$(stringify!($knob)),+].len()] = [$(Self::$knob),+];
        }
    };
}

knobs! {
    Temperature,
    TopK,
    TopP,
    MinP,
    RepeatPenalty,
    RepeatLastN,
    PresencePenalty,
    FrequencyPenalty,
    DryMultiplier,
    /// Which samplers, in which order: llama-server's names with `;` between them.
    Samplers,
    /// `raw`, `chat` (llama.cpp's built-in form), `jinja` (the model's own), or the name of a built-in form.
    Template,
    /// `default`, `none` (an empty one), or its text.
    System,
    /// `default`, `on` or `off`.
    Thinking,
    /// `model`, `always` or `never`.
    Bos,
    /// `model`, `ignore`, or a token's id.
    Eos,
    Context,
    /// What happens where the context is full: `stop`, `shift`, or `shift:N` with N tokens kept.
    ContextShift,
    /// `model`, `none`, or with a number `linear:4`, `yarn:4`, `base:1000000`.
    Rope,
    CacheTypeK,
    CacheTypeV,
    /// `auto`, `on` or `off`.
    FlashAttention,
    Ubatch,
    Parallel,
    /// `true` or `false`.
    SwaFull,
    /// Whose experts are on the host: `none`, `all`, or the first so many layers.
    CpuMoe,
    /// `true` or `false`.
    OpOffload,
    /// `model`, or a number.
    ExpertsUsed,
    /// `source`, or a type: `q8_0`.
    Quant,
    /// `none`, `json`, or a grammar in GBNF.
    Grammar,
    /// Filler in front of a prompt, in tokens: no runtime has a setting for it.
    PrefixTokens,
}

/// A knob that is turned, from what to what: "1.3" to "1.0".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    pub knob: Knob,
    pub from: String,
    pub to: String,
}

/// A program that runs models, by the name that the command line has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Runtime {
    LlamaServer,
    Ollama,
    #[strum(serialize = "openai")]
    OpenAi,
    Vllm,
    #[strum(serialize = "lmstudio")]
    LmStudio,
    Transformers,
    Shimmy,
}

impl Runtime {
    pub const ALL: [Self; Self::VARIANTS.len()] =
        [Self::LlamaServer, Self::Ollama, Self::OpenAi, Self::Vllm, Self::LmStudio, Self::Transformers, Self::Shimmy];

    /// The line that makes this adjustment; None where the runtime has no such knob, or not this value of it.
    pub fn line(self, adjustment: &Adjustment) -> Option<String> {
        match self {
            Self::LlamaServer => llama_server::line(adjustment),
            Self::Ollama => ollama::line(adjustment),
            Self::OpenAi => openai::line(adjustment),
            Self::Vllm => vllm::line(adjustment),
            Self::LmStudio => lm_studio::line(adjustment),
            Self::Transformers => transformers::line(adjustment),
            Self::Shimmy => shimmy::line(adjustment),
        }
    }
    /// The field of a request that makes this adjustment, where a line of the server's own words makes it too; None where
    /// there is one way to say it.
    pub fn request(self, adjustment: &Adjustment) -> Option<String> {
        let field = request::field_of(adjustment)?;
        match self {
            Self::LlamaServer => Some(field),
            Self::Ollama => Some(format!("\"options\": {{ {field} }}")),
            Self::OpenAi | Self::Vllm | Self::LmStudio | Self::Transformers | Self::Shimmy => None,
        }
    }
}

/// What stands in front of a prompt is a person's own, in every runtime.
fn filler(to_tokens: &str) -> Option<String> {
    Some(format!("put {to_tokens} tokens of filler in front of a prompt"))
}

/// How many requests there are at a time is the asker's own, where a server has no setting for it.
fn at_a_time(to: &str) -> Option<String> {
    Some(format!("send no more than {to} {} at a time", if to == "1" { "request" } else { "requests" }))
}

/// A field of a JSON request.
fn field(name: &str, value: &str) -> Option<String> {
    Some(format!("\"{name}\": {value}"))
}

/// A text as a string of JSON, which is one of Python's too.
fn in_quotes(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A word of a shell's command line.
fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A message of a chat, as the system prompt is said wherever there are messages.
fn system_message(system: &str) -> String {
    let message = |text| format!("{{\"role\": \"system\", \"content\": {}}}", in_quotes(text));
    match system {
        "default" => "leave out the system message".to_owned(),
        "none" => message(""),
        text => message(text),
    }
}

/// What becomes of a prompt where the built-in forms of llama.cpp are not at hand.
enum Templating {
    Raw,
    Own,
}

/// Any template is the model's own there, so that leaving the raw prompt leads to it; another form can't be had.
fn templating(from: &str, to: &str) -> Option<Templating> {
    match (from, to) {
        (_, "raw") => Some(Templating::Raw),
        ("raw", _) | (_, "jinja") => Some(Templating::Own),
        _ => None,
    }
}

/// The path of an OpenAI-style API that puts a prompt into the model's own template, or does not.
fn openai_path(from: &str, to: &str) -> Option<String> {
    let path = match templating(from, to)? {
        Templating::Raw => "POST /v1/completions",
        Templating::Own => "POST /v1/chat/completions",
    };
    Some(path.to_owned())
}

/// The format of an OpenAI-style request.
fn response_format(grammar: &str) -> Option<String> {
    match grammar {
        "none" => Some("leave out response_format".to_owned()),
        "json" => field("response_format", "{\"type\": \"json_object\"}"),
        _ => None,
    }
}
