//! Owns the levels of `quant`: the type that a model's weights are brought to.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantNames};

use super::read_name;
use crate::domain::{LevelType, Scope, Wording};

/// The types that a model's weights are brought to before it is loaded, in
/// llama.cpp's spelling (`llama-quantize`), lower case in files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[derive(Serialize, Deserialize, Display, EnumString, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[allow(non_camel_case_types, reason = "llama.cpp's spelling")]
pub enum Quant {
    /// The file as it is.
    #[default]
    Source,
    F32,
    F16,
    BF16,
    Q8_0,
    Q6_K,
    Q5_K_M,
    Q5_K_S,
    Q4_K_M,
    Q4_K_S,
    Q4_0,
    Q3_K_L,
    Q3_K_M,
    Q3_K_S,
    Q2_K,
    IQ4_XS,
    MXFP4_MOE,
}

impl LevelType for Quant {
    const SCOPE: Scope = Scope::File;
    const WORDING: Wording = Wording::Always;
    read_name!();

    fn usual() -> Option<Self> {
        Some(Self::default())
    }

    fn in_title(&self) -> String {
        format!("weights {self}")
    }

    fn in_cell(&self) -> String {
        self.to_string()
    }

    fn in_load(&self) -> String {
        if *self == Self::Source { String::new() } else { format!(" as {self}") }
    }
}
