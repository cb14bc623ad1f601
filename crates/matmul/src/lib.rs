//! Multiplies quantised weights with activations, many rows at once.
//!
//! Owns the order in which a product is summed, and with it every bit of its result. A row's sums hang on the row and the
//! weights alone: neither on the rows beside it, nor on the threads, nor on the CPU. For the weights are laid out so that
//! each lane of a vector sums another row of the matrix, all in the same order; wider vectors hold more lanes and change
//! no sum. So [`Kernels::Portable`], which any CPU runs, is the reference to which the others are equal bit by bit.
//!
//! Knows no model, no llama.cpp and no thread: whoever calls it says which part of a product is to be computed.
//!
//! - `format`: how GGUF files hold weights
//! - `pack`: from a file's blocks to panels of 16 rows
//! - `part`: what a kernel is given
//! - `activations`: from floats to tiles of 8-bit codes
//! - `kernels`: which ways of multiplying there are, and which this CPU has
//! - `portable`, `avx2`, `avx512`: one way each
//! - `shape`: a format that the compiler knows
//! - `peak`: what a core can do at most
//! - `probe`: whether a way computes what the reference does, and how fast

/// Of what is computed: counts up whenever a bit of a product may change by it.
pub const REVISION: u32 = 1;

mod activations;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod format;
mod kernels;
mod pack;
mod part;
mod peak;
mod portable;
mod probe;
mod shape;

pub use activations::{Block, MAX_TILE, quantise, tiles};
pub use format::{BLOCK, Format};
pub use kernels::{Kernels, Product};
pub use pack::{PANEL, pack, packed_bytes};
pub use part::Output;
pub use peak::{Peak, peak};
pub use probe::{Probe, probe};

#[cfg(test)]
mod tests;
