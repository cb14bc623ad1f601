//! Lays weights out for the kernels: panels of 16 rows, in which the same columns of all 16 stand side by side.

use crate::format::Format;
use crate::part::PANEL;
use crate::{floats, quants};

/// Bytes of a packed matrix; `n_cols` is a multiple of [`Format::unit`].
pub fn packed_bytes(format: Format, n_cols: usize, n_rows: usize) -> usize {
    n_rows.div_ceil(PANEL) * panel_bytes(format, n_cols)
}

/// Bytes of a panel.
pub(crate) fn panel_bytes(format: Format, n_cols: usize) -> usize {
    match format {
        Format::Float(float) => PANEL * n_cols * float.bytes(),
        Format::Quant(quant) => quants::pack::panel_bytes(quant, n_cols),
    }
}

/// Packs `n_rows` rows of `n_cols` weights, as a file holds them, into [`packed_bytes`] bytes. Rows that the last panel has
/// and the matrix has not are zeros.
///
/// # Panics
/// When a slice is not as long as the shape says, or `n_cols` is no multiple of [`Format::unit`].
pub fn pack(format: Format, n_cols: usize, n_rows: usize, file: &[u8], packed: &mut [u8]) {
    let row_bytes = n_cols / format.unit() * format.unit_bytes();
    assert!(n_cols.is_multiple_of(format.unit()), "{n_cols} columns are no whole blocks of {format}");
    assert_eq!(file.len(), n_rows * row_bytes, "bytes of {n_rows} rows");
    assert_eq!(packed.len(), packed_bytes(format, n_cols, n_rows), "bytes of {n_rows} packed rows");
    let panels = packed.chunks_exact_mut(panel_bytes(format, n_cols));
    for (rows, panel) in file.chunks(PANEL * row_bytes).zip(panels) {
        match format {
            Format::Float(float) => floats::pack(float, n_cols, rows, panel),
            Format::Quant(quant) => quants::pack::pack(quant, n_cols, rows, panel),
        }
    }
}
