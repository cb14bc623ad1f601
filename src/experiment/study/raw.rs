//! Owns the shape of files with `kind = "divergence"` and `kind = "routing"`.

use serde::Deserialize;
use serde_spanned::Spanned;

use crate::experiment::raw::{RawChain, RawGenerate, RawModel, RawPrompts};
use crate::experiment::raw_levels::{ListOr, RawCount, RawLevel, RawSteps};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawStudy {
    // Looked at before the rest is.
    #[serde(rename = "schema")]
    pub _schema: i64,
    pub kind: Spanned<String>,
    pub name: Spanned<String>,
    pub question: Option<String>,
    #[serde(default)]
    pub generate: RawGenerate,
    pub grid: RawStudyGrid,
    pub divergence: Option<Spanned<RawPair>>,
    pub routing: Option<Spanned<RawPair>>,
    pub prompts: Spanned<RawPrompts>,
    #[serde(default)]
    pub model: Vec<RawModel>,
    #[serde(default)]
    pub chain: Vec<RawChain>,
}

/// Which texts are followed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawStudyGrid {
    pub model: Spanned<Vec<Spanned<String>>>,
    pub template: Option<Spanned<String>>,
    pub chain: Option<Spanned<Vec<Spanned<String>>>>,
    pub temperature: Option<Spanned<ListOr<RawLevel, RawSteps>>>,
    pub seed: Option<Spanned<ListOr<i64, RawCount>>>,
}

/// `base = { quant = "source" }`, `other = { quant = "q8_0" }` or a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPair {
    pub base: Option<RawArm>,
    pub other: Option<Spanned<ListOr<RawArm, RawArm>>>,
}

/// What is left out is as in the base, and there the default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawArm {
    pub quant: Option<Spanned<String>>,
    pub offload: Option<Spanned<RawLevel>>,
    pub numerics: Option<Spanned<String>>,
    pub width: Option<Spanned<u32>>,
}
