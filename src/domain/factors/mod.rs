//! Has the types of the factors' levels, one file each. None of them knows another, nor the list of factors.

use std::num::NonZeroU32;
use std::str::FromStr;

use strum::VariantNames;

use super::{NotALevel, Written};

mod bos;
mod cache_type;
mod context;
mod eos;
mod experts_used;
mod flash_attention;
mod name;
mod offload;
mod op_offload;
mod overflow;
mod positive;
mod prefix_tokens;
mod quant;
mod repack;
mod rope;
mod swa_full;
mod switch;
mod system;
mod temperature;
mod template;
mod thinking;
mod total_order;
mod ubatch;
mod width;

pub use bos::Bos;
pub use cache_type::{CacheType, KvK, KvV, cache_share};
pub use context::Context;
pub use eos::Eos;
pub use experts_used::ExpertsUsed;
pub use flash_attention::FlashAttention;
pub use name::{ChainId, ModelId};
pub use offload::Offload;
pub use op_offload::OpOffload;
pub use overflow::Overflow;
pub use positive::Positive;
pub use prefix_tokens::PrefixTokens;
pub use quant::Quant;
pub use repack::Repack;
pub use rope::Rope;
pub use swa_full::SwaFull;
pub use system::System;
pub use temperature::Temperature;
pub use template::Template;
pub use thinking::Thinking;
pub use ubatch::Ubatch;
pub use width::Width;

/// How a level is read that is one of a few names.
macro_rules! read_name {
    () => {
        fn read(written: &crate::domain::Written) -> Result<Self, crate::domain::NotALevel> {
            crate::domain::factors::name_of(written)
        }
    };
}
use read_name;

/// Reads a number from 1 up.
fn number(written: &Written) -> Option<NonZeroU32> {
    match *written {
        Written::Integer(n) => u32::try_from(n).ok().and_then(NonZeroU32::new),
        _ => None,
    }
}

/// Reads one of a few names.
fn name_of<T: FromStr + VariantNames>(written: &Written) -> Result<T, NotALevel> {
    let names = T::VARIANTS;
    match written {
        Written::Name(name) => name.parse().map_err(|_| NotALevel::Unknown { names }),
        _ => Err(NotALevel::other("this is not a name", format!("use one of: {}", names.join(", ")))),
    }
}
