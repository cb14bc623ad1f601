//! Owns the levels of `kv_k` and `kv_v`: the types in which the cache holds keys and values.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantNames};

use crate::domain::{LevelType, NotALevel, Scope, Written};

/// A type of numbers that a cache can hold, by llama.cpp's name (`--cache-type-k`, `--cache-type-v`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[derive(Serialize, Deserialize, Display, EnumString, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[allow(non_camel_case_types, reason = "llama.cpp's spelling")]
pub enum CacheType {
    /// With flash attention llama.cpp turns these into [`Self::F16`] as it reads them.
    F32,
    /// llama.cpp's default.
    #[default]
    F16,
    BF16,
    Q8_0,
    Q5_1,
    Q5_0,
    Q4_1,
    Q4_0,
    IQ4_NL,
}

impl CacheType {
    /// Numbers of a block, where they are quantised.
    pub const BLOCK: u32 = 32;

    /// Whether numbers are quantised, in whole blocks.
    pub fn is_quantised(self) -> bool {
        !matches!(self, Self::F32 | Self::F16 | Self::BF16)
    }

    /// Bits that a number takes, those of its block's factors included.
    pub fn bits(self) -> f64 {
        match self {
            Self::F32 => 32.0,
            Self::F16 | Self::BF16 => 16.0,
            Self::Q8_0 => 8.5,
            Self::Q5_1 => 6.0,
            Self::Q5_0 => 5.5,
            Self::Q4_1 => 5.0,
            Self::Q4_0 | Self::IQ4_NL => 4.5,
        }
    }
}

/// What a cache takes, as a share of one in F16. Keys and values have as many numbers in most models; where they differ, that is
/// near enough.
pub fn cache_share(KvK(keys): KvK, KvV(values): KvV) -> f64 {
    (keys.bits() + values.bits()) / (2.0 * CacheType::F16.bits())
}

/// One of the cache's two halves.
macro_rules! half {
    ($(#[$doc:meta])* $half:ident, $name:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $half(pub CacheType);

        impl LevelType for $half {
            const SCOPE: Scope = Scope::Context;

            fn usual() -> Option<Self> {
                Some(Self::default())
            }

            fn read(written: &Written) -> Result<Self, NotALevel> {
                super::name_of(written).map(Self)
            }

            fn in_title(&self) -> String {
                format!(concat!($name, " {}"), self.0)
            }
        }

        impl fmt::Display for $half {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
half!(
    /// The type of the cache's keys.
    KvK,
    "kv_k"
);
half!(
    /// The type of the cache's values; a quantised one needs flash attention.
    KvV,
    "kv_v"
);
