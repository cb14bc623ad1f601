//! Reads one file's header: metadata and the tensors' table. The data of tensors is never read; that it is there is
//! checked against the file's length.
//!
//! Refuses what llama.cpp's own reader (`ggml/src/gguf.cpp`) refuses.

use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Seek};

use super::error::Problem;
use super::layout::Layout;
use super::metadata::{Metadata, read_metadata};
use super::names::name;
use super::source::{Fault, Source};
use super::value::Value;
use super::{Tensor, TensorType};

pub const MAGIC: &[u8] = b"GGUF";
/// Far beyond any model, and little enough to be held: the largest have some
/// thousand tensors and a hundred keys.
const MAX_ENTRIES: u64 = 1 << 16;
/// ggml's `GGML_MAX_NAME`, less its NUL.
const MAX_NAME_BYTES: u64 = 63;
const MAX_DIMENSIONS: u32 = 4;
/// The least that an entry takes: a length, a name, two types.
const LEAST_KEY_BYTES: u64 = 8 + 1 + 4 + 1;
const LEAST_TENSOR_BYTES: u64 = 8 + 4 + 4 + 8;

/// A file's header.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    pub version: u32,
    pub metadata: BTreeMap<String, Value>,
    pub tensors: Vec<Tensor>,
}

/// Reads a header from a file of `length` bytes, and where what it speaks of lies.
pub(super) fn read<R: Read + Seek>(reader: R, length: u64) -> Result<(Header, Layout), Fault> {
    let mut source = Source::new(reader, length);
    let magic = source.bytes("its mark", length.min(4))?;
    if magic.len() < MAGIC.len() && MAGIC.starts_with(&magic) {
        let problem = Problem::Ends { what: "its mark", needed: 4, left: length, end: length };
        return Err(Fault::Bad { offset: 0, problem });
    }
    if magic != MAGIC {
        let found = String::from_utf8_lossy(&magic).into_owned();
        return Err(Fault::Bad { offset: 0, problem: Problem::Magic { found } });
    }
    let version = source.u32("the version")?;
    match version {
        2 | 3 => {}
        // llama.cpp's test: version 3 of the other byte order is 0x0300_0000.
        _ if version & 0xFFFF == 0 && version != 0 => {
            return Err(Fault::Bad { offset: 4, problem: Problem::BigEndian });
        }
        found => return Err(Fault::Bad { offset: 4, problem: Problem::Version { found } }),
    }
    let n_tensors = source.u64("the number of tensors")?;
    let n_keys = source.u64("the number of keys")?;
    source.count("keys", n_keys, LEAST_KEY_BYTES, MAX_ENTRIES)?;
    source.count("tensors", n_tensors, LEAST_TENSOR_BYTES, MAX_ENTRIES)?;
    let Metadata { values: metadata, places: keys, alignment } = read_metadata(&mut source, n_keys)?;
    let (tensors, starts) = read_tensors(&mut source, n_tensors, alignment)?;
    Ok((Header { version, metadata, tensors }, Layout { keys, alignment, starts }))
}

/// The tensors, and where the data of each begin in the file.
fn read_tensors<R: Read + Seek>(
    source: &mut Source<R>,
    count: u64,
    alignment: u64,
) -> Result<(Vec<Tensor>, Vec<u64>), Fault> {
    // The keys have taken some of the bytes that the count was checked against.
    source.count("tensors", count, LEAST_TENSOR_BYTES, MAX_ENTRIES)?;
    let mut tensors: Vec<(Tensor, TensorOffsets)> = Vec::with_capacity(count as usize);
    let mut names = HashSet::with_capacity(count as usize);
    for _ in 0..count {
        let begin = source.position();
        let (tensor, offset) = read_tensor(source)?;
        if !names.insert(tensor.name.clone()) {
            let problem = Problem::DuplicateTensor { tensor: tensor.name };
            return Err(Fault::Bad { offset: begin, problem });
        }
        tensors.push((tensor, TensorOffsets { entry: begin, offset }));
    }
    let data = source.position().next_multiple_of(alignment);
    let mut expected: u64 = 0;
    for (tensor, at) in &tensors {
        let bad = |problem| Fault::Bad { offset: at.entry, problem };
        let name = || tensor.name.clone();
        if at.offset != expected {
            return Err(bad(Problem::Offset { tensor: name(), found: at.offset, expected }));
        }
        let overflow = || bad(Problem::Overflow { tensor: name(), dims: tensor.dims.clone() });
        let after = expected.checked_add(tensor.bytes).ok_or_else(overflow)?;
        let needed = data.checked_add(after).ok_or_else(overflow)?;
        if needed > source.end() {
            return Err(bad(Problem::Truncated { tensor: name(), needed, end: source.end() }));
        }
        expected = after.checked_next_multiple_of(alignment).ok_or_else(overflow)?;
    }
    Ok(tensors.into_iter().map(|(tensor, at)| (tensor, data + at.offset)).unzip())
}

/// Where a tensor's entry is in the file, and its data in the data section.
struct TensorOffsets {
    entry: u64,
    offset: u64,
}

fn read_tensor<R: Read + Seek>(source: &mut Source<R>) -> Result<(Tensor, u64), Fault> {
    let begin = source.position();
    let bad = |problem| Fault::Bad { offset: begin, problem };
    let name = name(source, "tensor's name", MAX_NAME_BYTES)?;
    let found = source.u32("a tensor's number of dimensions")?;
    if found > MAX_DIMENSIONS {
        return Err(bad(Problem::Dimensions { tensor: name, found }));
    }
    let mut dims = Vec::with_capacity(found as usize);
    for _ in 0..found {
        dims.push(source.u64("a tensor's dimension")?);
    }
    let found = source.u32("a tensor's type")?;
    let offset = source.u64("a tensor's offset")?;
    let tensor_type =
        TensorType::from_id(found).ok_or_else(|| bad(Problem::TensorType { tensor: name.clone(), found }))?;
    // As in ggml a tensor without dimensions is one element, and an empty
    // dimension makes none of all.
    let elements = dims.iter().try_fold(1_u64, |product, &dim| product.checked_mul(dim));
    let elements = elements.filter(|_| dims.iter().all(|&dim| dim <= i64::MAX as u64));
    let bytes = elements.and_then(|elements| tensor_type.bytes_of(elements));
    let Some((elements, bytes)) = elements.zip(bytes).filter(|&(n, bytes)| n.max(bytes) <= i64::MAX as u64) else {
        return Err(bad(Problem::Overflow { tensor: name, dims }));
    };
    let (row, block) = (dims.first().copied().unwrap_or(1), tensor_type.block_elements());
    if row % block != 0 {
        return Err(bad(Problem::Blocks { tensor: name, tensor_type, row, block }));
    }
    Ok((Tensor { name, dims, tensor_type, elements, bytes }, offset))
}
