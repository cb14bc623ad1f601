//! Model files: the catalogue that names them, the hash they are known by,
//! and the quantised ones that are made from them.

mod catalogue;
mod file;
mod hash;
mod quantised;

pub use catalogue::parse;
pub use file::{ModelFile, ModelFiles};
pub use hash::blake3_of;
pub use quantised::{QuantisedError, QuantisedFiles, Recipe};
