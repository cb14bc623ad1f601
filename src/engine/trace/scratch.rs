//! Keeps the files that carry what a trace kept from the worker to its parent: logits of a large vocabulary are far too
//! many for a line of JSON.
//!
//! Little-endian numbers without a header; the shape travels in
//! [`super::Traced`]. Two files a text:
//!
//! - `TICKET.logits`: for each position `n_vocab` × f32
//! - `TICKET.routing`: for each position and layer `n_used` × u32, then
//!   `n_expert` × f32

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::{Routed, RoutingShape, Traced};
use crate::engine::Ticket;

#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    #[error("cannot write {path}: {source}")]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} has {found} bytes instead of {expected}")]
    Length { path: PathBuf, expected: u64, found: u64 },
}

pub struct LogitsWriter(Output);

pub struct RoutingWriter(Output);

impl LogitsWriter {
    /// # Errors
    /// When the file can't be made.
    pub fn create(directory: &Path, ticket: Ticket) -> Result<Self, ScratchError> {
        Output::create(logits_path(directory, ticket)).map(Self)
    }

    /// # Errors
    /// When the file can't be written.
    pub fn write(&mut self, logits: &[f32]) -> Result<(), ScratchError> {
        logits.iter().try_for_each(|logit| self.0.write(&logit.to_le_bytes()))
    }

    /// # Errors
    /// When the rest can't be written.
    pub fn finish(self) -> Result<(), ScratchError> {
        self.0.finish()
    }
}

impl RoutingWriter {
    /// # Errors
    /// When the file can't be made.
    pub fn create(directory: &Path, ticket: Ticket) -> Result<Self, ScratchError> {
        Output::create(routing_path(directory, ticket)).map(Self)
    }

    /// Writes one layer at one position; positions ascend, and in them layers.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write(&mut self, experts: &[u32], probabilities: &[f32]) -> Result<(), ScratchError> {
        experts.iter().try_for_each(|expert| self.0.write(&expert.to_le_bytes()))?;
        probabilities.iter().try_for_each(|p| self.0.write(&p.to_le_bytes()))
    }

    /// # Errors
    /// When the rest can't be written.
    pub fn finish(self) -> Result<(), ScratchError> {
        self.0.finish()
    }
}

/// Reads a text's logits, a position at a time.
pub struct LogitsReader {
    input: Input,
    n_vocab: usize,
}

/// Reads a text's routing, a position at a time.
pub struct RoutingReader {
    input: Input,
    shape: RoutingShape,
}

impl LogitsReader {
    /// # Errors
    /// When the file can't be read or is not as long as the text's positions say.
    pub fn open(directory: &Path, traced: &Traced) -> Result<Self, ScratchError> {
        let n_vocab = traced.n_vocab as usize;
        let input = Input::open(logits_path(directory, traced.ticket), n_vocab * traced.n_positions())?;
        Ok(Self { input, n_vocab })
    }

    /// The next position's logits.
    ///
    /// # Errors
    /// When the file ends.
    pub fn read(&mut self) -> Result<Vec<f32>, ScratchError> {
        self.input.read(self.n_vocab, f32::from_le_bytes)
    }
}

impl RoutingReader {
    /// # Errors
    /// When the file can't be read or is not as long as the text's positions say.
    pub fn open(directory: &Path, traced: &Traced, shape: &RoutingShape) -> Result<Self, ScratchError> {
        let a_layer = (shape.n_used + shape.n_expert) as usize;
        let numbers = a_layer * shape.layers.len() * traced.n_positions();
        let input = Input::open(routing_path(directory, traced.ticket), numbers)?;
        Ok(Self { input, shape: shape.clone() })
    }

    /// The next position's layers, in the shape's order.
    ///
    /// # Errors
    /// When the file ends.
    pub fn read(&mut self) -> Result<Vec<Routed>, ScratchError> {
        let (n_used, n_expert) = (self.shape.n_used as usize, self.shape.n_expert as usize);
        let layers = 0..self.shape.layers.len();
        layers
            .map(|_| {
                let experts = self.input.read(n_used, u32::from_le_bytes)?;
                Ok(Routed { experts, probabilities: self.input.read(n_expert, f32::from_le_bytes)? })
            })
            .collect()
    }
}

struct Output {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Output {
    fn create(path: PathBuf) -> Result<Self, ScratchError> {
        match File::create(&path) {
            Ok(file) => Ok(Self { path, file: BufWriter::new(file) }),
            Err(source) => Err(ScratchError::Write { path, source }),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ScratchError> {
        self.file.write_all(bytes).map_err(|source| ScratchError::Write { path: self.path.clone(), source })
    }

    fn finish(mut self) -> Result<(), ScratchError> {
        self.file.flush().map_err(|source| ScratchError::Write { path: self.path, source })
    }
}

struct Input {
    path: PathBuf,
    file: BufReader<File>,
}

impl Input {
    /// A file of so many numbers of four bytes.
    fn open(path: PathBuf, numbers: usize) -> Result<Self, ScratchError> {
        let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let expected = numbers as u64 * 4;
        match opened {
            Ok((found, _)) if found != expected => Err(ScratchError::Length { path, expected, found }),
            Ok((_, file)) => Ok(Self { path, file: BufReader::new(file) }),
            Err(source) => Err(ScratchError::Read { path, source }),
        }
    }

    fn read<T>(&mut self, numbers: usize, from: impl Fn([u8; 4]) -> T) -> Result<Vec<T>, ScratchError> {
        let mut bytes = vec![0; numbers * 4];
        let read = self.file.read_exact(&mut bytes);
        read.map_err(|source| ScratchError::Read { path: self.path.clone(), source })?;
        let (numbers, _) = bytes.as_chunks::<4>();
        Ok(numbers.iter().map(|&bytes| from(bytes)).collect())
    }
}

fn logits_path(directory: &Path, ticket: Ticket) -> PathBuf {
    directory.join(format!("{ticket}.logits"))
}

fn routing_path(directory: &Path, ticket: Ticket) -> PathBuf {
    directory.join(format!("{ticket}.routing"))
}
