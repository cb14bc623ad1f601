//! Multiplies in plain Rust, a number at a time: the reference for the others.

use half::{bf16, f16};

use super::Float;
use crate::part::{PANEL, Part};

/// # Safety
/// As for `Product::compute`.
pub(crate) unsafe fn multiply(float: Float, part: &Part<'_, f32>) {
    for lane in 0..part.lanes {
        for (place, output) in part.outputs.iter().enumerate() {
            let weights = part.panel.chunks_exact(PANEL * float.bytes()).map(|column| weight(float, column, lane));
            let values = part.tile.iter().skip(place).step_by(part.places);
            let sum = weights.zip(values).fold(0., |sum, (weight, &value)| weight.mul_add(value, sum));
            // SAFETY: the caller says that it may be written.
            unsafe { output.add(part.first + lane).write(sum) };
        }
    }
}

/// A column's weight in one of its rows.
fn weight(float: Float, column: &[u8], lane: usize) -> f32 {
    let (halves, _) = column.as_chunks::<2>();
    let (words, _) = column.as_chunks::<4>();
    match float {
        Float::F32 => f32::from_le_bytes(words[lane]),
        Float::F16 => f16::from_le_bytes(halves[lane]).to_f32(),
        Float::Bf16 => bf16::from_le_bytes(halves[lane]).to_f32(),
    }
}
