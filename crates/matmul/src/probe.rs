//! Tries the kernels on this CPU: do they compute what the reference does, and how fast?
//!
//! A CPU can say that it has an instruction and fail at it, for instance in a virtual machine. So whoever calls this does
//! it in a process that may die.

use std::time::Instant;

use crate::activations::{Block, MAX_TILE, quantise, tiles};
use crate::format::{BLOCK, Format};
use crate::kernels::{Kernels, Product};
use crate::pack::{PANEL, pack, packed_bytes};

/// What a trial of kernels showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Probe {
    /// They compute what the reference does, on one thread so many products of two numbers a second.
    Agree { products_per_s: f64 },
    /// They compute something else.
    Deviate { format: Format },
}

/// Columns of the matrices that are compared: a block of the K types.
const N_COLS: usize = 256;
/// Rows of these: two panels, of which the second is not full.
const N_ROWS: usize = PANEL + 3;
/// How often a product is timed, which takes some hundredths of a millisecond.
const TIMES: usize = 100;

/// Compares the kernels with the reference in every format and tile, and times them; takes some milliseconds.
pub fn probe(kernels: Kernels) -> Probe {
    for format in Format::ALL {
        let weights = Matrix::new(format, N_COLS, N_ROWS);
        for n_texts in 1..=MAX_TILE {
            let tiles = weights.tiles(n_texts);
            if weights.times(kernels, &tiles) != weights.times(Kernels::Portable, &tiles) {
                return Probe::Deviate { format };
            }
        }
    }
    let weights = Matrix::new(Format::Q4_1, 4 * N_COLS, 4 * PANEL);
    let tiles = weights.tiles(MAX_TILE);
    let quickest = (0..TIMES).map(|_| {
        let begun = Instant::now();
        std::hint::black_box(weights.times(kernels, &tiles));
        begun.elapsed()
    });
    let products = 4 * N_COLS * 4 * PANEL * MAX_TILE;
    // Whatever else has the core makes some slower and none quicker.
    Probe::Agree { products_per_s: products as f64 / quickest.min().unwrap_or_default().as_secs_f64() }
}

/// Weights and activations that look like noise and are the same everywhere.
struct Matrix {
    format: Format,
    n_cols: usize,
    n_rows: usize,
    packed: Vec<u8>,
}

impl Matrix {
    fn new(format: Format, n_cols: usize, n_rows: usize) -> Self {
        let mut noise = Noise(1);
        let unit_bytes = format.unit_bytes();
        let mut file: Vec<u8> = (0..n_rows * n_cols / format.unit() * unit_bytes).map(|_| noise.next() as u8).collect();
        // The factors: 16-bit floats between 2^-7 and 2^-3, some of them negative.
        let halves = match format {
            Format::Q6K => 208..210,
            Format::Q4_0 | Format::Q5_0 | Format::Q8_0 | Format::Iq4Nl => 0..2,
            Format::Mxfp4 => 0..0,
            Format::Q4_1 | Format::Q5_1 | Format::Q4K | Format::Q5K => 0..4,
        };
        for unit in file.chunks_exact_mut(unit_bytes) {
            if format == Format::Mxfp4 {
                // Powers between 2^-8 and 2^7.
                unit[0] = 120 | unit[0] & 15;
            }
            for half in unit[halves.clone()].chunks_exact_mut(2) {
                half[1] = half[1] & 0x83 | 0x20 | half[1] & 0x0c;
            }
        }
        let mut packed = vec![0; packed_bytes(format, n_cols, n_rows)];
        pack(format, n_cols, n_rows, &file, &mut packed);
        Self { format, n_cols, n_rows, packed }
    }

    /// So many texts, each with the texts of its tile.
    fn tiles(&self, n_texts: usize) -> Vec<(usize, Vec<Block>)> {
        let mut noise = Noise(2);
        let quantised = tiles(n_texts).map(|(texts, places)| {
            let mut tile = vec![Block::ZERO; self.n_cols / BLOCK * places];
            for place in 0..texts.len() {
                let row: Vec<f32> = (0..self.n_cols).map(|_| noise.next() as i32 as f32 / 1e9).collect();
                quantise(self.format, &row, &mut tile, place, places);
            }
            (texts.len(), tile)
        });
        quantised.collect()
    }

    /// The bits of its products with them.
    fn times(&self, kernels: Kernels, tiles: &[(usize, Vec<Block>)]) -> Vec<u32> {
        let Self { format, n_cols, n_rows, .. } = *self;
        let products = tiles.iter().flat_map(|(n_texts, tile)| {
            let mut products = vec![0.; n_texts * n_rows];
            let outputs: Vec<_> = products.chunks_mut(n_rows).map(<[_]>::as_mut_ptr).collect();
            let product = Product { format, n_cols, n_rows, packed: &self.packed, tile };
            // SAFETY: each output is a row of its own; that the CPU has the kernels is what is tried.
            unsafe { product.compute(kernels, 0..n_rows.div_ceil(PANEL), &outputs) };
            products
        });
        products.map(f32::to_bits).collect()
    }
}

/// Marsaglia's xorshift with 32 bits.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kernels_of_this_cpu_compute_the_same_bits() {
        for kernels in Kernels::ALL.into_iter().filter(|kernels| kernels.is_supported()) {
            let found = probe(kernels);
            println!("{kernels}: {found:?}");
            assert!(matches!(found, Probe::Agree { .. }), "{kernels}: {found:?}");
        }
    }
}
