//! Keeps every trial's outcome in the journal, `trials.jsonl`, and nowhere else: a line is a record, and is on disk
//! before its trial counts as done.
//!
//! Owns the file, its lock and its format. Must not know plans beyond a trial's id, nor what is computed from the
//! records.

use std::path::PathBuf;

mod format;
mod reader;
pub mod record;
mod writer;

pub use reader::{Contents, FailedTrials, read};
pub use writer::{Hold, Journal, hold, in_use};

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("cannot {what} {path}")]
    Io { what: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{path} is in use by another run: wait for it, stop it, or give this run another directory with --out")]
    InUse { path: PathBuf },
    #[error(
        "{path} is not a journal of moe-sweep and was not touched: move it away, or choose another directory with --out"
    )]
    Foreign { path: PathBuf },
    #[error(
        "cannot lock {path}, because its file system has no locks: choose a directory on another file system with --out"
    )]
    NoLocks { path: PathBuf },
    #[error(
        "{path}:{line}: {what}: restore the file, or remove that line and its trial runs again; --trust accepts it as \
         it is"
    )]
    Changed { path: PathBuf, line: usize, what: String },
    #[error(
        "{path}:{line}: not a journal record ({reason}): restore the file, or remove that line and its trial runs again"
    )]
    BadLine { path: PathBuf, line: usize, reason: String },
    #[error(
        "{path}:{line}: written by a newer moe-sweep (format {found}, this one reads up to {known}): update moe-sweep"
    )]
    Newer { path: PathBuf, line: usize, found: u64, known: u32 },
}
