//! Has the types of the factors' levels, one file each. None of them knows another, nor the list of factors.

mod flash_attention;
mod name;
mod offload;
mod op_offload;
mod quant;
mod temperature;
mod template;

pub use flash_attention::FlashAttention;
pub use name::{ChainId, ModelId};
pub use offload::Offload;
pub use op_offload::OpOffload;
pub use quant::Quant;
pub use temperature::Temperature;
pub use template::Template;

/// How a level is read that is one of a few names.
macro_rules! read_name {
    () => {
        fn read(written: &crate::domain::Written) -> Result<Self, crate::domain::NotALevel> {
            let names = <Self as strum::VariantNames>::VARIANTS;
            match written {
                crate::domain::Written::Name(name) => {
                    name.parse().map_err(|_| crate::domain::NotALevel::Unknown { names })
                }
                _ => Err(crate::domain::NotALevel::other(
                    "this is not a name",
                    format!("use one of: {}", names.join(", ")),
                )),
            }
        }
    };
}
use read_name;
