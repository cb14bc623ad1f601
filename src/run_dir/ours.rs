//! Says whether a folder is one of a run's, or somebody else's.

use std::fs;
use std::path::Path;

use super::error::RunDirError;
use super::names::{EXPERIMENT, JOURNAL, MANIFEST, SCRATCH_LOCK, STUDY, written};
use crate::journal::{self, JournalError};
use crate::regular_file;
use crate::seal::Trust;

/// Refuses a folder that holds files under the names of ours, and that no run wrote to. `experiment` is what
/// `experiment.toml` is going to hold: an experiment may run beside its own file.
///
/// # Errors
/// Names the first such file.
pub fn refuse_foreign(directory: &Path, experiment: &[u8]) -> Result<(), RunDirError> {
    if is_ours(directory) {
        return Ok(());
    }
    let is_foreign = |name: &&str| {
        let path = directory.join(name);
        match fs::symlink_metadata(&path) {
            Err(_) => false,
            // A run that was killed before it wrote a byte.
            Ok(found) if *name == JOURNAL && found.is_file() && found.len() == 0 => false,
            Ok(_) if *name == EXPERIMENT => regular_file::read(&path).ok().as_deref() != Some(experiment),
            Ok(_) => true,
        }
    };
    match written().find(is_foreign) {
        None => Ok(()),
        Some(name) => Err(RunDirError::Foreign { path: directory.join(name) }),
    }
}

/// Whether a run wrote to it: by its journal, its manifest, or what a killed study left.
fn is_ours(directory: &Path) -> bool {
    let names_us = |name: &&str| {
        let json = regular_file::read(&directory.join(name)).ok();
        let value = json.and_then(|json| serde_json::from_slice::<serde_json::Value>(&json).ok());
        value.is_some_and(|value| value.get("moe_sweep").is_some_and(serde_json::Value::is_string))
    };
    let has_records = || {
        let contents = journal::read(&directory.join(JOURNAL), Trust::Edits);
        // One of a newer moe-sweep is ours, and is refused in better words where it is opened.
        match contents {
            Ok(contents) => contents.whole_bytes > 0,
            Err(error) => matches!(error, JournalError::Newer { .. }),
        }
    };
    [MANIFEST, STUDY].iter().any(names_us) || directory.join(SCRATCH_LOCK).is_file() || has_records()
}
