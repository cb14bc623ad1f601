//! Model files: the catalogue that names them, the hashes they are known by,
//! and the hub that they come from.

mod catalogue;
mod hash;
pub mod hub;

pub use catalogue::parse;
pub use hash::{blake3_of, parts, sha256_of};
