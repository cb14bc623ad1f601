//! Owns what can be wrong with a file, where, and what to do about it.

use std::io;
use std::path::PathBuf;

use miette::Diagnostic;

use super::TensorType;

/// Why a file is no model that can be described.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum GgufError {
    #[error("cannot read {path}")]
    #[diagnostic(help("give the path of a GGUF file; all parts of a split model must be beside the first"))]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is not a file")]
    #[diagnostic(help("give the path of a GGUF file; of a split model, its first part"))]
    NotAFile { path: PathBuf },
    #[error("{path}, byte {offset}: {problem}")]
    #[diagnostic(help("{}", problem.remedy()))]
    Bad { path: PathBuf, offset: u64, problem: Problem },
}

/// What is wrong with a header. Names are shortened and quoted: they are
/// whatever the file holds.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Problem {
    #[error("this is not a GGUF file: it begins with {found:?}, not with \"GGUF\"")]
    Magic { found: String },
    #[error("the file is big-endian")]
    BigEndian,
    #[error("unknown GGUF version {found}; known versions are 2 and 3")]
    Version { found: u32 },
    #[error("the file ends at {end}, within its header: {what} needs {needed} bytes and {left} are left")]
    Ends { what: &'static str, needed: u64, left: u64, end: u64 },
    #[error("{found} {what}, but the {left} bytes left can hold at most {most}")]
    TooMany { what: &'static str, found: u64, most: u64, left: u64 },
    #[error("a {what} of {bytes} bytes; at most {most} are allowed")]
    TooLong { what: &'static str, bytes: u64, most: u64 },
    #[error("a {what} is not UTF-8: {shown:?}")]
    NotUtf8 { what: &'static str, shown: String },
    #[error("duplicate key {key:?}")]
    DuplicateKey { key: String },
    #[error("an empty key")]
    EmptyKey,
    #[error("the value of {key:?} has the unknown type {found}; known types are 0 to 12")]
    ValueType { key: String, found: u32 },
    #[error("the value of {key:?} is an array of arrays")]
    Nested { key: String },
    #[error("general.alignment is {found}, but must be a power of 2 in 32 bits")]
    Alignment { found: String },
    #[error("duplicate tensor {tensor:?}")]
    DuplicateTensor { tensor: String },
    #[error("the tensor {tensor:?} has {found} dimensions; at most 4 are allowed")]
    Dimensions { tensor: String, found: u32 },
    #[error("the tensor {tensor:?} has the type {found}, which ggml does not know")]
    TensorType { tensor: String, found: u32 },
    #[error("the tensor {tensor:?} in {tensor_type} has rows of {row}, not a multiple of its block size {block}")]
    Blocks { tensor: String, tensor_type: TensorType, row: u64, block: u64 },
    #[error("the tensor {tensor:?} is larger than 2^63: its dimensions are {dims:?}")]
    Overflow { tensor: String, dims: Vec<u64> },
    #[error("the tensor {tensor:?} begins at {found}, but the ones before it end at {expected}")]
    Offset { tensor: String, found: u64, expected: u64 },
    #[error("the file ends at {end}, but the tensor {tensor:?} ends at {needed}")]
    Truncated { tensor: String, needed: u64, end: u64 },
    #[error("this is part {index} of {count}, but its file name is not that of a part")]
    PartName { index: u64, count: u64 },
    #[error("the file name says part {expected} of {count}, but split.no and split.count say part {index} of {found}")]
    Part { expected: u64, count: u64, index: u64, found: u64 },
}

impl Problem {
    /// What the reader can do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Magic { .. } => "is it a model in another format, or a saved web page?",
            Self::BigEndian => "convert it to little-endian with llama.cpp's gguf_convert_endian.py",
            Self::Version { .. } => "convert the model again with a current llama.cpp",
            Self::Ends { .. } | Self::TooMany { .. } | Self::Truncated { .. } => {
                "was the download interrupted? fetch the file again; `moe-sweep model verify` compares hashes"
            }
            Self::PartName { .. } | Self::Part { .. } => {
                "rename the parts as llama.cpp names them: NAME-00001-of-00003.gguf and so on"
            }
            _ => "the file is damaged or was not written by llama.cpp's tools: fetch or convert it again",
        }
    }
}
