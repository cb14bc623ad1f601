//! The experiment file's shape: what serde can check, with the place of every
//! value. Nothing here knows what is a sensible value.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_spanned::Spanned;

use super::TokenBias;

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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawGenerate {
    pub max_tokens: Spanned<u32>,
    pub context: Spanned<u32>,
    pub numerics: Option<Spanned<String>>,
    pub bos: Option<Spanned<String>>,
    pub draws: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawGrid {
    pub model: Spanned<Vec<Spanned<String>>>,
    pub chain: Spanned<Vec<Spanned<String>>>,
    pub offload: Option<Spanned<Vec<Spanned<RawOffload>>>>,
    pub quant: Option<Spanned<Vec<Spanned<String>>>>,
    pub template: Option<Spanned<Vec<Spanned<String>>>>,
    pub op_offload: Option<Spanned<Vec<Spanned<bool>>>>,
    pub temperature: Spanned<ListOr<f64, RawSteps>>,
    pub seed: Option<Spanned<ListOr<i64, RawCount>>>,
    #[serde(default)]
    pub exclude: Vec<Spanned<RawExclusion>>,
}

/// `{ from = 0.1, to = 1.5, step = 0.2 }`, both ends included.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSteps {
    pub from: f64,
    pub to: f64,
    pub step: f64,
}

/// `{ from = 0, count = 8 }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawCount {
    pub from: i64,
    pub count: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawExclusion {
    pub model: Option<Spanned<String>>,
    pub chain: Option<Spanned<String>>,
    pub offload: Option<Spanned<RawOffload>>,
    pub quant: Option<Spanned<String>>,
    pub template: Option<Spanned<String>>,
    pub op_offload: Option<Spanned<bool>>,
    pub temperature: Option<Spanned<f64>>,
    pub seed: Option<Spanned<i64>>,
    pub prompt: Option<Spanned<String>>,
    pub group: Option<Spanned<String>>,
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

/// `{ base = { temperature = 0.1 }, other = { temperature = 0.9 } }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawArms {
    pub base: Spanned<RawSelection>,
    pub other: Spanned<RawSelection>,
}

/// Levels of factors and groups of prompts, one or a list of them each.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSelection {
    pub model: Option<OneOrMore<String>>,
    pub chain: Option<OneOrMore<String>>,
    pub offload: Option<OneOrMore<RawOffload>>,
    pub quant: Option<OneOrMore<String>>,
    pub template: Option<OneOrMore<String>>,
    pub op_offload: Option<OneOrMore<bool>>,
    pub temperature: Option<OneOrMore<f64>>,
    pub group: Option<OneOrMore<String>>,
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
}

/// A level, or a list of levels.
#[derive(Debug)]
pub struct OneOrMore<T>(pub Vec<Spanned<T>>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPrompts {
    pub file: Option<Spanned<String>>,
    pub inline: Option<Spanned<Vec<Spanned<RawPrompt>>>>,
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
    /// or a server of the experiment, and what it calls the model.
    pub server: Option<Spanned<String>>,
    pub served_as: Option<Spanned<String>>,
    pub sha256: Option<Spanned<String>>,
    pub size_bytes: Option<u64>,
    /// What must stand beside every result of this model.
    pub note: Option<String>,
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

/// `"none"`, `"all"`, or a number of layers.
#[derive(Debug)]
pub enum RawOffload {
    Name(String),
    Layers(i64),
}

/// A list of levels, or a table that describes them.
#[derive(Debug)]
pub enum ListOr<T, R> {
    List(Vec<Spanned<T>>),
    Range(R),
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
    Infill,
    Greedy,
    Dist,
    Mirostat(RawMirostat),
    MirostatV2(RawMirostatV2),
    AdaptiveP(RawAdaptiveP),
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
    pub grammar: String,
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
    "root".to_owned()
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

impl<'de, T, R> Deserialize<'de> for ListOr<T, R>
where
    T: Deserialize<'de>,
    R: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V<T, R>(PhantomData<(T, R)>);
        impl<'de, T: Deserialize<'de>, R: Deserialize<'de>> Visitor<'de> for V<T, R> {
            type Value = ListOr<T, R>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of levels or a range")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(ListOr::List)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                R::deserialize(MapAccessDeserializer::new(map)).map(ListOr::Range)
            }
        }
        deserializer.deserialize_any(V(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMore<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Either shape, without its place: serde tells the place of a value
        /// only where its shape is known before it is read.
        enum Levels<T> {
            One(T),
            More(Vec<Spanned<T>>),
        }
        struct V<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for V<T> {
            type Value = Levels<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a level or a list of levels")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Levels<T>, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Levels::More)
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Levels<T>, E> {
                T::deserialize(name.into_deserializer()).map(Levels::One)
            }

            fn visit_bool<E: Error>(self, is: bool) -> Result<Levels<T>, E> {
                T::deserialize(is.into_deserializer()).map(Levels::One)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Levels<T>, E> {
                T::deserialize(number.into_deserializer()).map(Levels::One)
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Levels<T>, E> {
                T::deserialize(number.into_deserializer()).map(Levels::One)
            }
        }
        impl<'de, T: Deserialize<'de>> Deserialize<'de> for Levels<T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(V(PhantomData))
            }
        }
        let levels = Spanned::<Levels<T>>::deserialize(deserializer)?;
        let span = levels.span();
        Ok(match levels.into_inner() {
            Levels::One(level) => Self(vec![Spanned::new(span, level)]),
            Levels::More(levels) => Self(levels),
        })
    }
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

impl<'de> Deserialize<'de> for RawOffload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = RawOffload;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"none\", \"all\" or a number of layers")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<RawOffload, E> {
                Ok(RawOffload::Name(name.to_owned()))
            }

            fn visit_i64<E: Error>(self, layers: i64) -> Result<RawOffload, E> {
                Ok(RawOffload::Layers(layers))
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
