//! Lays quantised weights out. A panel is a sequence of units, one for each block of the file's rows:
//!
//! | part | bytes | |
//! |---|---|---|
//! | factors | 16, 32 or 64 | `d` of 16 rows, then `m` where the format has it, 16-bit floats; MXFP4's exponents |
//! | and for each 32 columns | | |
//! | sub-block codes | 0 or 32 | of K types: 16 factors and 16 minima, or twice 16 factors in Q6_K |
//! | codes | 256 or 512 | 8 groups of 4 columns, 64 codes each; of two groups the first has the low halves of bytes, the second the high ones |
//! | planes | 64 each | for codes of 5 and 6 bits, the bits above the fourth: 8 groups of 64 bits |
//!
//! In a group, row `r`'s column `c` is number `4·r + c`. Takes as many bytes as the file, Q4_K and Q5_K 3 % more.

use super::quant::{BLOCK, Quant, Unit};
use crate::part::PANEL;

/// Codes of a group: four columns of each row.
const GROUP: usize = 64;
/// Groups of a block.
const GROUPS: usize = 8;

/// How a format's panels are laid out, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub factors: usize,
    pub sub_codes: usize,
    pub codes: usize,
    pub planes: usize,
    /// Blocks of a unit.
    pub blocks: usize,
}

impl Layout {
    pub const fn of(format: Quant) -> Self {
        const HALVES: usize = 2 * PANEL;
        const NIBBLES: usize = GROUPS * GROUP / 2;
        let (factors, sub_codes, codes, planes, blocks) = match format {
            Quant::Mxfp4 => (PANEL, 0, NIBBLES, 0, 1),
            Quant::Q4_0 | Quant::Iq4Nl => (HALVES, 0, NIBBLES, 0, 1),
            Quant::Q4_1 => (2 * HALVES, 0, NIBBLES, 0, 1),
            Quant::Q5_0 => (HALVES, 0, NIBBLES, 1, 1),
            Quant::Q5_1 => (2 * HALVES, 0, NIBBLES, 1, 1),
            Quant::Q8_0 => (HALVES, 0, 2 * NIBBLES, 0, 1),
            Quant::Q4K => (2 * HALVES, 2 * PANEL, NIBBLES, 0, 8),
            Quant::Q5K => (2 * HALVES, 2 * PANEL, NIBBLES, 1, 8),
            Quant::Q6K => (HALVES, 2 * PANEL, NIBBLES, 2, 8),
        };
        Self { factors, sub_codes, codes, planes, blocks }
    }

    pub const fn block_bytes(self) -> usize {
        self.sub_codes + self.codes + self.planes * GROUP
    }

    pub const fn unit_bytes(self) -> usize {
        self.factors + self.blocks * self.block_bytes()
    }
}

/// Bytes of a panel.
pub(crate) fn panel_bytes(format: Quant, n_cols: usize) -> usize {
    n_cols / format.unit() * Layout::of(format).unit_bytes()
}

/// Packs a panel of rows, as a file holds them.
pub(crate) fn pack(format: Quant, n_cols: usize, rows: &[u8], panel: &mut [u8]) {
    let row_bytes = n_cols / format.unit() * format.unit_bytes();
    for (at, unit) in panel.chunks_exact_mut(Layout::of(format).unit_bytes()).enumerate() {
        let mut units = [const { Unit::ZERO }; PANEL];
        for (row, unit) in rows.chunks_exact(row_bytes).zip(&mut units) {
            *unit = Unit::read(format, &row[at * format.unit_bytes()..][..format.unit_bytes()]);
        }
        write(format, &units, unit);
    }
}

fn write(format: Quant, units: &[Unit; PANEL], bytes: &mut [u8]) {
    let layout = Layout::of(format);
    let (factors, blocks) = bytes.split_at_mut(layout.factors);
    for (row, unit) in units.iter().enumerate() {
        if format == Quant::Mxfp4 {
            factors[row] = unit.d as u8;
            continue;
        }
        let halves = [unit.d, unit.m];
        for (part, half) in factors.chunks_exact_mut(2 * PANEL).zip(halves) {
            part[2 * row..][..2].copy_from_slice(&half.to_le_bytes());
        }
    }
    for (block, bytes) in blocks.chunks_exact_mut(layout.block_bytes()).enumerate() {
        let (sub_codes, bytes) = bytes.split_at_mut(layout.sub_codes);
        let (codes, planes) = bytes.split_at_mut(layout.codes);
        planes.fill(0);
        for (row, unit) in units.iter().enumerate() {
            if layout.sub_codes > 0 {
                (sub_codes[row], sub_codes[PANEL + row]) = if format == Quant::Q6K {
                    (unit.scales[2 * block], unit.scales[2 * block + 1])
                } else {
                    (unit.scales[block], unit.mins[block])
                };
            }
            // Four columns of a row are four codes side by side.
            let (fours, _) = unit.codes[block * BLOCK..][..BLOCK].as_chunks::<4>();
            for (group, &four) in fours.iter().enumerate() {
                let four = u32::from_le_bytes(four);
                let at = if layout.codes == GROUPS * GROUP { group } else { group / 2 } * GROUP + 4 * row;
                let place: &mut [u8; 4] = codes[at..].first_chunk_mut().expect("a group has 64 codes");
                *place = match (layout.codes == GROUPS * GROUP, group % 2) {
                    (true, _) => four,
                    (false, 0) => four & 0x0f0f_0f0f,
                    (false, _) => u32::from_le_bytes(*place) | (four & 0x0f0f_0f0f) << 4,
                }
                .to_le_bytes();
                for (plane, bits) in planes.chunks_exact_mut(GROUP).enumerate() {
                    // The lowest bit of each byte, all four beside each other.
                    let four = (four >> (4 + plane) & 0x0101_0101).wrapping_mul(0x0102_0408) >> 24;
                    bits[group * GROUP / 8 + row / 2] |= (four as u8) << (4 * (row % 2));
                }
            }
        }
    }
}
