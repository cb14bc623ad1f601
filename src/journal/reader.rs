//! Reading a journal back.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use super::JournalError;
use super::format::{TrialRecord, VERSION};
use crate::plan::TrialId;
use crate::regular_file;

/// What a journal holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// The last record of each trial: a retried failure is superseded.
    pub records: HashMap<TrialId, TrialRecord>,
    /// Bytes up to the end of the last whole record.
    pub whole_bytes: u64,
    /// Bytes after it: a record that was being written when the run died.
    pub torn_bytes: u64,
}

/// Reads every record. A last line without its line feed is torn: it is
/// counted, not read. A journal that does not exist is empty.
///
/// # Errors
/// When the file can't be read, or a whole line is no record.
pub fn read(path: &Path) -> Result<Contents, JournalError> {
    let bytes = match regular_file::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Contents::default()),
        Err(source) => return Err(JournalError::Io { what: "read", path: path.to_owned(), source }),
    };
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    let mut contents =
        Contents { whole_bytes: whole as u64, torn_bytes: (bytes.len() - whole) as u64, ..Contents::default() };
    for (index, line) in bytes[..whole].split_inclusive(|&byte| byte == b'\n').enumerate() {
        let record = parse(line, path, index + 1)?;
        contents.records.insert(record.id.clone(), record);
    }
    Ok(contents)
}

fn parse(line: &[u8], path: &Path, number: usize) -> Result<TrialRecord, JournalError> {
    /// Only what every version has: a newer record need not parse otherwise.
    #[derive(Deserialize)]
    struct Versioned {
        v: u64,
    }
    let bad = |error: serde_json::Error| JournalError::BadLine {
        path: path.to_owned(),
        line: number,
        reason: error.to_string(),
    };
    let Versioned { v } = serde_json::from_slice(line).map_err(bad)?;
    if v > u64::from(VERSION) {
        return Err(JournalError::Newer { path: path.to_owned(), line: number, found: v, known: VERSION });
    }
    serde_json::from_slice(line).map_err(bad)
}
