//! Owns the folder in which traces lie while they are compared: it is in the run's folder, locked against other runs,
//! emptied at the beginning and the end.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;

use crate::run_dir::{SCRATCH, SCRATCH_LOCK};

#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum ScratchError {
    #[error("another run is using {path}")]
    #[diagnostic(help("wait for it, or choose another directory with --out DIR"))]
    InUse { path: PathBuf },
    #[error("cannot use {path}")]
    #[diagnostic(help("choose another directory with --out DIR"))]
    Io { path: PathBuf, source: io::Error },
}

/// The folder; dropping it removes it.
pub struct Scratch {
    path: PathBuf,
    /// Goes with the process, however it ends.
    _lock: File,
}

impl Scratch {
    /// Makes the folder, empty, and locks it.
    ///
    /// # Errors
    /// When another run holds it, or it can't be made.
    pub fn open(directory: &Path) -> Result<Self, ScratchError> {
        let path = directory.join(SCRATCH);
        let failed = |source| ScratchError::Io { path: path.clone(), source };
        fs::create_dir_all(&path).map_err(failed)?;
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(directory.join(SCRATCH_LOCK))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ScratchError::InUse { path: directory.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let scratch = Self { path, _lock: lock };
        // What a killed run has left.
        scratch.clear()?;
        Ok(scratch)
    }

    /// Removes every folder in it.
    ///
    /// # Errors
    /// When one can't be removed.
    pub fn clear(&self) -> Result<(), ScratchError> {
        let failed = |source| ScratchError::Io { path: self.path.clone(), source };
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_dir() {
                fs::remove_dir_all(entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Makes an empty folder in it, again.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn folder(&self, name: &str) -> Result<PathBuf, ScratchError> {
        let path = self.path.join(name);
        let made = match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::create_dir(&path),
        };
        made.map_err(|source| ScratchError::Io { path: path.clone(), source })?;
        std::path::absolute(&path).map_err(|source| ScratchError::Io { path, source })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
