//! A run's folder: what of it is ours, and writing to it, each file whole or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::path::Path;

use miette::{IntoDiagnostic, WrapErr, miette};

use super::Failure;
use super::setup::Setup;
use crate::journal;
use crate::manifest::{self, Manifest};
use crate::plan::Design;
use crate::regular_file;
use crate::seal::{Seal, Trust};
use crate::study;

const EXPERIMENT: &str = "experiment.toml";
/// What runs write, by the names of the files; `plots` is a folder.
const WRITTEN: [&str; 15] = [
    EXPERIMENT,
    Design::FILE_NAME,
    manifest::FILE_NAME,
    study::FILE_NAME,
    journal::FILE_NAME,
    "trials.csv",
    "cells.csv",
    "onset.csv",
    "parts.csv",
    "sequential.csv",
    "timings.csv",
    "verdicts.json",
    "verdict.json",
    "report.html",
    "plots",
];
/// A file that is being written is called so, and a killed process leaves it.
const TEMPORARY: (&str, &str) = (".moe-sweep-", ".tmp");

/// Refuses a folder that holds files under the names of ours, and that no run wrote to. `experiment` is what
/// `experiment.toml` is going to hold: an experiment may run beside its own file.
///
/// # Errors
/// Names the first such file.
pub fn refuse_foreign(directory: &Path, experiment: &str) -> Result<(), Failure> {
    if is_ours(directory) {
        return Ok(());
    }
    let is_foreign = |name: &&&str| {
        let path = directory.join(name);
        match fs::symlink_metadata(&path) {
            Err(_) => false,
            // A run that was killed before it wrote a byte.
            Ok(found) if **name == journal::FILE_NAME && found.is_file() && found.len() == 0 => false,
            Ok(_) if **name == EXPERIMENT => regular_file::read(&path).ok().as_deref() != Some(experiment.as_bytes()),
            Ok(_) => true,
        }
    };
    match WRITTEN.iter().find(is_foreign) {
        None => Ok(()),
        Some(name) => Err(Failure::bad_setup(miette!(
            help = "choose another directory with --out DIR, or move that file away",
            "{} is not of a run of moe-sweep's, and would be replaced",
            directory.join(name).display()
        ))),
    }
}

/// Whether a run wrote to it: by its journal, its manifest, or what a killed run of a study left.
fn is_ours(directory: &Path) -> bool {
    let names_us = |name: &&str| {
        let json = regular_file::read(&directory.join(name)).ok();
        let value = json.and_then(|json| serde_json::from_slice::<serde_json::Value>(&json).ok());
        value.is_some_and(|value| value.get("moe_sweep").is_some_and(serde_json::Value::is_string))
    };
    let has_records = || {
        let contents = journal::read(&directory.join(journal::FILE_NAME), Trust::Edits);
        // One of a newer moe-sweep is ours, and is refused in better words where it is opened.
        match contents {
            Ok(contents) => contents.whole_bytes > 0,
            Err(error) => matches!(error, journal::JournalError::Newer { .. }),
        }
    };
    [manifest::FILE_NAME, study::FILE_NAME].iter().any(names_us)
        || directory.join(study::SCRATCH_LOCK).is_file()
        || has_records()
}

/// Puts a first manifest and the experiment file into the run's directory, so
/// that even a run that dies tells what it was. The manifest comes first: it tells that the directory is ours.
///
/// # Errors
/// When they can't be written, or an earlier manifest can't be read.
pub fn begin(setup: &Setup, trust: Trust) -> Result<Manifest, Failure> {
    clear_left_overs(&setup.directory);
    let mut manifest = Manifest::new(&setup.design.name, &setup.plan);
    if let Some((earlier, seal)) = read_manifest(&setup.directory, trust)? {
        (manifest.runs, manifest.n_trials, manifest.trusted) = (earlier.runs, earlier.n_trials, earlier.trusted);
        let note =
            format!("{} was changed after it was written, and a later run took it on trust", manifest::FILE_NAME);
        if seal == Seal::Broken && !manifest.trusted.contains(&note) {
            manifest.trusted.push(note);
        }
    }
    write_manifest(&setup.directory, &manifest)?;
    write_whole(&setup.directory.join(EXPERIMENT), setup.text.as_bytes())?;
    write_whole(&setup.directory.join(Design::FILE_NAME), &setup.design.to_json())?;
    Ok(manifest)
}

/// # Errors
/// When it can't be written.
pub fn write_manifest(directory: &Path, manifest: &Manifest) -> Result<(), Failure> {
    write_whole(&directory.join(manifest::FILE_NAME), &manifest.to_json())
}

/// The manifest of earlier runs in a directory, if there is one, and what its seal says.
///
/// # Errors
/// When there is one that can't be read, or that was changed and is not to be trusted.
pub fn read_manifest(directory: &Path, trust: Trust) -> Result<Option<(Manifest, Seal)>, Failure> {
    let path = directory.join(manifest::FILE_NAME);
    let read = match regular_file::read(&path) {
        Ok(bytes) => Manifest::from_json(&bytes, trust).map(Some).into_diagnostic(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).into_diagnostic(),
    };
    read.wrap_err_with(|| format!("cannot read {}: move it away, and the next run writes a new one", path.display()))
        .map_err(Failure::bad_setup)
}

/// Writes a file by way of a temporary one beside it, so that a reader, or a
/// crash, sees the old contents or the new.
///
/// # Errors
/// When it can't be written.
pub fn write_whole(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    let directory = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        parent => parent.expect("a file lies in a directory"),
    };
    let written = fs::create_dir_all(directory).and_then(|()| temporary(directory)).and_then(|mut file| {
        // As long as it is locked it is not left over. Where there are no locks nothing is cleared.
        let _ = file.as_file().try_lock();
        file.write_all(contents)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)
    });
    written
        .map(|_| ())
        .into_diagnostic()
        .wrap_err_with(|| {
            format!("cannot write {}: finished trials are safe, the same command goes on from them", path.display())
        })
        .map_err(Failure::internal)
}

/// The same for a file that a person named. What is there already is replaced only if it holds `mark`, as all of
/// these files do.
///
/// # Errors
/// When it can't be written, or is another file.
pub fn write_named(path: &Path, contents: &[u8], mark: &str) -> Result<(), Failure> {
    let holds_mark = |found: Vec<u8>| found.windows(mark.len()).any(|window| window == mark.as_bytes());
    let is_ours = match regular_file::read(path) {
        Ok(found) => found.is_empty() || holds_mark(found),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if !is_ours {
        return Err(Failure::bad_setup(miette!(
            help = "choose another name, or move that file away",
            "{} is there already, and moe-sweep did not write it",
            path.display()
        )));
    }
    write_whole(path, contents)
}

/// Removes what killed processes left of files that they were writing.
pub fn clear_left_overs(directory: &Path) {
    let (prefix, suffix) = TEMPORARY;
    let entries =
        [directory.to_owned(), directory.join("plots")].into_iter().flat_map(fs::read_dir).flatten().flatten();
    let is_temporary = |name: &str| name.starts_with(prefix) && name.ends_with(suffix);
    for entry in entries.filter(|entry| entry.file_name().to_str().is_some_and(is_temporary)) {
        let is_left = File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok());
        if is_left {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn temporary(directory: &Path) -> io::Result<tempfile::NamedTempFile> {
    let (prefix, suffix) = TEMPORARY;
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(suffix);
    #[cfg(unix)]
    {
        // As any new file: readable by others where the umask lets them.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory)
}
