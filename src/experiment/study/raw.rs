//! Owns the shape of files with `kind = "divergence"` and `kind = "routing"`.

use crate::experiment::spanned::Spanned;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::domain::{Numerics, Template};
use crate::experiment::one_of::OneOf;
use crate::experiment::raw::{RawGenerate, RawModel, RawPrompts, SCHEMA};
use crate::experiment::raw_chain::RawChain;
use crate::experiment::raw_levels::{ListOr, RawCount, RawLevel, RawSteps};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawStudy {
    /// The version of the file's shape.
    // Looked at before the rest is.
    #[serde(rename = "schema")]
    #[schemars(extend("const" = SCHEMA))]
    pub _schema: i64,
    /// What kind of experiment it is.
    pub kind: Spanned<String>,
    /// Also the name of the run's folder in `results`: letters, digits, `-`, `_` and `.`.
    pub name: Spanned<String>,
    /// What the experiment asks, for the report.
    pub question: Option<String>,
    /// How texts are made.
    #[serde(default)]
    pub generate: RawGenerate,
    /// Which texts are followed.
    pub grid: RawStudyGrid,
    /// Whose probabilities are compared.
    pub divergence: Option<Spanned<RawPair>>,
    /// Whose experts are compared.
    pub routing: Option<Spanned<RawPair>>,
    /// What the models are asked.
    pub prompts: Spanned<RawPrompts>,
    /// Models that the catalogue does not have, or has otherwise.
    #[serde(default)]
    pub model: Vec<RawModel>,
    /// Chains beside the built-in ones.
    #[serde(default)]
    pub chain: Vec<RawChain>,
}

/// Which texts are followed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawStudyGrid {
    pub model: Spanned<Vec<Spanned<String>>>,
    #[schemars(with = "Option<OneOf<Template>>")]
    pub template: Option<Spanned<String>>,
    pub chain: Option<Spanned<Vec<Spanned<String>>>>,
    pub temperature: Option<Spanned<ListOr<RawLevel, RawSteps>>>,
    pub seed: Option<Spanned<ListOr<i64, RawCount>>>,
}

/// `base = { quant = "source" }`, `other = { quant = "q8_0" }` or a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPair {
    pub base: Option<RawArm>,
    pub other: Option<Spanned<ListOr<RawArm, RawArm>>>,
}

/// What is left out is as in the base, and there the default.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawArm {
    pub quant: Option<Spanned<String>>,
    pub offload: Option<Spanned<RawLevel>>,
    #[schemars(with = "Option<OneOf<Numerics>>")]
    pub numerics: Option<Spanned<String>>,
    pub width: Option<Spanned<u32>>,
}
