//! Model files: the catalogue that names them, the hashes they are known by,
//! the hub that they come from, and the quantised ones that are made of them.

mod catalogue;
mod file;
mod hash;
pub mod hub;
mod quantised;

pub use catalogue::parse;
pub use file::{ModelFile, ModelFiles};
pub use hash::{blake3_of, parts, sha256_of};
pub use quantised::{QuantisedError, QuantisedFiles, Recipe};
