//! Multiplies weights with activations, many rows at once.
//!
//! Owns the order in which a product is summed, and with it every bit of its result. A row's sums depend on the row and the
//! weights alone: neither on the rows beside it, nor on the threads, nor on the CPU. For the weights are laid out so that
//! each lane of a vector sums another row of the matrix, all in the same order; wider vectors hold more lanes and change
//! no sum. So [`Kernels::Portable`], which any CPU runs, is the reference to which the others are equal bit by bit.
//!
//! Knows no model, no llama.cpp and no thread: whoever calls it says which part of a product is to be computed.
//!
//! - `format`: which types of weights there are
//! - `pack`: from a file's rows to panels of 16 rows
//! - `tiles`: from rows of activations to tiles
//! - `part`: what a kernel is given
//! - `quants`, `floats`: the kernels, for quantised weights and for floats
//! - `lanes`: what kernels of both share
//! - `kernels`: which ways of multiplying there are, and which this CPU has
//! - `peak`: what a core can do at most
//! - `probe`: whether a way computes what the reference does, and how fast

/// Of what is computed: counts up whenever a bit of a product may change by it. 2: floats.
pub const REVISION: u32 = 2;

mod floats;
mod format;
mod kernels;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod pack;
mod part;
mod peak;
mod probe;
mod quants;
mod tiles;

pub use floats::Float;
pub use format::Format;
pub use kernels::{Kernels, Product};
pub use pack::{pack, packed_bytes};
pub use part::{Output, PANEL};
pub use peak::{Peak, peak};
pub use probe::{Probe, probe};
pub use quants::Quant;
pub use tiles::{MAX_TILE, Word, place_row, row_words, tiles};

#[cfg(test)]
mod tests;
