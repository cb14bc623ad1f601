//! Multiplies with vectors of 256 bits: each of eight lanes sums a row of one half of the panel.
//!
//! Products of bytes are summed in 16 bits as long as they fit, so that nothing saturates and the sums are exact.

use std::arch::x86_64::*;

use super::activations::Block;
use super::quant::Quant;
use super::shape::{Shape, for_shape};
use crate::lanes::store;
use crate::part::{PANEL, Part};

/// Lanes of a vector.
const LANES: usize = PANEL / 2;

/// # Safety
/// As for `Product::compute`; the CPU must have AVX2, FMA and F16C.
pub(crate) unsafe fn multiply(format: Quant, part: &Part<'_, Block>) {
    // SAFETY: as the caller says.
    unsafe { for_shape!(tile, format, part.places, part, (1 2 4 6 8 12)) }
}

#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn tile<S: Shape, const PLACES: usize>(part: &Part<'_, Block>) {
    // There are half as many registers as with AVX-512: four places at a time.
    let mut first = 0;
    while first < PLACES {
        // SAFETY: as the caller says; all places of these are the tile's.
        unsafe {
            match PLACES - first {
                1 => places::<S, 1, PLACES>(part, first),
                2 | 3 => places::<S, 2, PLACES>(part, first),
                _ => places::<S, 4, PLACES>(part, first),
            }
        }
        first += match PLACES - first {
            1 => 1,
            2 | 3 => 2,
            _ => 4,
        };
    }
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn places<S: Shape, const N: usize, const PLACES: usize>(part: &Part<'_, Block>, first: usize) {
    for half in 0..2 {
        let mut sums = [_mm256_setzero_ps(); N];
        let mut blocks = part.tile.as_ptr().wrapping_add(first);
        for unit in part.panel.chunks_exact(S::LAYOUT.unit_bytes()) {
            let unit = unit.as_ptr();
            // SAFETY: a unit is as long as its layout says, and the tile has PLACES blocks for each of a unit's.
            unsafe {
                let factor = |part: usize| {
                    _mm256_cvtph_ps(_mm_loadu_si128(unit.add(part * 2 * PANEL + half * 2 * LANES).cast()))
                };
                let d = if S::POWERS { half_powers(unit.add(half * LANES)) } else { factor(0) };
                let m = if S::MINIMUM { factor(1) } else { d };
                for block in 0..S::LAYOUT.blocks {
                    let bytes = unit.add(S::LAYOUT.factors + block * S::LAYOUT.block_bytes());
                    let (first_d, m) = sub_factors::<S>(d, m, bytes.add(half * LANES));
                    let codes = bytes.add(S::LAYOUT.sub_codes);
                    if S::BY_SIXTEEN {
                        add::<S, N>(&mut sums, first_d, m, codes, blocks, half, 0, 4);
                        let d = signed(d, bytes.add(PANEL + half * LANES));
                        add::<S, N>(&mut sums, d, m, codes, blocks, half, 4, 8);
                    } else {
                        add::<S, N>(&mut sums, first_d, m, codes, blocks, half, 0, 8);
                    }
                    blocks = blocks.wrapping_add(PLACES);
                }
            }
        }
        let lanes = part.lanes.saturating_sub(half * LANES);
        for (&sum, output) in sums.iter().zip(part.outputs.iter().skip(first)) {
            // SAFETY: the caller says that these lanes may be written.
            unsafe { store(sum, output.add(part.first + half * LANES), lanes) };
        }
    }
}

/// Adds groups `first..end` of a block, which share their factors.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
#[expect(clippy::too_many_arguments, reason = "all of it is in registers")]
unsafe fn add<S: Shape, const N: usize>(
    sums: &mut [__m256; N],
    d: __m256,
    m: __m256,
    codes: *const u8,
    blocks: *const Block,
    half: usize,
    first: usize,
    end: usize,
) {
    // Groups whose products of two bytes fit into 16 bits together: a divisor of a block's 8.
    let fit = const { if S::SIGNED { 1 } else { 1 << (32767_u32 / (2 * 127 * S::GREATEST as u32)).ilog2() } };
    // SAFETY: as the caller says.
    unsafe {
        let mut products = [_mm256_setzero_si256(); N];
        let ones = _mm256_set1_epi16(1);
        let mut group = first;
        while group < end {
            let together = fit.min(end - group);
            let mut pairs = [_mm256_setzero_si256(); N];
            for group in group..group + together {
                let codes = group_codes::<S>(codes, group, half);
                // A code of 8 bits is taken as a signed one, whose sign goes to the activation: two products of 128 and 127
                // fit.
                let signed = _mm256_xor_si256(codes, _mm256_set1_epi8(-128));
                let unsigned = if S::SIGNED { _mm256_abs_epi8(signed) } else { codes };
                for (place, pair) in pairs.iter_mut().enumerate() {
                    let four = (*blocks.add(place)).codes.as_ptr().add(4 * group).cast::<i32>().read_unaligned();
                    let mut four = _mm256_set1_epi32(four);
                    if S::SIGNED {
                        four = _mm256_sign_epi8(four, signed);
                    }
                    *pair = _mm256_add_epi16(*pair, _mm256_maddubs_epi16(unsigned, four));
                }
            }
            for (product, pair) in products.iter_mut().zip(pairs) {
                *product = _mm256_add_epi32(*product, _mm256_madd_epi16(pair, ones));
            }
            group += together;
        }
        for (place, (sum, mut product)) in sums.iter_mut().zip(products).enumerate() {
            let block = &*blocks.add(place);
            // Signed codes have their offset already.
            if !S::MINIMUM && !S::SIGNED {
                let [start, rest] = block.aside;
                let aside = match (S::BY_SIXTEEN, first) {
                    (false, _) => start + rest,
                    (true, 0) => start,
                    (true, _) => rest,
                };
                product = _mm256_add_epi32(product, _mm256_set1_epi32(aside));
            }
            let factor = _mm256_mul_ps(d, _mm256_set1_ps(block.scale));
            *sum = _mm256_fmadd_ps(factor, _mm256_cvtepi32_ps(product), *sum);
            if S::MINIMUM {
                *sum = _mm256_fmadd_ps(m, _mm256_set1_ps(f32::from_bits(block.aside[0] as u32)), *sum);
            }
        }
    }
}

/// Four columns of eight rows.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn group_codes<S: Shape>(codes: *const u8, group: usize, half: usize) -> __m256i {
    // SAFETY: the caller says that a block's codes and planes are there.
    unsafe {
        if S::WHOLE_BYTES {
            return _mm256_loadu_si256(codes.add(64 * group + 32 * half).cast());
        }
        let pair = _mm256_loadu_si256(codes.add(group / 2 * 64 + 32 * half).cast());
        let low = _mm256_set1_epi8(15);
        let mut four = if group.is_multiple_of(2) {
            _mm256_and_si256(pair, low)
        } else {
            _mm256_and_si256(_mm256_srli_epi16::<4>(pair), low)
        };
        if let Some(table) = const { S::FORMAT.table() } {
            let table = _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast()));
            four = _mm256_shuffle_epi8(table, four);
        }
        for plane in 0..S::LAYOUT.planes {
            let bits = codes.add(S::LAYOUT.codes + 64 * plane + 8 * group + 4 * half).cast::<i32>().read_unaligned();
            let there = bits_to_bytes(bits);
            four = _mm256_or_si256(four, _mm256_and_si256(there, _mm256_set1_epi8(16 << plane)));
        }
        four
    }
}

/// MXFP4's factors, as `half_power` has them.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn half_powers(exponents: *const u8) -> __m256 {
    // SAFETY: the caller says that eight exponents are there.
    let exponents = _mm256_cvtepu8_epi32(unsafe { _mm_loadl_epi64(exponents.cast()) });
    let normal = _mm256_slli_epi32::<23>(_mm256_sub_epi32(exponents, _mm256_set1_epi32(1)));
    let least = _mm256_sllv_epi32(_mm256_set1_epi32(0x0020_0000), exponents);
    let is_least = _mm256_cmpgt_epi32(_mm256_set1_epi32(2), exponents);
    _mm256_castsi256_ps(_mm256_blendv_epi8(normal, least, is_least))
}

/// Byte `i` is all ones where bit `i` is set.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn bits_to_bytes(bits: i32) -> __m256i {
    let byte_of = _mm256_setr_epi64x(0, 0x0101_0101_0101_0101, 0x0202_0202_0202_0202, 0x0303_0303_0303_0303);
    let bit = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64 as i64);
    let bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(bits), byte_of);
    _mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit), bit)
}

/// The factors of a block's rows; of Q6_K those of its first half.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn sub_factors<S: Shape>(d: __m256, m: __m256, bytes: *const u8) -> (__m256, __m256) {
    if S::LAYOUT.sub_codes == 0 {
        return (d, m);
    }
    // SAFETY: the caller says that the sub-blocks' codes are there.
    unsafe {
        if S::BY_SIXTEEN {
            return (signed(d, bytes), m);
        }
        let unsigned = |at: usize| _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(bytes.add(at).cast())));
        let minus = _mm256_sub_ps(_mm256_setzero_ps(), m);
        (_mm256_mul_ps(d, unsigned(0)), _mm256_mul_ps(minus, unsigned(PANEL)))
    }
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn signed(d: __m256, bytes: *const u8) -> __m256 {
    // SAFETY: the caller says that eight codes are there.
    let codes = unsafe { _mm_loadl_epi64(bytes.cast()) };
    _mm256_mul_ps(d, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(codes)))
}
