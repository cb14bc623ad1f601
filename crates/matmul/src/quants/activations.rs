//! Quantises activations: blocks of 32 floats become codes of 8 bits with one factor, as ggml's `Q8_0` has them but for the
//! factor, which stays a 32-bit float.

use bytemuck::{Pod, Zeroable};

use super::quant::{BLOCK, Quant};

/// 32 activations of a row.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Block {
    pub(crate) codes: [i8; BLOCK],
    pub(crate) scale: f32,
    /// For formats with an offset: the codes' sums over the first and the second half, times minus the offset. For those
    /// with a minimum: the sum of all codes times `scale`, as bits of a float, and 0.
    pub(crate) aside: [i32; 2],
}

impl Block {
    pub(crate) const ZERO: Self = Self { codes: [0; BLOCK], scale: 0., aside: [0; 2] };
}

/// Quantises a row into place `place` of a tile with `places` places, for weights of `format`.
///
/// A block with a value that is not finite gets the factor NaN, so that no sum hides it.
pub(crate) fn quantise(format: Quant, row: &[f32], tile: &mut [Block], place: usize, places: usize) {
    let (values, _) = row.as_chunks::<BLOCK>();
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") {
        // SAFETY: the CPU has it.
        return unsafe { quantise_avx2(format, values, tile, place, places) };
    }
    quantise_blocks(format, values, tile, place, places);
}

/// The same code, for vectors of 256 bits: nothing in it can be summed in another order.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn quantise_avx2(format: Quant, values: &[[f32; BLOCK]], tile: &mut [Block], place: usize, places: usize) {
    quantise_blocks(format, values, tile, place, places);
}

#[inline(always)]
fn quantise_blocks(format: Quant, values: &[[f32; BLOCK]], tile: &mut [Block], place: usize, places: usize) {
    let offset = format.offset();
    for (values, blocks) in values.iter().zip(tile.chunks_exact_mut(places)) {
        blocks[place] = block(offset, values);
    }
}

#[inline(always)]
fn block(offset: Option<i32>, values: &[f32; BLOCK]) -> Block {
    // The bits of floats without a sign are in their order; those of infinity and NaN are the greatest.
    let greatest = values.iter().fold(0, |greatest: u32, value| greatest.max(value.to_bits() & 0x7fff_ffff));
    let greatest = f32::from_bits(greatest);
    if !greatest.is_finite() {
        return Block { scale: f32::NAN, ..Block::ZERO };
    }
    let inverse = 127. / greatest;
    // All is zero, or so little that its inverse is not finite.
    if !inverse.is_finite() {
        return Block::ZERO;
    }
    let mut codes = [0; BLOCK];
    for (code, value) in codes.iter_mut().zip(values) {
        // SAFETY: the value times the inverse is between -128 and 128.
        *code = unsafe { (value * inverse).round_ties_even().to_int_unchecked::<i32>() } as i8;
    }
    let scale = greatest / 127.;
    let sum = |codes: &[i8]| codes.iter().map(|&code| i32::from(code)).sum::<i32>();
    let (first, second) = (sum(&codes[..BLOCK / 2]), sum(&codes[BLOCK / 2..]));
    let aside = match offset {
        Some(offset) => [-offset * first, -offset * second],
        None => [(scale * (first + second) as f32).to_bits() as i32, 0],
    };
    Block { codes, scale, aside }
}
