//! Model files: the catalogue that names them, the hash they are known by.

mod catalogue;
mod hash;

pub use catalogue::parse;
pub use hash::blake3_of;
