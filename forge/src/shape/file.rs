//! A GGUF file with its tensors written as they are made, which candle's writer can't: it wants
//! them all in memory.
//!
//! The layout is ggml's `docs/gguf.md`, version 3.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

use anyhow::{Context, Result, bail};
use candle_core::quantized::gguf_file::Value;
use half::f16;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Content, TensorSpec};

const MAGIC: &[u8; 4] = b"GGUF";
const VERSION: u32 = 3;
const ALIGNMENT: u64 = 32;
/// ggml's numbers for types of tensors.
const F32: u32 = 0;
const F16: u32 = 1;
/// Values made at a time.
const CHUNK: usize = 1 << 20;

pub fn write(path: &Path, metadata: &[(String, Value)], tensors: &[TensorSpec], seed: u64) -> Result<()> {
    let part = path.with_extension("gguf.part");
    let cannot_write = || format!("cannot write {}", part.display());
    let mut file = BufWriter::new(File::create(&part).with_context(cannot_write)?);
    let head = header(metadata, tensors)?;
    file.write_all(&head).with_context(cannot_write)?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for tensor in tensors {
        let bytes = values(&mut file, tensor, &mut random).with_context(cannot_write)?;
        file.write_all(&vec![0; padding(bytes)]).with_context(cannot_write)?;
    }
    file.into_inner()?.sync_all()?;
    fs::rename(&part, path).with_context(|| format!("cannot write {}", path.display()))
}

/// All that stands before the first tensor's values, padded.
fn header(metadata: &[(String, Value)], tensors: &[TensorSpec]) -> Result<Vec<u8>> {
    let mut out = MAGIC.to_vec();
    out.extend(VERSION.to_le_bytes());
    out.extend((tensors.len() as u64).to_le_bytes());
    out.extend((metadata.len() as u64).to_le_bytes());
    for (key, value) in metadata {
        string(&mut out, key);
        out.extend(kind(value)?.to_le_bytes());
        plain(&mut out, value)?;
    }
    let mut offset: u64 = 0;
    for tensor in tensors {
        string(&mut out, &tensor.name);
        out.extend((tensor.dims.len() as u32).to_le_bytes());
        tensor.dims.iter().for_each(|dim| out.extend(dim.to_le_bytes()));
        let (number, width) = match tensor.content {
            Content::Noise { .. } => (F16, 2),
            Content::Constant(_) | Content::FullNoise { .. } => (F32, 4),
        };
        out.extend(number.to_le_bytes());
        out.extend(offset.to_le_bytes());
        let bytes = tensor.dims.iter().product::<u64>() * width;
        offset += bytes + padding(bytes) as u64;
    }
    out.extend(vec![0; padding(out.len() as u64)]);
    Ok(out)
}

fn padding(bytes: u64) -> usize {
    (bytes.next_multiple_of(ALIGNMENT) - bytes) as usize
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

/// GGUF's number for the kind of a value.
fn kind(value: &Value) -> Result<u32> {
    Ok(match value {
        Value::U32(_) => 4,
        Value::I32(_) => 5,
        Value::F32(_) => 6,
        Value::Bool(_) => 7,
        Value::String(_) => 8,
        Value::Array(_) => 9,
        other => bail!("no metadata of ours is of the kind of {other:?}"),
    })
}

fn plain(out: &mut Vec<u8>, value: &Value) -> Result<()> {
    match value {
        Value::U32(number) => out.extend(number.to_le_bytes()),
        Value::I32(number) => out.extend(number.to_le_bytes()),
        Value::F32(number) => out.extend(number.to_le_bytes()),
        Value::Bool(yes) => out.push(u8::from(*yes)),
        Value::String(text) => string(out, text),
        Value::Array(values) => {
            let of = values.first().map_or(Ok(4), kind)?;
            out.extend(of.to_le_bytes());
            out.extend((values.len() as u64).to_le_bytes());
            values.iter().try_for_each(|value| plain(out, value))?;
        }
        other => bail!("no metadata of ours is of the kind of {other:?}"),
    }
    Ok(())
}

/// Writes a tensor's values; how many bytes they were.
fn values(out: &mut impl Write, tensor: &TensorSpec, random: &mut ChaCha8Rng) -> std::io::Result<u64> {
    let count = tensor.dims.iter().product::<u64>();
    match tensor.content {
        Content::Constant(value) => {
            (0..count).try_for_each(|_| out.write_all(&value.to_le_bytes()))?;
            Ok(count * 4)
        }
        Content::FullNoise { std } => {
            for _ in 0..count {
                out.write_all(&uniform(std, random.next_u32() as u16).to_le_bytes())?;
            }
            Ok(count * 4)
        }
        Content::Noise { std } => {
            // Billions of values: a draw of 16 bits is looked up.
            let table: Vec<f16> = (0..=u16::MAX).map(|draw| f16::from_f32(uniform(std, draw))).collect();
            let mut bytes = vec![0; 2 * CHUNK];
            let mut left = 2 * count as usize;
            while left > 0 {
                let now = &mut bytes[..left.min(2 * CHUNK)];
                random.fill_bytes(now);
                for pair in now.chunks_exact_mut(2) {
                    let draw = u16::from_le_bytes([pair[0], pair[1]]);
                    pair.copy_from_slice(&table[usize::from(draw)].to_le_bytes());
                }
                out.write_all(now)?;
                left -= now.len();
            }
            Ok(count * 2)
        }
    }
}

/// From a draw of 16 bits, evenly spread around 0 with this standard deviation.
fn uniform(std: f32, draw: u16) -> f32 {
    let half_width = std * 3_f32.sqrt();
    half_width * ((f32::from(draw) + 0.5) / 32_768.0 - 1.0)
}
