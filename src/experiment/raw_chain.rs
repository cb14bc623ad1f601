//! Owns the shape of `[[chain]]`: samplers and their parameters, in llama.cpp's words. Must not know which chains make
//! sense.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::spanned::Spanned;
use crate::domain::{ROOT, Said, TokenBias};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawChain {
    /// The name under which `[grid]` lists it.
    pub id: Spanned<String>,
    /// The samplers in their order; the last one chooses the token.
    pub steps: Spanned<Vec<Spanned<RawStep>>>,
    /// Whether it is some program's own chain, whose mistakes are not refused.
    #[serde(default)]
    pub faithful: bool,
}

/// A sampler as a file writes it: a name, or a table of one entry.
#[derive(Debug, Deserialize, JsonSchema)]
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

/// A share of the probability as a table.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareTable {
    p: f32,
    /// Tokens that are kept in any case.
    #[serde(default)]
    min_keep: usize,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawTemperatureExt {
    pub t: RawSlot,
    pub delta: f32,
    #[serde(default = "one")]
    pub exponent: f32,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawXtc {
    pub p: f32,
    pub threshold: f32,
    #[serde(default)]
    pub min_keep: usize,
}

/// Each one left out is off, as in llama.cpp; `last_n` is 64, as there.
#[derive(Debug, Deserialize, JsonSchema)]
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
#[derive(Debug, Deserialize, JsonSchema)]
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

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawGrammar {
    /// Either this,
    pub grammar: Option<String>,
    /// or a file that holds it.
    pub file: Option<Spanned<String>>,
    #[serde(default = "root")]
    pub root: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawMirostat {
    pub tau: f32,
    pub eta: f32,
    #[serde(default = "mirostat_m")]
    pub m: i32,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawMirostatV2 {
    pub tau: f32,
    pub eta: f32,
}

#[derive(Debug, Deserialize, JsonSchema)]
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
                let ShareTable { p, min_keep } = ShareTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Share { p, min_keep })
            }
        }
        deserializer.deserialize_any(V)
    }
}
