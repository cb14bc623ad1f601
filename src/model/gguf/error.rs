//! Owns what can be wrong with a file, where, and what to do about it.

use std::io;
use std::path::PathBuf;

use miette::Diagnostic;

use super::TensorType;

/// Why a file is no model that can be described.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum GgufError {
    #[error("cannot read {path}")]
    #[diagnostic(help("give the path of a GGUF file; of a split set, all parts must lie beside the first"))]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is not a file")]
    #[diagnostic(help("give the path of a GGUF file; of a split set, the first part"))]
    NotAFile { path: PathBuf },
    #[error("{path}, byte {offset}: {problem}")]
    #[diagnostic(help("{}", problem.remedy()))]
    Bad { path: PathBuf, offset: u64, problem: Problem },
}

/// What is wrong with a header. Names are shortened and quoted: they are
/// whatever the file holds.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Problem {
    #[error("this is no GGUF file: it begins with {found:?}, not with \"GGUF\"")]
    Magic { found: String },
    #[error("the file is big-endian")]
    BigEndian,
    #[error("GGUF version {found}; known are 2 and 3")]
    Version { found: u32 },
    #[error("the file ends at {end}, within its header: {what} needs {needed} bytes and {left} are left")]
    Ends { what: &'static str, needed: u64, left: u64, end: u64 },
    #[error("{found} {what}, and {left} bytes are left: no more than {most} are possible")]
    TooMany { what: &'static str, found: u64, most: u64, left: u64 },
    #[error("a {what} of {bytes} bytes; at most {most} are allowed")]
    TooLong { what: &'static str, bytes: u64, most: u64 },
    #[error("a {what} is not UTF-8: {shown:?}")]
    NotUtf8 { what: &'static str, shown: String },
    #[error("the key {key:?} stands twice")]
    DuplicateKey { key: String },
    #[error("an empty key")]
    EmptyKey,
    #[error("the value of {key:?} has the type {found}; known are 0 to 12")]
    ValueType { key: String, found: u32 },
    #[error("the value of {key:?} is an array of arrays")]
    Nested { key: String },
    #[error("general.alignment is {found}, and must be a power of 2 in 32 bits")]
    Alignment { found: String },
    #[error("the tensor {tensor:?} stands twice")]
    DuplicateTensor { tensor: String },
    #[error("the tensor {tensor:?} has {found} dimensions; at most 4 are allowed")]
    Dimensions { tensor: String, found: u32 },
    #[error("the tensor {tensor:?} has the type {found}, which ggml does not know")]
    TensorType { tensor: String, found: u32 },
    #[error("the tensor {tensor:?} of {tensor_type} has rows of {row}: no whole blocks of {block}")]
    Blocks { tensor: String, tensor_type: TensorType, row: u64, block: u64 },
    #[error("the tensor {tensor:?} is larger than 2^63: its dimensions are {dims:?}")]
    Overflow { tensor: String, dims: Vec<u64> },
    #[error("the tensor {tensor:?} lies at {found}, and the ones before it end at {expected}")]
    Offset { tensor: String, found: u64, expected: u64 },
    #[error("the file ends at {end}, but the tensor {tensor:?} needs it to be {needed} bytes long")]
    Truncated { tensor: String, needed: u64, end: u64 },
    #[error("this is part {index} of {count}, and its name is no part's name")]
    PartName { index: u64, count: u64 },
    #[error("by its name this is part {expected} of {count}, by its split.no and split.count part {index} of {found}")]
    Part { expected: u64, count: u64, index: u64, found: u64 },
}

impl Problem {
    /// What the reader can do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Magic { .. } => "is it a model in another format, or a page that was saved in its place?",
            Self::BigEndian => "convert it for little-endian machines: gguf_convert_endian.py of llama.cpp does it",
            Self::Version { .. } => "convert the model again with a llama.cpp of today",
            Self::Ends { .. } | Self::TooMany { .. } | Self::Truncated { .. } => {
                "a download that broke off? fetch the file again; `moe-sweep model verify` compares hashes"
            }
            Self::PartName { .. } | Self::Part { .. } => {
                "give the parts the names that llama.cpp gives them: NAME-00001-of-00003.gguf and so on"
            }
            _ => "the file is damaged, or was not written by llama.cpp's tools: fetch or convert it again",
        }
    }
}
