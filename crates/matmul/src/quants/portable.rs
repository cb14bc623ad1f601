//! Multiplies in plain Rust, a number at a time: the reference for the others, in whose lanes the same is computed in the
//! same order.

use half::f16;

use super::activations::Block;
use super::pack::Layout;
use super::quant::{BLOCK, Quant, half_power};
use crate::part::{PANEL, Part};

/// # Safety
/// As for `Product::compute`.
pub(crate) unsafe fn multiply(format: Quant, part: &Part<'_, Block>) {
    for lane in 0..part.lanes {
        for (place, output) in part.outputs.iter().enumerate() {
            let sum = sum(format, part, lane, place);
            // SAFETY: the caller says that it may be written.
            unsafe { output.add(part.first + lane).write(sum) };
        }
    }
}

fn sum(format: Quant, part: &Part<'_, Block>, lane: usize, place: usize) -> f32 {
    let (layout, table) = (Layout::of(format), format.table());
    let mut sum = 0.;
    let mut tile = part.tile.iter().skip(place).step_by(part.places);
    for unit in part.panel.chunks_exact(layout.unit_bytes()) {
        let (factors, blocks) = unit.split_at(layout.factors);
        let half = |at: usize| f16::from_le_bytes([factors[2 * at], factors[2 * at + 1]]).to_f32();
        let d = if format == Quant::Mxfp4 { half_power(factors[lane]) } else { half(lane) };
        for bytes in blocks.chunks_exact(layout.block_bytes()) {
            let block = tile.next().expect("a tile has a block for each of the panel's");
            let product = |cols: std::ops::Range<usize>| -> i32 {
                cols.map(|col| {
                    let code = code(&layout, bytes, lane, col);
                    let code = table.map_or(code, |table| table[usize::from(code)]);
                    i32::from(code) * i32::from(block.codes[col])
                })
                .sum()
            };
            let sub_code = |at: usize| bytes[at * PANEL + lane];
            match format {
                Quant::Q4_0 | Quant::Q5_0 | Quant::Q8_0 | Quant::Mxfp4 | Quant::Iq4Nl => {
                    let product = product(0..BLOCK) + block.aside[0] + block.aside[1];
                    sum = (d * block.scale).mul_add(product as f32, sum);
                }
                Quant::Q6K => {
                    for half in 0..2 {
                        let d = d * f32::from(sub_code(half) as i8);
                        let product = product(half * 16..(half + 1) * 16) + block.aside[half];
                        sum = (d * block.scale).mul_add(product as f32, sum);
                    }
                }
                Quant::Q4_1 | Quant::Q5_1 | Quant::Q4K | Quant::Q5K => {
                    let m = half(PANEL + lane);
                    let (d, m) = match format {
                        Quant::Q4K | Quant::Q5K => (d * f32::from(sub_code(0)), -(m * f32::from(sub_code(1)))),
                        _ => (d, m),
                    };
                    sum = (d * block.scale).mul_add(product(0..BLOCK) as f32, sum);
                    sum = m.mul_add(f32::from_bits(block.aside[0] as u32), sum);
                }
            }
        }
    }
    sum
}

/// The code of a row's column in a packed block.
fn code(layout: &Layout, block: &[u8], lane: usize, col: usize) -> u8 {
    let codes = &block[layout.sub_codes..];
    let (group, at) = (col / 4, 4 * lane + col % 4);
    if layout.codes == 512 {
        return codes[group * 64 + at];
    }
    let byte = codes[group / 2 * 64 + at];
    let nibble = if group % 2 == 0 { byte & 15 } else { byte >> 4 };
    (0..layout.planes).fold(nibble, |code, plane| {
        let bits = codes[layout.codes + plane * 64 + group * 8 + at / 8];
        code | (bits >> (at % 8) & 1) << (4 + plane)
    })
}
