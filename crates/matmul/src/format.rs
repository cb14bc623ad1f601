//! Names the types of weights that are multiplied here.

use std::fmt;

use crate::floats::Float;
use crate::quants::Quant;

/// A type of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    Float(Float),
    Quant(Quant),
}

impl Format {
    pub const ALL: [Self; 13] = [
        Self::Float(Float::F32),
        Self::Float(Float::F16),
        Self::Float(Float::Bf16),
        Self::Quant(Quant::Q4_0),
        Self::Quant(Quant::Q4_1),
        Self::Quant(Quant::Q5_0),
        Self::Quant(Quant::Q5_1),
        Self::Quant(Quant::Q8_0),
        Self::Quant(Quant::Q4K),
        Self::Quant(Quant::Q5K),
        Self::Quant(Quant::Q6K),
        Self::Quant(Quant::Mxfp4),
        Self::Quant(Quant::Iq4Nl),
    ];

    /// The format that ggml numbers so (`enum ggml_type`); None for those that are not multiplied here.
    pub fn from_ggml(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Float(Float::F32),
            1 => Self::Float(Float::F16),
            2 => Self::Quant(Quant::Q4_0),
            3 => Self::Quant(Quant::Q4_1),
            6 => Self::Quant(Quant::Q5_0),
            7 => Self::Quant(Quant::Q5_1),
            8 => Self::Quant(Quant::Q8_0),
            12 => Self::Quant(Quant::Q4K),
            13 => Self::Quant(Quant::Q5K),
            14 => Self::Quant(Quant::Q6K),
            20 => Self::Quant(Quant::Iq4Nl),
            30 => Self::Float(Float::Bf16),
            39 => Self::Quant(Quant::Mxfp4),
            _ => return None,
        })
    }

    /// Weights of a block in a file, of which a row has whole ones; a float is a block of its own.
    pub fn unit(self) -> usize {
        match self {
            Self::Float(_) => 1,
            Self::Quant(quant) => quant.unit(),
        }
    }

    /// Bytes of a block in a file.
    pub fn unit_bytes(self) -> usize {
        match self {
            Self::Float(float) => float.bytes(),
            Self::Quant(quant) => quant.unit_bytes(),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float(float) => write!(f, "{float:?}"),
            Self::Quant(quant) => write!(f, "{quant:?}"),
        }
    }
}
