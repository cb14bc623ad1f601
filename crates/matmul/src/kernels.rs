//! Names the ways of multiplying, and hands a product to one of them.

use std::fmt;
use std::ops::Range;

use crate::activations::{Block, MAX_TILE};
use crate::format::{BLOCK, Format};
use crate::pack::{PANEL, panel_bytes};
use crate::part::{Output, Part};
use crate::portable;

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
    /// From [`crate::quantise`], all places.
    pub tile: &'a [Block],
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
        let places = tile.len() / (n_cols / BLOCK);
        assert!(outputs.len() <= places && places <= MAX_TILE && tile.len() == places * (n_cols / BLOCK));
        for panel in panels {
            let first = panel * PANEL;
            let part = Part {
                panel: &packed[panel * bytes..][..bytes],
                tile,
                places,
                outputs,
                first,
                lanes: (n_rows - first).min(PANEL),
            };
            // SAFETY: as the caller says.
            unsafe {
                match kernels {
                    Kernels::Portable => portable::multiply(format, &part),
                    #[cfg(target_arch = "x86_64")]
                    Kernels::Avx2 => crate::avx2::multiply(format, &part),
                    #[cfg(target_arch = "x86_64")]
                    Kernels::Avx512 => crate::avx512::multiply(format, &part),
                    #[cfg(not(target_arch = "x86_64"))]
                    Kernels::Avx2 | Kernels::Avx512 => unreachable!("only x86-64 has {kernels}"),
                }
            }
        }
    }
}
