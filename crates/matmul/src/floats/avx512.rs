//! Multiplies with vectors of 512 bits: each of 16 lanes sums a row of the panel.

use std::arch::x86_64::*;

use super::{Element, Float, for_element};
use crate::part::{PANEL, Part};

/// # Safety
/// As for `Product::compute`; the CPU must have AVX-512 F, BW and VL.
pub(crate) unsafe fn multiply(float: Float, part: &Part<'_, f32>) {
    // SAFETY: as the caller says.
    unsafe { for_element!(tile, float, part) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn tile<E: Element, const PLACES: usize>(part: &Part<'_, f32>) {
    let mut sums = [_mm512_setzero_ps(); PLACES];
    let columns = part.panel.chunks_exact(PANEL * E::BYTES).zip(part.tile.chunks_exact(PLACES));
    for (weights, values) in columns {
        // SAFETY: a column has 16 weights.
        let weights = unsafe { sixteen::<E>(weights.as_ptr()) };
        for (sum, &value) in sums.iter_mut().zip(values) {
            *sum = _mm512_fmadd_ps(weights, _mm512_set1_ps(value), *sum);
        }
    }
    let lanes = ((1_u32 << part.lanes) - 1) as __mmask16;
    for (&sum, output) in sums.iter().zip(part.outputs) {
        // SAFETY: the caller says that these lanes may be written.
        unsafe { _mm512_mask_storeu_ps(output.add(part.first), lanes, sum) };
    }
}

/// The weights of 16 rows.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn sixteen<E: Element>(weights: *const u8) -> __m512 {
    // SAFETY: the caller says that 16 weights are there.
    unsafe {
        match E::FLOAT {
            Float::F32 => _mm512_loadu_ps(weights.cast()),
            Float::F16 => _mm512_cvtph_ps(_mm256_loadu_si256(weights.cast())),
            // The upper half of a float's bits.
            Float::Bf16 => {
                let halves = _mm512_cvtepu16_epi32(_mm256_loadu_si256(weights.cast()));
                _mm512_castsi512_ps(_mm512_slli_epi32::<16>(halves))
            }
        }
    }
}
