//! Writes vectors of which the last lanes may have no row.

use std::arch::x86_64::*;

/// Writes the first `lanes` lanes of eight, or all where there are more.
///
/// # Safety
/// The CPU must have AVX2, and so many floats may be written.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) unsafe fn store(sum: __m256, output: *mut f32, lanes: usize) {
    if lanes >= 8 {
        // SAFETY: the caller says that all lanes may be written.
        unsafe { _mm256_storeu_ps(output, sum) };
        return;
    }
    let number = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    let mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes as i32), number);
    // SAFETY: the caller says that so many lanes may be written.
    unsafe { _mm256_maskstore_ps(output, mask, sum) };
}
