//! Multiplies with vectors of 512 bits: each of 16 lanes sums a row of the panel.

use std::arch::x86_64::*;

use super::activations::Block;
use super::quant::Quant;
use super::shape::{Shape, for_shape};
use crate::part::{PANEL, Part};

/// # Safety
/// As for `Product::compute`; the CPU must have AVX-512 F, BW, VL and VNNI.
pub(crate) unsafe fn multiply(format: Quant, part: &Part<'_, Block>) {
    // SAFETY: as the caller says.
    unsafe { for_shape!(tile, format, part.places, part, (1 2 4 6 8 12)) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn tile<S: Shape, const PLACES: usize>(part: &Part<'_, Block>) {
    let mut sums = [_mm512_setzero_ps(); PLACES];
    let mut blocks = part.tile.as_ptr();
    for unit in part.panel.chunks_exact(S::LAYOUT.unit_bytes()) {
        let unit = unit.as_ptr();
        // SAFETY: a unit is as long as its layout says, and the tile has PLACES blocks for each of a unit's.
        unsafe {
            let factor = |part: usize| _mm512_cvtph_ps(_mm256_loadu_si256(unit.add(part * 2 * PANEL).cast()));
            let d = if S::POWERS { half_powers(unit) } else { factor(0) };
            let m = if S::MINIMUM { factor(1) } else { d };
            for block in 0..S::LAYOUT.blocks {
                let bytes = unit.add(S::LAYOUT.factors + block * S::LAYOUT.block_bytes());
                let (d, m) = sub_factors::<S>(d, m, bytes);
                let codes = bytes.add(S::LAYOUT.sub_codes);
                if S::BY_SIXTEEN {
                    add::<S, PLACES>(&mut sums, d, m, codes, blocks, 0, 4);
                    let d = sub_factors_of_second_half(factor(0), bytes);
                    add::<S, PLACES>(&mut sums, d, m, codes, blocks, 4, 8);
                } else {
                    add::<S, PLACES>(&mut sums, d, m, codes, blocks, 0, 8);
                }
                blocks = blocks.add(PLACES);
            }
        }
    }
    let lanes = ((1_u32 << part.lanes) - 1) as __mmask16;
    for (&sum, output) in sums.iter().zip(part.outputs) {
        // SAFETY: the caller says that these lanes may be written.
        unsafe { _mm512_mask_storeu_ps(output.add(part.first), lanes, sum) };
    }
}

/// Adds groups `first..end` of a block, which share their factors.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn add<S: Shape, const PLACES: usize>(
    sums: &mut [__m512; PLACES],
    d: __m512,
    m: __m512,
    codes: *const u8,
    blocks: *const Block,
    first: usize,
    end: usize,
) {
    // SAFETY: as the caller says.
    unsafe {
        let mut products = [_mm512_setzero_si512(); PLACES];
        if !S::MINIMUM {
            for (place, product) in products.iter_mut().enumerate() {
                let [start, rest] = (*blocks.add(place)).aside;
                *product =
                    _mm512_set1_epi32(if S::BY_SIXTEEN { if first == 0 { start } else { rest } } else { start + rest });
            }
        }
        for group in first..end {
            let codes = group_codes::<S>(codes, group);
            for (place, product) in products.iter_mut().enumerate() {
                let four = (*blocks.add(place)).codes.as_ptr().add(4 * group).cast::<i32>().read_unaligned();
                *product = _mm512_dpbusd_epi32(*product, codes, _mm512_set1_epi32(four));
            }
        }
        for (place, (sum, product)) in sums.iter_mut().zip(products).enumerate() {
            let block = &*blocks.add(place);
            let factor = _mm512_mul_ps(d, _mm512_set1_ps(block.scale));
            *sum = _mm512_fmadd_ps(factor, _mm512_cvtepi32_ps(product), *sum);
            if S::MINIMUM {
                *sum = _mm512_fmadd_ps(m, _mm512_set1_ps(f32::from_bits(block.aside[0] as u32)), *sum);
            }
        }
    }
}

/// Four columns of 16 rows.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn group_codes<S: Shape>(codes: *const u8, group: usize) -> __m512i {
    // SAFETY: the caller says that a block's codes and planes are there.
    unsafe {
        if S::WHOLE_BYTES {
            return _mm512_loadu_si512(codes.add(64 * group).cast());
        }
        let pair = _mm512_loadu_si512(codes.add(group / 2 * 64).cast());
        let low = _mm512_set1_epi8(15);
        let mut four = if group.is_multiple_of(2) {
            _mm512_and_si512(pair, low)
        } else {
            _mm512_and_si512(_mm512_srli_epi16::<4>(pair), low)
        };
        if let Some(table) = const { S::FORMAT.table() } {
            let table = _mm512_broadcast_i32x4(_mm_loadu_si128(table.as_ptr().cast()));
            four = _mm512_shuffle_epi8(table, four);
        }
        for plane in 0..S::LAYOUT.planes {
            let bits = codes.add(S::LAYOUT.codes + 64 * plane + 8 * group).cast::<u64>().read_unaligned();
            four = _mm512_mask_add_epi8(four, bits, four, _mm512_set1_epi8(16 << plane));
        }
        four
    }
}

/// MXFP4's factors, as `half_power` has them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn half_powers(exponents: *const u8) -> __m512 {
    // SAFETY: the caller says that 16 exponents are there.
    let exponents = _mm512_cvtepu8_epi32(unsafe { _mm_loadu_si128(exponents.cast()) });
    let normal = _mm512_slli_epi32::<23>(_mm512_sub_epi32(exponents, _mm512_set1_epi32(1)));
    let least = _mm512_sllv_epi32(_mm512_set1_epi32(0x0020_0000), exponents);
    let is_least = _mm512_cmplt_epi32_mask(exponents, _mm512_set1_epi32(2));
    _mm512_castsi512_ps(_mm512_mask_blend_epi32(is_least, normal, least))
}

/// The factors of a block's rows; of Q6_K those of its first half.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn sub_factors<S: Shape>(d: __m512, m: __m512, bytes: *const u8) -> (__m512, __m512) {
    if S::LAYOUT.sub_codes == 0 {
        return (d, m);
    }
    // SAFETY: the caller says that the sub-blocks' codes are there.
    unsafe {
        let first = _mm_loadu_si128(bytes.cast());
        if S::BY_SIXTEEN {
            return (_mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(first))), m);
        }
        let unsigned = |codes| _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(codes));
        let second = _mm_loadu_si128(bytes.add(PANEL).cast());
        let minus = _mm512_sub_ps(_mm512_setzero_ps(), m);
        (_mm512_mul_ps(d, unsigned(first)), _mm512_mul_ps(minus, unsigned(second)))
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn sub_factors_of_second_half(d: __m512, bytes: *const u8) -> __m512 {
    // SAFETY: the caller says that the sub-blocks' codes are there.
    let second = unsafe { _mm_loadu_si128(bytes.add(PANEL).cast()) };
    _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(second)))
}
