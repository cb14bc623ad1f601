//! Owns the values of a header's metadata.

use super::texts::Texts;

/// The types that a value is stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Bool,
    Text,
    List,
    U64,
    I64,
    F64,
}

/// A value. What would be large and is of no use here is only counted.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    /// A text too long to be kept.
    LongText {
        bytes: u64,
    },
    List(List),
}

/// An array.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    pub element: ValueType,
    pub len: u64,
    /// The elements, where they are integers or truths and not too many.
    pub integers: Option<Vec<i64>>,
    /// The elements, where they are texts and not too long together.
    pub texts: Option<Texts>,
}

impl ValueType {
    /// By the id that stands in a file.
    pub(super) fn from_id(id: u32) -> Option<Self> {
        use ValueType::*;
        let all = [U8, I8, U16, I16, U32, I32, F32, Bool, Text, List, U64, I64, F64];
        all.get(id as usize).copied()
    }

    /// The id that stands in a file.
    pub(super) fn id(self) -> u32 {
        self as u32
    }

    /// Bytes of one value; None where they depend on the value.
    pub(super) fn fixed_bytes(self) -> Option<u64> {
        match self {
            Self::U8 | Self::I8 | Self::Bool => Some(1),
            Self::U16 | Self::I16 => Some(2),
            Self::U32 | Self::I32 | Self::F32 => Some(4),
            Self::U64 | Self::I64 | Self::F64 => Some(8),
            Self::Text | Self::List => None,
        }
    }

    /// What a value of this type may be, from its bytes, little-endian.
    pub(super) fn decode(self, bytes: [u8; 8]) -> Value {
        let raw = u64::from_le_bytes(bytes);
        match self {
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => Value::Unsigned(raw),
            Self::I8 => Value::Signed((raw as i8).into()),
            Self::I16 => Value::Signed((raw as i16).into()),
            Self::I32 => Value::Signed((raw as i32).into()),
            Self::I64 => Value::Signed(raw as i64),
            Self::F32 => Value::Float(f32::from_bits(raw as u32).into()),
            Self::F64 => Value::Float(f64::from_bits(raw)),
            // llama.cpp takes every other byte than 0 as true.
            Self::Bool => Value::Bool(raw != 0),
            Self::Text | Self::List => unreachable!("a text or a list has no fixed bytes"),
        }
    }
}

impl Value {
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number with a fraction.
    pub fn float(&self) -> Option<f64> {
        match *self {
            Self::Float(n) => Some(n),
            _ => None,
        }
    }

    /// An integer that is not negative.
    pub fn unsigned(&self) -> Option<u64> {
        match *self {
            Self::Unsigned(n) => Some(n),
            Self::Signed(n) => u64::try_from(n).ok(),
            _ => None,
        }
    }

    pub fn truth(&self) -> Option<bool> {
        match *self {
            Self::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    pub fn list(&self) -> Option<&List> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// As an element of [`List::integers`]; truths are 0 and 1.
    pub(super) fn integer(&self) -> Option<i64> {
        match *self {
            Self::Unsigned(n) => i64::try_from(n).ok(),
            Self::Signed(n) => Some(n),
            Self::Bool(truth) => Some(truth.into()),
            _ => None,
        }
    }
}
