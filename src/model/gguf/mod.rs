//! Reads headers of GGUF files: what a model says of itself, without its weights.
//!
//! Owns the format and survives any bytes: memory is bounded by constants,
//! whatever a file claims. Reads files; knows no model's meaning and prints
//! nothing. A file may change while it is read, so nothing is mapped.
//!
//! The format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};

mod error;
mod header;
mod layout;
mod metadata;
mod names;
mod source;
mod tensor_type;
mod texts;
mod value;
mod write;

pub use error::{GgufError, Problem};
pub use header::{Header, MAGIC};
pub use layout::{KeyPlace, Layout};
pub use tensor_type::TensorType;
pub use texts::Texts;
pub use value::{List, Value, ValueType};
pub use write::Draft;

use super::parts;
use crate::experiment::{SplitName, split_name};
use source::Fault;

/// A tensor, without its data.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    pub name: String,
    /// The fastest-varying first; at most 4.
    pub dims: Vec<u64>,
    pub tensor_type: TensorType,
    pub elements: u64,
    pub bytes: u64,
}

/// A model's header: that of its file, or of all parts of a split set.
#[derive(Clone, Debug, PartialEq)]
pub struct Gguf {
    /// In order.
    pub paths: Vec<PathBuf>,
    /// Of all files together.
    pub file_bytes: u64,
    pub version: u32,
    /// Of the first part, which has all that matters.
    pub metadata: BTreeMap<String, Value>,
    pub tensors: Vec<Tensor>,
}

impl Gguf {
    /// Reads the headers of the file, or of all parts of the split set whose
    /// first part it is.
    ///
    /// # Errors
    /// When a file can't be read, is no whole GGUF file, or a part is missing.
    pub fn read(path: &Path) -> Result<Self, GgufError> {
        let paths = parts(path);
        let count = paths.len() as u64;
        let mut whole: Option<Self> = None;
        let mut names = HashSet::new();
        for (path, index) in paths.iter().zip(0..) {
            let ((header, _), file_bytes) = read_file(path)?;
            check_part(path, &header, index, count)?;
            let twice = header.tensors.iter().find(|tensor| !names.insert(tensor.name.clone()));
            if let Some(tensor) = twice {
                let problem = Problem::DuplicateTensor { tensor: tensor.name.clone() };
                return Err(GgufError::Bad { path: path.clone(), offset: 0, problem });
            }
            match &mut whole {
                None => {
                    let Header { version, metadata, tensors } = header;
                    whole = Some(Self { paths: paths.clone(), file_bytes, version, metadata, tensors });
                }
                Some(whole) => {
                    whole.file_bytes += file_bytes;
                    whole.tensors.extend(header.tensors);
                }
            }
        }
        Ok(whole.expect("a model has at least one file"))
    }
}

/// Reads the header of one file, and where in it lies what the header speaks of.
///
/// # Errors
/// When it can't be read, or is no whole GGUF file.
pub fn read_layout(path: &Path) -> Result<(Header, Layout), GgufError> {
    read_file(path).map(|(read, _)| read)
}

/// Reads one file's header from memory, for tests and tools.
///
/// # Errors
/// What is wrong with it, and at which byte.
pub fn read_bytes(bytes: &[u8]) -> Result<Header, (u64, Problem)> {
    header::read(Cursor::new(bytes), bytes.len() as u64).map(|(header, _)| header).map_err(|fault| match fault {
        Fault::Bad { offset, problem } => (offset, problem),
        Fault::Io(error) => unreachable!("memory can be read: {error}"),
    })
}

/// Reads one file's header from `reader`, which holds `length` bytes.
fn read_from<R: Read + Seek>(path: &Path, reader: R, length: u64) -> Result<(Header, Layout), GgufError> {
    header::read(reader, length).map_err(|fault| match fault {
        Fault::Bad { offset, problem } => GgufError::Bad { path: path.to_owned(), offset, problem },
        Fault::Io(source) => GgufError::Read { path: path.to_owned(), source },
    })
}

fn read_file(path: &Path) -> Result<((Header, Layout), u64), GgufError> {
    let unreadable = |source| GgufError::Read { path: path.to_owned(), source };
    // Before it is opened: opening a pipe waits for somebody to write.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(GgufError::NotAFile { path: path.to_owned() });
    }
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    Ok((read_from(path, file, length)?, length))
}

/// llama.cpp finds the parts by their names, and insists on their numbers.
fn check_part(path: &Path, header: &Header, expected: u64, count: u64) -> Result<(), GgufError> {
    let number = |key: &str| header.metadata.get(key).and_then(Value::unsigned);
    let found = number("split.count").unwrap_or(1).max(1);
    let index = number("split.no").unwrap_or(0);
    let bad = |problem| GgufError::Bad { path: path.to_owned(), offset: 0, problem };
    if (index, found) == (expected, count) {
        return Ok(());
    }
    Err(bad(match split_name(&path.to_string_lossy()) {
        SplitName::Whole => Problem::PartName { index: index.saturating_add(1), count: found },
        SplitName::Part(_) => Problem::Part { expected: expected + 1, count, index: index.saturating_add(1), found },
    }))
}
