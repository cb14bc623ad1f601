//! Owns model files: the catalogue that names them, the hashes they are known by, the hub and the packages that
//! they come from, the quantised ones and the mixtures that are made of them, what their headers tell, what is wrong by
//! them, and the memory that they will take.

mod anatomy;
mod catalogue;
pub mod download;
pub mod duration;
mod file;
mod file_type;
pub mod findings;
pub mod gguf;
mod hash;
mod header;
pub mod hub;
mod location;
pub mod memory;
mod named;
pub mod packages;
mod quantised;
mod sampling;
mod units;
pub mod upcycle;
mod verify;

pub use anatomy::{
    Anatomy, Attention, Experts, KvHeads, LayerBytes, NoModel, Parameters, Tokenizer, TypeShare, UpcycledFrom, Weights,
    is_expert, products_per_token,
};
pub use catalogue::parse;
pub use file::{ModelFile, ModelFiles};
pub use hash::{blake3_of, parts, sha256_of};
pub use header::{HeaderError, read_header};
pub use location::{Caches, Location};
pub use named::{NotHere, UnknownModel, named};
pub use quantised::{QuantisedError, QuantisedFiles, Recipe};
pub use sampling::sampling_of;
pub use units::{human_bytes, human_count};
pub use verify::{Finding, Verified, VerifyError, all_right, verify};
