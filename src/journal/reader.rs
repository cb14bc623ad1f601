//! Reads a journal back. Owns what of it counts: whole lines, the last record of each trial, and those that were
//! changed after they were written. Must not know what a line looks like: `format` says that.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::JournalError;
use super::format::{NoRecord, Record, SEALED, VERSION};
use super::record::{Outcome, TrialRecord};
use crate::domain::TrialId;
use crate::regular_file;
use crate::seal::{Seal, Trust, seal_of};

/// What a journal holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// The last record of each trial: a retried failure is superseded.
    pub records: HashMap<TrialId, TrialRecord>,
    /// Bytes up to the end of the last whole record.
    pub whole_bytes: u64,
    /// Bytes after it: a record that was being written when the run died.
    pub torn_bytes: u64,
    /// Records from before there were seals: a change of them can't be seen.
    pub n_unsealed: usize,
    /// Lines, counted from 1, that were changed after they were written, and are taken on trust.
    pub trusted_lines: Vec<usize>,
}

/// What becomes of trials that failed in an earlier run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedTrials {
    /// They stay as they are.
    Keep,
    /// They are tried again.
    Retry,
}

impl Contents {
    /// Says whether a trial came to a text.
    pub fn has_text(&self, id: &TrialId) -> bool {
        self.records.get(id).is_some_and(|record| matches!(record.outcome, Outcome::Generated(_)))
    }

    /// Returns the trials that need not run again.
    pub fn done(&self, failed: FailedTrials) -> HashSet<TrialId> {
        let stays = |record: &&TrialRecord| match record.outcome {
            Outcome::Generated(_) => true,
            Outcome::Failed(_) => failed == FailedTrials::Keep,
        };
        self.records.values().filter(stays).map(|record| record.id.clone()).collect()
    }
}

/// Reads every record. A last line without its line feed is torn: it is
/// counted, not read. A journal that does not exist is empty.
///
/// # Errors
/// When the file can't be read, a whole line is no record, or one was changed after it was written and is not
/// to be trusted.
pub fn read(path: &Path, trust: Trust) -> Result<Contents, JournalError> {
    let bytes = match regular_file::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Contents::default()),
        Err(source) => return Err(JournalError::Io { what: "read", path: path.to_owned(), source }),
    };
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    let (lines, torn) = bytes.split_at(whole);
    if !may_be_torn(torn) {
        return Err(JournalError::Foreign { path: path.to_owned() });
    }
    let mut reading = Reading {
        path,
        trust,
        contents: Contents { whole_bytes: whole as u64, torn_bytes: torn.len() as u64, ..Contents::default() },
        lines: HashMap::new(),
        version: 0,
    };
    for (number, line) in (1..).zip(lines.split_inclusive(|&byte| byte == b'\n')) {
        reading.take(number, line)?;
    }
    Ok(reading.contents)
}

/// Whether a record may begin like this. A crash of the machine can leave zeros in its place.
fn may_be_torn(torn: &[u8]) -> bool {
    const BEGINNING: &[u8] = b"{\"v\":";
    let compared = torn.len().min(BEGINNING.len());
    torn[..compared] == BEGINNING[..compared] || torn.iter().all(|&byte| byte == 0)
}

/// A journal that is being read.
struct Reading<'a> {
    path: &'a Path,
    trust: Trust,
    contents: Contents,
    /// Where each trial's record is.
    lines: HashMap<TrialId, usize>,
    /// Of the record before.
    version: u32,
}

impl Reading<'_> {
    fn take(&mut self, number: usize, line: &[u8]) -> Result<(), JournalError> {
        let record = parse(line, self.path, number)?;
        let version = record.v;
        let record = TrialRecord::from(record);
        let mut changes = Vec::new();
        match seal_of(line) {
            Seal::Whole => {}
            Seal::Absent if version < SEALED => self.contents.n_unsealed += 1,
            Seal::Absent => changes.push("its seal is missing".to_owned()),
            Seal::Broken => changes.push("it was changed after it was written: its seal does not match".to_owned()),
        }
        if version < self.version {
            changes.push(format!("a record in format {} can't follow one in format {}", version, self.version));
        }
        self.version = self.version.max(version);
        if let Some(first) = self.lines.insert(record.id.clone(), number)
            && let known = &self.contents.records[&record.id]
            && matches!(known.outcome, Outcome::Generated(_))
            && known.outcome != record.outcome
        {
            changes.push(format!("it is a second outcome of the trial that already has a text in line {first}"));
        }
        if let Some(what) = changes.into_iter().next() {
            if self.trust == Trust::Seals {
                return Err(JournalError::Changed { path: self.path.to_owned(), line: number, what });
            }
            self.contents.trusted_lines.push(number);
        }
        self.contents.records.insert(record.id.clone(), record);
        Ok(())
    }
}

fn parse(line: &[u8], path: &Path, number: usize) -> Result<Record, JournalError> {
    Record::parse(line).map_err(|why| {
        let path = path.to_owned();
        match why {
            NoRecord::Newer(found) => JournalError::Newer { path, line: number, found, known: VERSION },
            other => JournalError::BadLine { path, line: number, reason: other.to_string() },
        }
    })
}
