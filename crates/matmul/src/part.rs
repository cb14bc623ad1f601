//! Holds what a kernel is given: a panel of weights, a tile of activations, and where their products go.

use bytemuck::Pod;

use crate::tiles::Word;

/// Rows of a panel: the lanes of a vector of 512 bits.
pub const PANEL: usize = 16;

/// Where the product of one place of a tile goes: its first float, of as many as the matrix has rows.
pub type Output = *mut f32;

/// A panel and a tile.
pub(crate) struct Part<'a, T> {
    pub panel: &'a [u8],
    pub tile: &'a [T],
    pub places: usize,
    pub outputs: &'a [Output],
    /// The panel's first row, where outputs are written.
    pub first: usize,
    /// Rows of the panel that the matrix has.
    pub lanes: usize,
}

impl<'a> Part<'a, Word> {
    /// The same part, where the tile's words are `T`s.
    pub fn of<T: Pod>(self) -> Part<'a, T> {
        let Self { panel, tile, places, outputs, first, lanes } = self;
        Part { panel, tile: bytemuck::cast_slice(tile), places, outputs, first, lanes }
    }
}
