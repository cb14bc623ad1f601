//! Owns the experiment file's shape: what serde can check, with the place of every value. Must not know what is a
//! sensible value.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_spanned::Spanned;

use super::raw_levels::{RawArms, RawGrid, RawSelection};
use super::shape::ModelShape;
use crate::domain::{ROOT, Said, TokenBias};

/// The version of the file's shape that this program reads.
pub const SCHEMA: i64 = 1;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawExperiment {
    // Looked at before the rest is (`schema_of`).
    #[serde(rename = "schema")]
    pub _schema: i64,
    // Looked at before the rest is, too (`kind_of`).
    #[serde(rename = "kind")]
    pub _kind: Option<String>,
    pub name: Spanned<String>,
    pub question: Option<String>,
    #[serde(default)]
    pub generate: RawGenerate,
    pub grid: RawGrid,
    pub prompts: Spanned<RawPrompts>,
    #[serde(default)]
    pub model: Vec<RawModel>,
    #[serde(default)]
    pub server: Vec<RawServer>,
    #[serde(default)]
    pub chain: Vec<RawChain>,
    #[serde(default)]
    pub hypothesis: Vec<Spanned<RawHypothesis>>,
    pub analysis: Option<RawAnalysis>,
    pub sequential: Option<Spanned<RawSequential>>,
}

/// What is left out has its default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawGenerate {
    pub max_tokens: Option<Spanned<u32>>,
    /// Not where `[grid]` names the levels.
    pub context: Option<Spanned<u32>>,
    pub numerics: Option<Spanned<String>>,
    pub bos: Option<Spanned<String>>,
    pub draws: Option<Spanned<String>>,
}

/// A claim, and one of the four tests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawHypothesis {
    pub id: Spanned<String>,
    pub claim: Option<String>,
    pub metric: Option<Spanned<String>>,
    pub part: Option<Spanned<String>>,
    pub first: Option<Spanned<u32>>,
    #[serde(rename = "where")]
    pub within: Option<Spanned<RawSelection>>,
    pub each: Option<Spanned<String>>,
    pub trend: Option<Spanned<String>>,
    pub contrast: Option<Spanned<RawArms>>,
    pub equivalence: Option<Spanned<RawArms>>,
    pub interaction: Option<Spanned<Vec<Spanned<String>>>>,
    pub expect: Option<Spanned<String>>,
    pub margin: Option<Spanned<f64>>,
    pub least: Option<Spanned<f64>>,
    pub sides: Option<Spanned<i64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawAnalysis {
    pub alpha: Option<Spanned<f64>>,
    pub metric: Option<Spanned<String>>,
}

/// To stop as soon as the hypotheses are decided.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSequential {
    pub alpha: Option<Spanned<f64>>,
    pub look: Option<Spanned<String>>,
    pub order_seed: Option<u32>,
    pub max_prompts: Option<Spanned<u32>>,
    pub stop: Option<Spanned<String>>,
    pub negligible: Option<Spanned<f64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPrompts {
    pub file: Option<Spanned<String>>,
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawModel {
    pub id: Spanned<String>,
    /// Either this,
    pub path: Option<Spanned<String>>,
    /// or a repository on the hub, and a file in it.
    pub hf: Option<Spanned<String>>,
    pub file: Option<Spanned<String>>,
    pub revision: Option<Spanned<String>>,
    /// or a package of a Python index, its version, and a file in it,
    pub pypi: Option<Spanned<String>>,
    pub version: Option<Spanned<String>>,
    /// or several of them, whose files are the model one after the other,
    pub parts: Option<Spanned<Vec<RawPackageFile>>>,
    /// or a server of the experiment, and what it calls the model.
    pub server: Option<Spanned<String>>,
    pub served_as: Option<Spanned<String>>,
    pub sha256: Option<Spanned<String>>,
    pub size_bytes: Option<u64>,
    /// What is known of the model without its file.
    pub shape: Option<Spanned<ModelShape>>,
    /// What must stand beside every result of this model.
    pub note: Option<String>,
    /// Under which the model is given away, as SPDX names it or its owner does.
    pub license: Option<String>,
}

/// A file of a package.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPackageFile {
    pub pypi: Spanned<String>,
    pub version: Spanned<String>,
    pub file: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawServer {
    pub id: Spanned<String>,
    pub url: Spanned<String>,
    pub api: Spanned<String>,
    pub key_env: Option<Spanned<String>>,
    pub concurrency: Option<Spanned<u32>>,
    pub silence_s: Option<Spanned<u32>>,
    pub answer_s: Option<Spanned<u32>>,
    pub patience_s: Option<u32>,
    pub own_chain: Option<Spanned<String>>,
    pub extensions: Option<Spanned<Vec<Spanned<String>>>>,
    pub delivery: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawChain {
    pub id: Spanned<String>,
    pub steps: Spanned<Vec<Spanned<RawStep>>>,
    #[serde(default)]
    pub faithful: bool,
}

/// A sampler as a file writes it: a name, or a table of one entry.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawStep {
    Temperature(RawSlot),
    TemperatureExt(RawTemperatureExt),
    TopK(i32),
    TopP(Share),
    MinP(Share),
    Typical(Share),
    TopNSigma(f32),
    Xtc(RawXtc),
    Penalties(RawPenalties),
    Dry(RawDry),
    LogitBias(Vec<TokenBias>),
    Grammar(RawGrammar),
    Json,
    Infill,
    Greedy,
    Dist,
    Mirostat(RawMirostat),
    MirostatV2(RawMirostatV2),
    AdaptiveP(RawAdaptiveP),
    Request(Said),
}

/// `"T"`, or a number.
#[derive(Debug)]
pub enum RawSlot {
    Trial,
    Fixed(f32),
}

/// A share of the probability: `0.9`, or `{ p = 0.9, min_keep = 1 }`.
#[derive(Debug)]
pub struct Share {
    pub p: f32,
    pub min_keep: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTemperatureExt {
    pub t: RawSlot,
    pub delta: f32,
    #[serde(default = "one")]
    pub exponent: f32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawXtc {
    pub p: f32,
    pub threshold: f32,
    #[serde(default)]
    pub min_keep: usize,
}

/// Each one left out is off, as in llama.cpp; `last_n` is 64, as there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPenalties {
    #[serde(default = "sixty_four")]
    pub last_n: i32,
    #[serde(default = "one")]
    pub repeat: f32,
    #[serde(default)]
    pub frequency: f32,
    #[serde(default)]
    pub presence: f32,
}

/// Defaults are those of llama.cpp's `common_params_sampling`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawDry {
    pub multiplier: f32,
    #[serde(default = "dry_base")]
    pub base: f32,
    #[serde(default = "dry_allowed_length")]
    pub allowed_length: i32,
    pub last_n: i32,
    #[serde(default = "dry_sequence_breakers")]
    pub sequence_breakers: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawGrammar {
    /// Either this,
    pub grammar: Option<String>,
    /// or a file that holds it.
    pub file: Option<Spanned<String>>,
    #[serde(default = "root")]
    pub root: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawMirostat {
    pub tau: f32,
    pub eta: f32,
    #[serde(default = "mirostat_m")]
    pub m: i32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawMirostatV2 {
    pub tau: f32,
    pub eta: f32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawAdaptiveP {
    pub target: f32,
    pub decay: f32,
}

fn one() -> f32 {
    1.0
}

fn sixty_four() -> i32 {
    64
}

fn dry_base() -> f32 {
    1.75
}

fn dry_allowed_length() -> i32 {
    2
}

fn dry_sequence_breakers() -> Vec<String> {
    ["\n", ":", "\"", "*"].map(str::to_owned).to_vec()
}

fn root() -> String {
    ROOT.to_owned()
}

fn mirostat_m() -> i32 {
    100
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
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            text: String,
            group: Option<String>,
        }
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
                let Table { text, group } = Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RawPrompt { text, group })
            }
        }
        deserializer.deserialize_any(V)
    }
}

impl<'de> Deserialize<'de> for RawSlot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = RawSlot;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"T\" for the trial's temperature, or a number")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<RawSlot, E> {
                if name == "T" {
                    Ok(RawSlot::Trial)
                } else {
                    Err(E::invalid_value(serde::de::Unexpected::Str(name), &self))
                }
            }

            fn visit_f64<E: Error>(self, t: f64) -> Result<RawSlot, E> {
                Ok(RawSlot::Fixed(t as f32))
            }

            fn visit_i64<E: Error>(self, t: i64) -> Result<RawSlot, E> {
                Ok(RawSlot::Fixed(t as f32))
            }
        }
        deserializer.deserialize_any(V)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            p: f32,
            #[serde(default)]
            min_keep: usize,
        }
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Share;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or { p = …, min_keep = … }")
            }

            fn visit_f64<E: Error>(self, p: f64) -> Result<Share, E> {
                Ok(Share { p: p as f32, min_keep: 0 })
            }

            fn visit_i64<E: Error>(self, p: i64) -> Result<Share, E> {
                Ok(Share { p: p as f32, min_keep: 0 })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Share, A::Error> {
                let Table { p, min_keep } = Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Share { p, min_keep })
            }
        }
        deserializer.deserialize_any(V)
    }
}
