//! Has the types of tensors: how many elements a block holds, and its bytes.

use std::fmt;

use serde::{Serialize, Serializer};

/// A type of ggml's, by the id that stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TensorType(u8);

impl TensorType {
    /// Numbers of 4 bytes, unquantised.
    pub const F32: Self = Self(0);
}

/// Name, elements in a block, bytes of a block; by id. After `type_traits` in
/// ggml's `src/ggml.c`, with the sizes that `src/ggml-common.h` asserts.
const TABLE: [Option<(&str, u64, u64)>; 43] = [
    Some(("F32", 1, 4)),
    Some(("F16", 1, 2)),
    Some(("Q4_0", 32, 18)),
    Some(("Q4_1", 32, 20)),
    None, // Q4_2 and Q4_3, removed
    None,
    Some(("Q5_0", 32, 22)),
    Some(("Q5_1", 32, 24)),
    Some(("Q8_0", 32, 34)),
    Some(("Q8_1", 32, 36)),
    Some(("Q2_K", 256, 84)),
    Some(("Q3_K", 256, 110)),
    Some(("Q4_K", 256, 144)),
    Some(("Q5_K", 256, 176)),
    Some(("Q6_K", 256, 210)),
    Some(("Q8_K", 256, 292)),
    Some(("IQ2_XXS", 256, 66)),
    Some(("IQ2_XS", 256, 74)),
    Some(("IQ3_XXS", 256, 98)),
    Some(("IQ1_S", 256, 50)),
    Some(("IQ4_NL", 32, 18)),
    Some(("IQ3_S", 256, 110)),
    Some(("IQ2_S", 256, 82)),
    Some(("IQ4_XS", 256, 136)),
    Some(("I8", 1, 1)),
    Some(("I16", 1, 2)),
    Some(("I32", 1, 4)),
    Some(("I64", 1, 8)),
    Some(("F64", 1, 8)),
    Some(("IQ1_M", 256, 56)),
    Some(("BF16", 1, 2)),
    None, // Q4_0_4_4, Q4_0_4_8 and Q4_0_8_8, removed
    None,
    None,
    Some(("TQ1_0", 256, 54)),
    Some(("TQ2_0", 256, 66)),
    None, // IQ4_NL_4_4, IQ4_NL_4_8 and IQ4_NL_8_8, removed
    None,
    None,
    Some(("MXFP4", 32, 17)),
    Some(("NVFP4", 64, 36)),
    Some(("Q1_0", 128, 18)),
    Some(("Q2_0", 64, 18)),
];

impl TensorType {
    /// None for an id that ggml does not know, or no longer does.
    pub fn from_id(id: u32) -> Option<Self> {
        let known = TABLE.get(id as usize).is_some_and(Option::is_some);
        known.then_some(Self(id as u8))
    }

    /// The id that stands in a file, which is ggml's.
    pub fn id(self) -> u32 {
        self.0.into()
    }

    fn row(self) -> (&'static str, u64, u64) {
        TABLE[self.0 as usize].expect("only known types are made")
    }

    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// Elements in a block.
    pub fn block_elements(self) -> u64 {
        self.row().1
    }

    fn block_bytes(self) -> u64 {
        self.row().2
    }

    /// Bytes of so many elements, which must be whole blocks; None beyond 2^64.
    pub fn bytes_of(self, elements: u64) -> Option<u64> {
        (elements / self.block_elements()).checked_mul(self.block_bytes())
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for TensorType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_per_weight_are_those_that_are_published() {
        let bits = |id: u32| {
            let of = TensorType::from_id(id).expect("a known type");
            of.block_bytes() as f64 * 8.0 / of.block_elements() as f64
        };
        // Q8_0, Q4_K, Q6_K, IQ2_XXS, IQ1_S, IQ1_M, TQ1_0, MXFP4
        let expected = [(8, 8.5), (12, 4.5), (14, 6.5625), (16, 2.0625), (19, 1.5625), (29, 1.75), (34, 1.6875)];
        for (id, expected) in expected.into_iter().chain([(39, 4.25)]) {
            assert_eq!(bits(id), expected, "type {id}");
        }
    }

    #[test]
    fn removed_and_unknown_types_are_none() {
        for id in [4, 5, 31, 36, 43, 255, 256, u32::MAX] {
            assert_eq!(TensorType::from_id(id), None, "type {id}");
        }
    }
}
