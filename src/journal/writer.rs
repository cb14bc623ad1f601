//! Owns the open journal: it is locked against other runs, and what is appended is on disk when the call returns.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::JournalError;
use super::format::Record;
use super::reader::{Contents, read};
use super::record::TrialRecord;
use crate::domain::TrialId;
use crate::seal::Trust;

/// A journal open for appending; the directory is locked as long as it lives.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    /// Where the last whole record ends.
    end: u64,
    /// The trials that have a record.
    ids: HashSet<TrialId>,
}

/// Whether a run's directory is free.
#[derive(Debug)]
pub enum Hold {
    /// It is, and locked as long as this lives.
    Held(File),
    /// A run goes on in it.
    InUse,
    /// Nobody can tell: there is no journal, it can't be written, or its file system has no locks.
    Unknown,
}

/// Locks a journal as a run does, without changing anything.
pub fn hold(path: &Path) -> Hold {
    let Ok(file) = OpenOptions::new().read(true).write(true).open(path) else {
        return Hold::Unknown;
    };
    match file.try_lock() {
        Ok(()) => Hold::Held(file),
        Err(TryLockError::WouldBlock) => Hold::InUse,
        Err(TryLockError::Error(_)) => Hold::Unknown,
    }
}

/// Says whether a run appends to a journal, as far as that can be told.
pub fn in_use(path: &Path) -> bool {
    let file = File::open(path);
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

impl Journal {
    /// Opens a journal in a directory, which must exist, and reads what
    /// is in it. The torn end of an earlier run is cut off.
    ///
    /// # Errors
    /// When another run holds it, it can't be read or written, or holds
    /// anything but records. It is as it was then.
    pub fn open(path: &Path, trust: Trust) -> Result<(Self, Contents), JournalError> {
        let (path, directory) = (path.to_owned(), path.parent().expect("a journal lies in a directory"));
        let failed = |what| {
            let path = path.clone();
            move |source| JournalError::Io { what, path, source }
        };
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(failed("open"))?;
        // The journal is its own lock file: the lock goes with the process,
        // however it ends, and leaves nothing behind to clean up.
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::InUse { path: directory.to_owned() }),
            Err(TryLockError::Error(error)) if has_no_locks(&error) => return Err(JournalError::NoLocks { path }),
            Err(TryLockError::Error(source)) => return Err(failed("lock")(source)),
        }
        let contents = read(&path, trust)?;
        file.set_len(contents.whole_bytes).map_err(failed("cut the torn end off"))?;
        file.seek(SeekFrom::End(0)).map_err(failed("seek in"))?;
        // The directory entry of a new journal must survive a crash too.
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed("sync the directory of"))?;
        let end = contents.whole_bytes;
        let ids = contents.records.keys().cloned().collect();
        Ok((Self { file, path, end, ids }, contents))
    }

    /// Counts the trials that have a record.
    pub fn n_trials(&self) -> usize {
        self.ids.len()
    }

    /// Appends records; when this returns, they are on disk.
    ///
    /// # Errors
    /// When they can't be written; none of them is in the journal then.
    pub fn append(&mut self, records: &[TrialRecord]) -> Result<(), JournalError> {
        let lines: Vec<u8> = records.iter().flat_map(|record| Record::from(record.clone()).line()).collect();
        let written = self.file.write_all(&lines).and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            // Best effort: what stays is a torn last line, which readers drop.
            let _ = self.file.set_len(self.end);
            let _ = self.file.seek(SeekFrom::Start(self.end));
            return Err(JournalError::Io { what: "write to", path: self.path.clone(), source });
        }
        self.end += lines.len() as u64;
        self.ids.extend(records.iter().map(|record| record.id.clone()));
        Ok(())
    }
}

/// As some network file systems have none (ENOLCK, EOPNOTSUPP).
fn has_no_locks(error: &io::Error) -> bool {
    const ENOLCK: i32 = if cfg!(target_os = "macos") { 77 } else { 37 };
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error() == Some(ENOLCK)
}
