//! Owns the experiment file's shape: what serde can check, with the place of every value. Must not know what is a
//! sensible value.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::api::{Api, Delivery, Extension};
use super::hypothesis::Direction;
use super::one_of::{FactorName, MetricName, OneOf};
use super::raw_chain::RawChain;
use super::raw_levels::{RawArms, RawGrid, RawSelection};
use super::shape::ModelShape;
use super::spanned::Spanned;
use crate::domain::{Bos, Draws, Numerics};
use crate::metrics::TextPart;

/// The version of the file's shape that this program reads.
pub const SCHEMA: i64 = 1;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawExperiment {
    /// The version of the file's shape.
    // Looked at before the rest is (`schema_of`).
    #[serde(rename = "schema")]
    #[schemars(extend("const" = SCHEMA))]
    pub _schema: i64,
    /// What kind of experiment it is; a sweep, where the file does not say.
    // Looked at before the rest is, too (`kind_of`).
    #[serde(rename = "kind")]
    pub _kind: Option<String>,
    /// Also the name of the run's folder in `results`: letters, digits, `-`, `_` and `.`.
    pub name: Spanned<String>,
    /// What the experiment asks, for the report.
    pub question: Option<String>,
    /// How texts are made.
    #[serde(default)]
    pub generate: RawGenerate,
    /// The factors, each with its levels: a text is made for each combination, prompt and seed.
    pub grid: RawGrid,
    /// What the models are asked.
    pub prompts: Spanned<RawPrompts>,
    /// Models that the catalogue does not have, or has otherwise.
    #[serde(default)]
    pub model: Vec<RawModel>,
    /// Servers that are asked for texts.
    #[serde(default)]
    pub server: Vec<RawServer>,
    /// Chains beside the built-in ones.
    #[serde(default)]
    pub chain: Vec<RawChain>,
    /// Claims to test.
    #[serde(default)]
    pub hypothesis: Vec<Spanned<RawHypothesis>>,
    /// How claims are tested.
    pub analysis: Option<RawAnalysis>,
    /// To stop as soon as the hypotheses are decided.
    pub sequential: Option<Spanned<RawSequential>>,
}

/// How texts are made. What is left out has its default.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawGenerate {
    /// The most tokens of a text; default: 128.
    pub max_tokens: Option<Spanned<u32>>,
    /// Tokens for a prompt and its text together; default: enough for the longest prompt. Not where `[grid]` names levels.
    pub context: Option<Spanned<u32>>,
    /// "invariant" (default): the same text whatever is computed beside it. "fast": quicker, and texts may vary.
    #[schemars(with = "Option<OneOf<Numerics>>")]
    pub numerics: Option<Spanned<String>>,
    /// Whether a beginning-of-sequence token stands before a prompt; default: as the model's file says.
    #[schemars(with = "Option<OneOf<Bos>>")]
    pub bos: Option<Spanned<String>>,
    /// What a seed starts: "per-prompt" (default), other random numbers for each prompt; "common", the same for all.
    #[schemars(with = "Option<OneOf<Draws>>")]
    pub draws: Option<Spanned<String>>,
}

/// A claim, and one of the four tests.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawHypothesis {
    /// The claim's name in tables.
    pub id: Spanned<String>,
    /// The claim in words.
    pub claim: Option<String>,
    /// What is compared, by its name in cells.csv; default: "repetition_score".
    #[schemars(with = "Option<MetricName>")]
    pub metric: Option<Spanned<String>>,
    /// Which part of a text is scored, where a model thinks first.
    #[schemars(with = "Option<OneOf<TextPart>>")]
    pub part: Option<Spanned<String>>,
    /// Score the first so many words alone.
    pub first: Option<Spanned<u32>>,
    /// The levels within which it is claimed.
    #[serde(rename = "where")]
    pub within: Option<Spanned<RawSelection>>,
    /// The factor for each of whose levels it is claimed.
    #[schemars(with = "Option<FactorName>")]
    pub each: Option<Spanned<String>>,
    /// Test a trend along this factor.
    #[schemars(with = "Option<FactorName>")]
    pub trend: Option<Spanned<String>>,
    /// Test a difference of two arms.
    pub contrast: Option<Spanned<RawArms>>,
    /// Test that two arms differ by less than `margin`.
    pub equivalence: Option<Spanned<RawArms>>,
    /// Test whether the effect of one factor depends on another.
    #[schemars(with = "Option<Vec<FactorName>>")]
    pub interaction: Option<Spanned<Vec<Spanned<String>>>>,
    /// Which way it goes.
    #[schemars(with = "Option<OneOf<Direction>>")]
    pub expect: Option<Spanned<String>>,
    /// The greatest difference that counts as none.
    pub margin: Option<Spanned<f64>>,
    /// The difference that one has to exceed to count, where `expect` has a direction.
    pub least: Option<Spanned<f64>>,
    /// 2 (default): a difference the other way is found, too. 1: it is not looked for.
    pub sides: Option<Spanned<i64>>,
}

/// How claims are tested.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawAnalysis {
    /// The probability of any wrong verdict by chance, over all hypotheses; default: 0.05.
    pub alpha: Option<Spanned<f64>>,
    /// What is attributed to the factors, and asked about where a file states no hypothesis; default: "repetition_score".
    #[schemars(with = "Option<MetricName>")]
    pub metric: Option<Spanned<String>>,
}

/// To stop as soon as the hypotheses are decided.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSequential {
    /// The probability of any wrong verdict by chance, over all hypotheses and looks; default: that of `[analysis]`.
    pub alpha: Option<Spanned<f64>>,
    /// When the evidence is looked at: "prompt", after each of them.
    pub look: Option<Spanned<String>>,
    /// Of the order in which prompts are taken; default: 0.
    pub order_seed: Option<u32>,
    /// The most prompts that are taken; default: all.
    pub max_prompts: Option<Spanned<u32>>,
    /// "all" (default): stop when all hypotheses are decided. "first": when one is supported.
    pub stop: Option<Spanned<String>>,
    /// With stop = "first", the difference that is not looked for further; default: 0.1.
    pub negligible: Option<Spanned<f64>>,
}

/// What the models are asked: `file` or `inline`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPrompts {
    /// A file with a prompt in each line, or .jsonl, .ndjson, .json with `id` and `text`.
    pub file: Option<Spanned<String>>,
    /// The prompts themselves.
    pub inline: Option<Spanned<Vec<Spanned<RawPrompt>>>>,
    /// The most prompts that are taken, the first ones.
    pub limit: Option<Spanned<u32>>,
}

/// A text, or `{ text = "…", group = "…" }`.
#[derive(Debug)]
pub struct RawPrompt {
    pub text: String,
    pub group: Option<String>,
}

/// A prompt as a table.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptTable {
    text: String,
    /// What kind of prompt it is, such as its topic.
    group: Option<String>,
}

/// A model: `path`, or `hf` and `file`, or `pypi`, `version` and `file`, or `parts`, or `server`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawModel {
    /// The name under which `[grid]` lists it.
    pub id: Spanned<String>,
    /// A GGUF file, from the experiment file's folder on.
    pub path: Option<Spanned<String>>,
    /// A repository of the Hugging Face hub, owner/name.
    pub hf: Option<Spanned<String>>,
    /// The file in the repository, or in the package.
    pub file: Option<Spanned<String>>,
    /// The repository's revision; default: "main".
    pub revision: Option<Spanned<String>>,
    /// A package of a Python index.
    pub pypi: Option<Spanned<String>>,
    /// The package's version.
    pub version: Option<Spanned<String>>,
    /// Files of several packages, which are the model one after the other.
    pub parts: Option<Spanned<Vec<RawPackageFile>>>,
    /// The id of a `[[server]]` that has it.
    pub server: Option<Spanned<String>>,
    /// What the server calls it; default: its id.
    pub served_as: Option<Spanned<String>>,
    /// Of the file, in hexadecimal digits: another file is refused.
    pub sha256: Option<Spanned<String>>,
    /// Of the file.
    pub size_bytes: Option<u64>,
    /// What is known of the model without its file.
    pub shape: Option<Spanned<ModelShape>>,
    /// What must stand beside every result of this model.
    pub note: Option<String>,
    /// Under which the model is given away, as SPDX names it or its owner does.
    pub license: Option<String>,
}

/// A file of a package.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPackageFile {
    pub pypi: Spanned<String>,
    pub version: Spanned<String>,
    pub file: Spanned<String>,
}

/// A server that is asked for texts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawServer {
    /// The name under which a `[[model]]` names it.
    pub id: Spanned<String>,
    /// Its address without the path of its API, such as `http://127.0.0.1:8080`.
    pub url: Spanned<String>,
    /// The API that it speaks.
    #[schemars(with = "OneOf<Api>")]
    pub api: Spanned<String>,
    /// The environment variable that holds its key.
    pub key_env: Option<Spanned<String>>,
    /// Requests at a time; default: 4.
    pub concurrency: Option<Spanned<u32>>,
    /// Give up an answer after so many seconds without a piece of text; default: 120.
    pub silence_s: Option<Spanned<u32>>,
    /// Give up an answer after so many seconds in all; default: 3600.
    pub answer_s: Option<Spanned<u32>>,
    /// How many seconds to wait for a server that can't be reached; default: 60.
    pub patience_s: Option<u32>,
    /// The chain that it runs whatever it is asked.
    pub own_chain: Option<Spanned<String>>,
    /// With api = "openai": fields beyond OpenAI's that it understands.
    #[schemars(with = "Option<Vec<OneOf<Extension>>>")]
    pub extensions: Option<Spanned<Vec<Spanned<String>>>>,
    /// How its answers come; default: "stream".
    #[schemars(with = "Option<OneOf<Delivery>>")]
    pub delivery: Option<Spanned<String>>,
}

/// The file's `schema`, wherever the rest of it may be wrong: a newer file is
/// full of keys unknown to us, and that is not what to complain about.
pub fn schema_of(text: &str) -> Result<Option<Spanned<i64>>, toml::de::Error> {
    #[derive(Deserialize)]
    struct Versioned {
        schema: Option<Spanned<i64>>,
    }
    toml::from_str::<Versioned>(text).map(|versioned| versioned.schema)
}

/// The file's `kind`, if it names one.
pub fn kind_of(text: &str) -> Result<Option<Spanned<String>>, toml::de::Error> {
    #[derive(Deserialize)]
    struct OfAKind {
        kind: Option<Spanned<String>>,
    }
    toml::from_str::<OfAKind>(text).map(|of_a_kind| of_a_kind.kind)
}

impl<'de> Deserialize<'de> for RawPrompt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = RawPrompt;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or { text = …, group = … }")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<RawPrompt, E> {
                Ok(RawPrompt { text: text.to_owned(), group: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawPrompt, A::Error> {
                let PromptTable { text, group } = PromptTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RawPrompt { text, group })
            }
        }
        deserializer.deserialize_any(V)
    }
}
