//! Tries the kernels on this CPU: do they compute what the reference does, and how fast?
//!
//! A CPU can say that it has an instruction and fail at it, for instance in a virtual machine. So whoever calls this does
//! it in a process that may die.

use std::time::Instant;

use crate::floats::Float;
use crate::format::Format;
use crate::kernels::{Kernels, Product};
use crate::pack::{pack, packed_bytes};
use crate::part::PANEL;
use crate::quants::Quant;
use crate::tiles::{MAX_TILE, Word, place_row, row_words, tiles};

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
    let weights = Matrix::new(Format::Quant(Quant::Q4_1), 4 * N_COLS, 4 * PANEL);
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
        make_ordinary(format, &mut file);
        let mut packed = vec![0; packed_bytes(format, n_cols, n_rows)];
        pack(format, n_cols, n_rows, &file, &mut packed);
        Self { format, n_cols, n_rows, packed }
    }

    /// So many texts, each with the texts of its tile.
    fn tiles(&self, n_texts: usize) -> Vec<(usize, Vec<Word>)> {
        let mut noise = Noise(2);
        let quantised = tiles(n_texts).map(|(texts, places)| {
            let mut tile = vec![0; places * row_words(self.format, self.n_cols)];
            for place in 0..texts.len() {
                let row: Vec<f32> = (0..self.n_cols).map(|_| noise.next() as i32 as f32 / 1e9).collect();
                place_row(self.format, &row, &mut tile, place, places);
            }
            (texts.len(), tile)
        });
        quantised.collect()
    }

    /// The bits of its products with them.
    fn times(&self, kernels: Kernels, tiles: &[(usize, Vec<Word>)]) -> Vec<u32> {
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

/// Gives the floats of a file of any bytes, weights or factors of blocks, an exponent of ordinary numbers, about 2^-7 to 2^0.
pub(crate) fn make_ordinary(format: Format, file: &mut [u8]) {
    // Where sign and exponent are.
    let upper_bytes: &[usize] = match format {
        Format::Float(Float::F32) => &[3],
        Format::Float(Float::F16 | Float::Bf16) => &[1],
        Format::Quant(Quant::Q4_0 | Quant::Q5_0 | Quant::Q8_0 | Quant::Iq4Nl) => &[1],
        Format::Quant(Quant::Q4_1 | Quant::Q5_1 | Quant::Q4K | Quant::Q5K) => &[1, 3],
        Format::Quant(Quant::Q6K) => &[209],
        Format::Quant(Quant::Mxfp4) => &[0],
    };
    for unit in file.chunks_exact_mut(format.unit_bytes()) {
        for &at in upper_bytes {
            let byte = unit[at];
            unit[at] = match format {
                // Eight bits of exponent, of which the last is in the next byte.
                Format::Float(Float::F32 | Float::Bf16) => byte & 0x83 | 0x3c,
                Format::Float(Float::F16) => byte & 0x8f | 0x20,
                // An exponent alone.
                Format::Quant(Quant::Mxfp4) => byte & 0x0f | 0x70,
                Format::Quant(_) => byte & 0x8f | 0x20,
            };
        }
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
