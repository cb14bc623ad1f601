//! Holds what a kernel is given: a panel of weights, a tile of activations, and where their products go.

use crate::activations::Block;

/// Where the product of one place of a tile goes: its first float, of as many as the matrix has rows.
pub type Output = *mut f32;

/// A panel and a tile.
pub(crate) struct Part<'a> {
    pub panel: &'a [u8],
    pub tile: &'a [Block],
    pub places: usize,
    pub outputs: &'a [Output],
    /// The panel's first row, where outputs are written.
    pub first: usize,
    /// Rows of the panel that the matrix has.
    pub lanes: usize,
}
