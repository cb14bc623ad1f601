//! Names the ways of multiplying, and hands a product to one of them.

use std::fmt;
use std::ops::Range;

use crate::format::Format;
use crate::pack::panel_bytes;
use crate::part::{Output, PANEL, Part};
use crate::tiles::{MAX_TILE, Word, row_words};
use crate::{floats, quants};

/// A way of multiplying. All give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kernels {
    /// For any CPU, and slow: the reference.
    Portable,
    /// Vectors of 256 bits, on x86-64.
    Avx2,
    /// Vectors of 512 bits and products of bytes (VNNI), on x86-64.
    Avx512,
}

impl Kernels {
    /// From the slowest to the quickest.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// As it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Whether the CPU says that it has the instructions.
    pub fn is_supported(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                std::is_x86_feature_detected!("avx2")
                    && std::is_x86_feature_detected!("fma")
                    && std::is_x86_feature_detected!("f16c")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                std::is_x86_feature_detected!("avx512f")
                    && std::is_x86_feature_detected!("avx512bw")
                    && std::is_x86_feature_detected!("avx512vl")
                    && std::is_x86_feature_detected!("avx512vnni")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }
}

impl fmt::Display for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A packed matrix and a tile to multiply it with.
#[derive(Clone, Copy)]
pub struct Product<'a> {
    pub format: Format,
    pub n_cols: usize,
    pub n_rows: usize,
    /// The whole matrix, from [`crate::pack()`].
    pub packed: &'a [u8],
    /// From [`crate::place_row`], all places.
    pub tile: &'a [Word],
}

impl Product<'_> {
    /// Multiplies panels `panels` of the matrix with the tile; place `p`'s product goes to `outputs[p]`, and further places
    /// of the tile, which are empty, nowhere.
    ///
    /// # Panics
    /// When the shape is not that of the slices.
    ///
    /// # Safety
    /// The CPU must have what `kernels` needs. Each output must be valid for writing floats `16·panels.start` up to
    /// `16·panels.end` or the matrix's last row, and nobody else may read or write these.
    pub unsafe fn compute(&self, kernels: Kernels, panels: Range<usize>, outputs: &[Output]) {
        let Self { format, n_cols, n_rows, packed, tile } = *self;
        let bytes = panel_bytes(format, n_cols);
        let row_words = row_words(format, n_cols);
        let places = tile.len() / row_words;
        assert!(outputs.len() <= places && places <= MAX_TILE && tile.len() == places * row_words, "words of a tile");
        for number in panels {
            let first = number * PANEL;
            let panel = &packed[number * bytes..][..bytes];
            let part = Part { panel, tile, places, outputs, first, lanes: (n_rows - first).min(PANEL) };
            // SAFETY: as the caller says.
            unsafe {
                match (kernels, format) {
                    (Kernels::Portable, Format::Float(float)) => floats::portable::multiply(float, &part.of()),
                    (Kernels::Portable, Format::Quant(quant)) => quants::portable::multiply(quant, &part.of()),
                    #[cfg(target_arch = "x86_64")]
                    (Kernels::Avx2, Format::Float(float)) => floats::avx2::multiply(float, &part.of()),
                    #[cfg(target_arch = "x86_64")]
                    (Kernels::Avx2, Format::Quant(quant)) => quants::avx2::multiply(quant, &part.of()),
                    #[cfg(target_arch = "x86_64")]
                    (Kernels::Avx512, Format::Float(float)) => floats::avx512::multiply(float, &part.of()),
                    #[cfg(target_arch = "x86_64")]
                    (Kernels::Avx512, Format::Quant(quant)) => quants::avx512::multiply(quant, &part.of()),
                    #[cfg(not(target_arch = "x86_64"))]
                    (Kernels::Avx2 | Kernels::Avx512, _) => unreachable!("only x86-64 has {kernels}"),
                }
            }
        }
    }
}
