//! The open journal: locked against other runs, appended to durably.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::format::TrialRecord;
use super::reader::{Contents, read};
use super::{FILE_NAME, JournalError};

/// A journal open for appending; the directory is locked as long as it lives.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    /// Where the last whole record ends.
    end: u64,
}

impl Journal {
    /// Opens the journal of a run's directory, which must exist, and reads what
    /// is in it. The torn end of an earlier run is cut off.
    ///
    /// # Errors
    /// When another run holds it, it can't be read or written, or holds
    /// anything but records.
    pub fn open(directory: &Path) -> Result<(Self, Contents), JournalError> {
        let path = directory.join(FILE_NAME);
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
            Err(TryLockError::Error(source)) => return Err(failed("lock")(source)),
        }
        let contents = read(&path)?;
        file.set_len(contents.whole_bytes).map_err(failed("cut the torn end off"))?;
        file.seek(SeekFrom::End(0)).map_err(failed("seek in"))?;
        // The directory entry of a new journal must survive a crash too.
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed("sync the directory of"))?;
        let end = contents.whole_bytes;
        Ok((Self { file, path, end }, contents))
    }

    /// Appends records; when this returns, they are on disk.
    ///
    /// # Errors
    /// When they can't be written; none of them is in the journal then.
    pub fn append(&mut self, records: &[TrialRecord]) -> Result<(), JournalError> {
        let mut lines = Vec::new();
        for record in records {
            serde_json::to_writer(&mut lines, record).expect("a record is plain data");
            lines.push(b'\n');
        }
        let written = self.file.write_all(&lines).and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            // Best effort: what stays is a torn last line, which readers drop.
            let _ = self.file.set_len(self.end);
            let _ = self.file.seek(SeekFrom::Start(self.end));
            return Err(JournalError::Io { what: "write to", path: self.path.clone(), source });
        }
        self.end += lines.len() as u64;
        Ok(())
    }
}
