//! Multiplies weights that are floats, of 16 or 32 bits, with activations as they are. Each product is fused with its addition
//! to the sum of the columns before it: one chain for each row, whatever the vectors' width.
//!
//! - `portable`, `avx2`, `avx512`: one way to multiply each

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
pub(crate) mod portable;

use crate::part::PANEL;

/// A type of floats, by ggml's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Float {
    F32,
    F16,
    Bf16,
}

impl Float {
    /// Bytes of a weight.
    pub const fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }
}

/// A type of floats that the compiler knows, so that each kernel is compiled for it alone.
pub(crate) trait Element {
    const FLOAT: Float;
    const BYTES: usize = Self::FLOAT.bytes();
}

macro_rules! elements {
    ($($name:ident)*) => { $(
        pub(crate) struct $name;

        impl Element for $name {
            const FLOAT: Float = Float::$name;
        }
    )* };
}
elements!(F32 F16 Bf16);

/// Packs a panel: of each column the weights of all rows, as the file has them.
pub(crate) fn pack(float: Float, n_cols: usize, rows: &[u8], panel: &mut [u8]) {
    fn transpose<const BYTES: usize>(n_cols: usize, rows: &[u8], panel: &mut [u8]) {
        let (weights, _) = rows.as_chunks::<BYTES>();
        let (panel, _) = panel.as_chunks_mut::<BYTES>();
        panel.fill([0; BYTES]);
        for (row, weights) in weights.chunks_exact(n_cols).enumerate() {
            for (column, weight) in panel.chunks_exact_mut(PANEL).zip(weights) {
                column[row] = *weight;
            }
        }
    }
    match float {
        Float::F32 => transpose::<4>(n_cols, rows, panel),
        Float::F16 | Float::Bf16 => transpose::<2>(n_cols, rows, panel),
    }
}

/// Puts a row's floats into a tile.
pub(crate) fn place(row: &[f32], tile: &mut [f32], place: usize, places: usize) {
    for (column, value) in tile.chunks_exact_mut(places).zip(row) {
        column[place] = *value;
    }
}

/// Calls `$kernel::<Element, PLACES>($part)` for the type of floats and the tile's places.
macro_rules! for_element {
    ($kernel:ident, $float:expr, $part:expr) => {
        match $float {
            Float::F32 => for_element!(@ $kernel, F32, $part),
            Float::F16 => for_element!(@ $kernel, F16, $part),
            Float::Bf16 => for_element!(@ $kernel, Bf16, $part),
        }
    };
    (@ $kernel:ident, $element:ident, $part:expr) => {
        match $part.places {
            1 => $kernel::<super::$element, 1>($part),
            2 => $kernel::<super::$element, 2>($part),
            4 => $kernel::<super::$element, 4>($part),
            6 => $kernel::<super::$element, 6>($part),
            8 => $kernel::<super::$element, 8>($part),
            12 => $kernel::<super::$element, 12>($part),
            places => unreachable!("no tile has {places} places"),
        }
    };
}
use for_element;
