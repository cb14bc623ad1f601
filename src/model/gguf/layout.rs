//! Says where in a file lies what its header speaks of, so that another file can be made of its pieces.

use std::ops::Range;

/// Where the values of the metadata and the data of the tensors are in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// In the file's order.
    pub keys: Vec<KeyPlace>,
    /// Of tensors' data, in bytes.
    pub alignment: u64,
    /// The byte at which each tensor's data begin, in the order of the header's tensors.
    pub starts: Vec<u64>,
}

/// A key of the metadata, and where its value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPlace {
    pub key: String,
    /// Bytes of the file: the value's type, and the value.
    pub value: Range<u64>,
}
