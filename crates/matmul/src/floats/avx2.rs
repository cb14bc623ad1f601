//! Multiplies with vectors of 256 bits: each of eight lanes sums a row of one half of the panel.

use std::arch::x86_64::*;

use super::{Element, Float, for_element};
use crate::lanes::store;
use crate::part::{PANEL, Part};

/// Lanes of a vector.
const LANES: usize = PANEL / 2;

/// # Safety
/// As for `Product::compute`; the CPU must have AVX2, FMA and F16C.
pub(crate) unsafe fn multiply(float: Float, part: &Part<'_, f32>) {
    // SAFETY: as the caller says.
    unsafe { for_element!(tile, float, part) }
}

#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn tile<E: Element, const PLACES: usize>(part: &Part<'_, f32>) {
    // Two sums for each place, of 16 registers: six places at a time, and of eight four.
    // SAFETY: as the caller says; all places of these are the tile's.
    unsafe {
        match PLACES {
            8 => {
                places::<E, 4, PLACES>(part, 0);
                places::<E, 4, PLACES>(part, 4);
            }
            12 => {
                places::<E, 6, PLACES>(part, 0);
                places::<E, 6, PLACES>(part, 6);
            }
            _ => places::<E, PLACES, PLACES>(part, 0),
        }
    }
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn places<E: Element, const N: usize, const PLACES: usize>(part: &Part<'_, f32>, first: usize) {
    let mut sums = [[_mm256_setzero_ps(); 2]; N];
    let columns = part.panel.chunks_exact(PANEL * E::BYTES).zip(part.tile.chunks_exact(PLACES));
    for (weights, values) in columns {
        // SAFETY: a column has 16 weights.
        let [start, rest] =
            unsafe { [eight::<E>(weights.as_ptr()), eight::<E>(weights.as_ptr().add(LANES * E::BYTES))] };
        for (sum, value) in sums.iter_mut().zip(&values[first..]) {
            let value = _mm256_broadcast_ss(value);
            sum[0] = _mm256_fmadd_ps(start, value, sum[0]);
            sum[1] = _mm256_fmadd_ps(rest, value, sum[1]);
        }
    }
    for (sums, output) in sums.iter().zip(part.outputs.iter().skip(first)) {
        for (half, &sum) in sums.iter().enumerate() {
            let lanes = part.lanes.saturating_sub(half * LANES);
            // SAFETY: the caller says that these lanes may be written.
            unsafe { store(sum, output.add(part.first + half * LANES), lanes) };
        }
    }
}

/// The weights of eight rows.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn eight<E: Element>(weights: *const u8) -> __m256 {
    // SAFETY: the caller says that eight weights are there.
    unsafe {
        match E::FLOAT {
            Float::F32 => _mm256_loadu_ps(weights.cast()),
            Float::F16 => _mm256_cvtph_ps(_mm_loadu_si128(weights.cast())),
            // The upper half of a float's bits.
            Float::Bf16 => {
                let halves = _mm256_cvtepu16_epi32(_mm_loadu_si128(weights.cast()));
                _mm256_castsi256_ps(_mm256_slli_epi32::<16>(halves))
            }
        }
    }
}
