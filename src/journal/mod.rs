//! The journal, `trials.jsonl`: the only place where a trial's outcome is
//! kept. A record a line, on disk before its trial counts as done.
//!
//! Owns the file, its lock and its format. Must not know plans beyond a
//! trial's id, nor what is computed from the records.

use std::path::PathBuf;

pub mod format;
mod reader;
mod writer;

pub use reader::{Contents, read};
pub use writer::Journal;

/// The journal's name in a run's directory.
pub const FILE_NAME: &str = "trials.jsonl";

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("cannot {what} {path}")]
    Io { what: &'static str, path: PathBuf, source: std::io::Error },
    #[error(
        "{path} is in use by another run: wait for it, stop it, or give this one a directory of its own with --out"
    )]
    InUse { path: PathBuf },
    #[error(
        "{path}:{line}: not a journal record ({reason}): restore the file or remove that line, and its trial runs again"
    )]
    BadLine { path: PathBuf, line: usize, reason: String },
    #[error(
        "{path}:{line}: written by a newer moe-sweep (format {found}, this one reads up to {known}): update moe-sweep"
    )]
    Newer { path: PathBuf, line: usize, found: u64, known: u32 },
}
