//! Describes how GGUF files hold quantised weights, as far as they are multiplied here: ggml's block types.
//!
//! Each weight is `d·(u − offset)` or `d·u + m`, with an unsigned code `u` of 4, 5, 6 or 8 bits, or one that 4 bits choose from
//! a table. `d` and `m` belong to a
//! sub-block of 16 or 32 weights, or are themselves products of a 256-weight block's factor and a sub-block's code.

/// Weights that share their factors in most types, and that activations are quantised by.
pub const BLOCK: usize = 32;

/// A type of quantised weights, by ggml's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quant {
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q4K,
    Q5K,
    Q6K,
    Mxfp4,
    Iq4Nl,
}

impl Quant {
    /// Weights of a block in a file.
    pub fn unit(self) -> usize {
        match self {
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 | Self::Mxfp4 | Self::Iq4Nl => BLOCK,
            Self::Q4K | Self::Q5K | Self::Q6K => 256,
        }
    }

    /// Bytes of a block in a file.
    pub fn unit_bytes(self) -> usize {
        match self {
            Self::Mxfp4 => 17,
            Self::Q4_0 | Self::Iq4Nl => 18,
            Self::Q4_1 => 20,
            Self::Q5_0 => 22,
            Self::Q5_1 => 24,
            Self::Q8_0 => 34,
            Self::Q4K => 144,
            Self::Q5K => 176,
            Self::Q6K => 210,
        }
    }

    /// The codes that 4 bits choose from, where they are not codes themselves: ggml's `kvalues_fp4` and `kvalues_iq4nl`, from
    /// [`Quant::offset`] on.
    pub(crate) const fn table(self) -> Option<[u8; 16]> {
        match self {
            Self::Mxfp4 => Some([12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0]),
            Self::Iq4Nl => Some([1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241]),
            _ => None,
        }
    }

    /// What a code is counted from; None where a minimum is added instead.
    pub fn offset(self) -> Option<i32> {
        match self {
            Self::Q4_0 => Some(8),
            Self::Q5_0 => Some(16),
            Self::Q8_0 | Self::Iq4Nl => Some(128),
            Self::Mxfp4 => Some(12),
            Self::Q6K => Some(32),
            Self::Q4_1 | Self::Q5_1 | Self::Q4K | Self::Q5K => None,
        }
    }
}

/// One block of a file, taken apart.
pub(crate) struct Unit {
    /// As many as [`Quant::unit`] says; the rest is 0.
    pub codes: [u8; 256],
    /// The block's factor, a 16-bit float; in MXFP4 the exponent of a power of two.
    pub d: u16,
    /// The block's minimum, or its factor of minima; 0 where there is none.
    pub m: u16,
    /// Codes of the factors of sub-blocks: of 32 weights, or of 16 in Q6_K, where they are signed.
    pub scales: [u8; 16],
    /// Codes of the minima of sub-blocks.
    pub mins: [u8; 8],
}

impl Unit {
    /// Zeros, for rows that a panel has and the matrix has not.
    pub const ZERO: Self = Self { codes: [0; 256], d: 0, m: 0, scales: [0; 16], mins: [0; 8] };

    /// `bytes` are [`Quant::unit_bytes`]; the layouts are those of ggml's `ggml-common.h` and `dequantize_row_*`.
    pub fn read(format: Quant, bytes: &[u8]) -> Self {
        let mut unit = Self::ZERO;
        let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        match format {
            Quant::Mxfp4 => {
                unit.d = u16::from(bytes[0]);
                nibbles(&bytes[1..], &mut unit.codes);
            }
            Quant::Q4_0 | Quant::Iq4Nl => {
                unit.d = half(0);
                nibbles(&bytes[2..], &mut unit.codes);
            }
            Quant::Q4_1 => {
                (unit.d, unit.m) = (half(0), half(2));
                nibbles(&bytes[4..], &mut unit.codes);
            }
            Quant::Q5_0 => {
                unit.d = half(0);
                nibbles(&bytes[6..], &mut unit.codes);
                fifth_bits(&bytes[2..6], &mut unit.codes);
            }
            Quant::Q5_1 => {
                (unit.d, unit.m) = (half(0), half(2));
                nibbles(&bytes[8..], &mut unit.codes);
                fifth_bits(&bytes[4..8], &mut unit.codes);
            }
            Quant::Q8_0 => {
                unit.d = half(0);
                for (code, &byte) in unit.codes.iter_mut().zip(&bytes[2..]) {
                    // From a signed byte to its distance from -128.
                    *code = byte ^ 0x80;
                }
            }
            Quant::Q4K | Quant::Q5K => {
                (unit.d, unit.m) = (half(0), half(2));
                six_bit_scales(&bytes[4..16], &mut unit);
                let (fifth, fourths) =
                    if format == Quant::Q5K { bytes[16..].split_at(32) } else { (&[][..], &bytes[16..]) };
                for block in 0..8 {
                    for at in 0..BLOCK {
                        let byte = fourths[block / 2 * BLOCK + at];
                        let nibble = if block % 2 == 0 { byte & 15 } else { byte >> 4 };
                        let high = fifth.get(at).map_or(0, |bits| bits >> block & 1);
                        unit.codes[block * BLOCK + at] = nibble | high << 4;
                    }
                }
            }
            Quant::Q6K => {
                let (low, rest) = bytes.split_at(128);
                let (high, rest) = rest.split_at(64);
                unit.scales.copy_from_slice(&rest[..16]);
                unit.d = half(208);
                for code in 0..256 {
                    let (part, quarter, at) = (code / 128, code / 32 % 4, code % 32);
                    let byte = low[part * 64 + quarter % 2 * 32 + at];
                    let nibble = if quarter < 2 { byte & 15 } else { byte >> 4 };
                    unit.codes[code] = nibble | (high[part * 32 + at] >> (2 * quarter) & 3) << 4;
                }
            }
        }
        unit
    }
}

/// The low halves of 16 bytes are the first 16 codes, the high ones the other 16.
fn nibbles(bytes: &[u8], codes: &mut [u8; 256]) {
    for (at, &byte) in bytes[..16].iter().enumerate() {
        (codes[at], codes[at + 16]) = (byte & 15, byte >> 4);
    }
}

fn fifth_bits(bytes: &[u8], codes: &mut [u8; 256]) {
    for (at, code) in codes[..BLOCK].iter_mut().enumerate() {
        *code |= (bytes[at / 8] >> (at % 8) & 1) << 4;
    }
}

/// Eight factors and eight minima of six bits each in twelve bytes (ggml's `get_scale_min_k4`).
fn six_bit_scales(bytes: &[u8], unit: &mut Unit) {
    for block in 0..4 {
        unit.scales[block] = bytes[block] & 63;
        unit.mins[block] = bytes[block + 4] & 63;
        unit.scales[block + 4] = bytes[block + 8] & 15 | bytes[block] >> 6 << 4;
        unit.mins[block + 4] = bytes[block + 8] >> 4 | bytes[block + 4] >> 6 << 4;
    }
}

/// Half of the power of two that MXFP4's exponent stands for (ggml's `ggml_e8m0_to_fp32_half`): its table has twice the values.
pub(crate) fn half_power(exponent: u8) -> f32 {
    f32::from_bits(if exponent < 2 { 0x0020_0000 << exponent } else { (u32::from(exponent) - 1) << 23 })
}
