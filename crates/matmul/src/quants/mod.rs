//! Multiplies quantised weights with activations that are quantised too, so that products are of bytes and their sums exact.
//!
//! - `quant`: how GGUF files hold such weights
//! - `shape`: a type of them that the compiler knows
//! - `pack`: from a file's blocks to panels
//! - `activations`: from floats to blocks of 8-bit codes
//! - `portable`, `avx2`, `avx512`: one way to multiply each

mod activations;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
pub(crate) mod pack;
pub(crate) mod portable;
mod quant;
mod shape;

pub(crate) use activations::{Block, quantise};
pub(crate) use quant::BLOCK;
pub use quant::Quant;
#[cfg(test)]
pub(crate) use quant::Unit;
