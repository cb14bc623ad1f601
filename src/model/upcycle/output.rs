//! Writes a mixture under a temporary name beside its own, and renames it when all of it is on the disk.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::noise::{disturb, generator, router_row};
use super::pieces::{Content, Piece};
use super::{Rewriter, Routing, UpcycleError, Upcycling};
use crate::model::gguf::{Draft, Header, Layout, Tensor};
use crate::model::hash::Sha256;

/// What a mixture is written from.
pub(super) struct Output<'a> {
    pub request: &'a Upcycling<'a>,
    pub header: &'a Header,
    pub layout: &'a Layout,
    /// None where the experts are copies.
    pub rewriter: Option<Rewriter>,
    pub stop: &'a AtomicBool,
}

impl Output<'_> {
    /// Writes the file; its bytes and its SHA-256.
    pub fn write(&self, draft: &Draft, pieces: &[Piece]) -> Result<(u64, String), UpcycleError> {
        let header = draft.header();
        let data: u64 = pieces.iter().map(|piece| piece.bytes + draft.padding(piece.bytes) as u64).sum();
        let target = self.request.target;
        let unwritable =
            |source| UpcycleError::Write { path: target.to_owned(), bytes: header.len() as u64 + data, source };
        let mut source = File::open(self.request.source).map_err(|error| self.unreadable(error))?;
        let file = temporary(target).map_err(unwritable)?;
        let mut sink = Sink { file, hash: Sha256::new(), bytes: 0 };
        sink.put(&header).map_err(unwritable)?;
        for piece in pieces {
            if self.stop.load(Ordering::Relaxed) {
                return Err(UpcycleError::Interrupted { path: target.to_owned() });
            }
            self.piece(&mut source, &mut sink, piece, &unwritable)?;
            sink.put(&vec![0; draft.padding(piece.bytes)]).map_err(unwritable)?;
        }
        let Sink { file, hash, bytes } = sink;
        file.as_file().sync_all().map_err(unwritable)?;
        file.persist_noclobber(target).map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => UpcycleError::Exists { path: target.to_owned() },
            _ => unwritable(error.error),
        })?;
        Ok((bytes, hash.hexadecimal()))
    }

    fn unreadable(&self, source: io::Error) -> UpcycleError {
        UpcycleError::Read { path: self.request.source.to_owned(), source }
    }

    fn piece(
        &self,
        file: &mut File,
        sink: &mut Sink,
        piece: &Piece,
        unwritable: &impl Fn(io::Error) -> UpcycleError,
    ) -> Result<(), UpcycleError> {
        let mut load = |source: usize| {
            let start = self.layout.starts[source];
            let bytes = read(file, start..start + self.header.tensors[source].bytes);
            bytes.map_err(|error| self.unreadable(error))
        };
        match piece.content {
            Content::Same { source } => sink.put(&load(source)?).map_err(unwritable),
            Content::Experts { source } => {
                let bytes = load(source)?;
                for expert in 0..self.request.experts {
                    match self.rewriter {
                        None => sink.put(&bytes).map_err(unwritable)?,
                        Some(rewriter) => {
                            let other = self.disturbed(bytes.clone(), source, expert, rewriter)?;
                            sink.put(&other).map_err(unwritable)?;
                        }
                    }
                }
                Ok(())
            }
            Content::Zeros => sink.put(&vec![0; piece.bytes as usize]).map_err(unwritable),
            Content::Router => {
                for expert in 0..self.request.experts {
                    let drawn_for = match self.request.routing() {
                        Routing::Groups => expert - expert % self.request.used,
                        Routing::Independent => expert,
                    };
                    let mut generator = generator(self.request.seed, &piece.name, drawn_for, 0);
                    let row = router_row(piece.dims[0], &mut generator);
                    sink.put(&row.flat_map(f32::to_le_bytes).collect::<Vec<_>>()).map_err(unwritable)?;
                }
                Ok(())
            }
        }
    }

    /// The tensor with the noise of an expert, row by row on all cores.
    fn disturbed(
        &self,
        mut bytes: Vec<u8>,
        source: usize,
        expert: u32,
        rewriter: Rewriter,
    ) -> Result<Vec<u8>, UpcycleError> {
        let tensor = &self.header.tensors[source];
        let (name, ggml_type) = (&tensor.name, tensor.tensor_type.id());
        let Upcycling { noise, seed, .. } = *self.request;
        let finite = bytes.par_chunks_exact_mut(row_bytes(tensor)).enumerate().all(|(row, bytes)| {
            let mut generator = generator(seed, name, expert, row as u64);
            let mut finite = true;
            (rewriter.rewrite)(ggml_type, bytes, &mut |weights| {
                finite = disturb(weights, noise, &mut generator).is_some();
            });
            finite
        });
        match finite {
            true => Ok(bytes),
            false => Err(UpcycleError::NotFinite { path: self.request.source.to_owned(), tensor: name.clone() }),
        }
    }
}

/// Where a mixture goes, and what it was given so far.
struct Sink {
    file: tempfile::NamedTempFile,
    hash: Sha256,
    bytes: u64,
}

impl Sink {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

/// Of a feed-forward block's tensor, which has two dimensions and rows of whole blocks.
fn row_bytes(tensor: &Tensor) -> usize {
    tensor.tensor_type.bytes_of(tensor.dims[0]).unwrap_or(tensor.bytes) as usize
}

/// These bytes of the file, which the header has shown to be there.
pub(super) fn read(file: &mut File, range: Range<u64>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; (range.end - range.start) as usize];
    file.seek(SeekFrom::Start(range.start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A file beside the target that is removed unless it is renamed; what a killed process leaves is no model by its name.
fn temporary(target: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut prefix = target.file_name().unwrap_or_default().to_owned();
    prefix.push(".");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".partial");
    #[cfg(unix)]
    {
        // As any new file: readable by others where the umask lets them.
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}
