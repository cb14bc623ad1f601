//! Puts rows of activations into tiles, in which the same columns of all rows stand side by side, for that is how kernels
//! read them.

use std::ops::Range;

use crate::format::Format;
use crate::quants::{BLOCK, Block};
use crate::{floats, quants};

/// Rows of the largest tile.
pub const MAX_TILE: usize = 12;
/// Tiles that kernels have code for.
const TILES: [usize; 6] = [1, 2, 4, 6, 8, MAX_TILE];

/// What tiles are made of: a float, or part of a block of codes.
pub type Word = u32;

/// The tiles of `n_rows` rows: which rows, and how many places the tile has, of which the last may be empty.
pub fn tiles(n_rows: usize) -> impl Iterator<Item = (Range<usize>, usize)> + Clone {
    (0..n_rows).step_by(MAX_TILE).map(move |first| {
        let length = (n_rows - first).min(MAX_TILE);
        let places = TILES.into_iter().find(|&tile| tile >= length).unwrap_or(MAX_TILE);
        (first..first + length, places)
    })
}

/// Words that a row takes in a tile, for weights of `format`.
pub fn row_words(format: Format, n_cols: usize) -> usize {
    match format {
        Format::Float(_) => n_cols,
        Format::Quant(_) => n_cols / BLOCK * (size_of::<Block>() / size_of::<Word>()),
    }
}

/// Puts a row into place `place` of a tile with `places` places: quantised for weights that are, as it is for floats.
///
/// # Panics
/// When the tile has not [`row_words`] for each of its places.
pub fn place_row(format: Format, row: &[f32], tile: &mut [Word], place: usize, places: usize) {
    assert_eq!(tile.len(), places * row_words(format, row.len()), "words of a tile");
    match format {
        Format::Float(_) => floats::place(row, bytemuck::cast_slice_mut(tile), place, places),
        Format::Quant(quant) => quants::quantise(quant, row, bytemuck::cast_slice_mut(tile), place, places),
    }
}
