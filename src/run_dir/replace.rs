//! Writes a file whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::error::RunDirError;
use super::names::{PLOTS, TEMPORARY};
use crate::regular_file;

/// Writes a file by way of a temporary one beside it, so that a reader, or a
/// crash, sees the old contents or the new.
///
/// # Errors
/// When it can't be written.
pub fn write_whole(path: &Path, contents: &[u8]) -> Result<(), RunDirError> {
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
    written.map(|_| ()).map_err(|source| RunDirError::Write { path: path.to_owned(), source })
}

/// Writes a file that a person named. What is there already is replaced only if it holds `mark`, as all of
/// these files do.
///
/// # Errors
/// When it can't be written, or is another file.
pub fn write_named(path: &Path, contents: &[u8], mark: &str) -> Result<(), RunDirError> {
    let holds_mark = |found: Vec<u8>| found.windows(mark.len()).any(|window| window == mark.as_bytes());
    let is_ours = match regular_file::read(path) {
        Ok(found) => found.is_empty() || holds_mark(found),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if !is_ours {
        return Err(RunDirError::ForeignFile { path: path.to_owned() });
    }
    write_whole(path, contents)
}

/// Writes a file that is not there yet.
///
/// # Errors
/// When it can't be written, or something of this name is there.
pub fn write_new(path: &Path, contents: &[u8]) -> Result<(), RunDirError> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(RunDirError::There { path: path.to_owned() });
    }
    write_whole(path, contents)
}

/// Removes what killed processes left of files that they were writing.
pub fn clear_left_overs(directory: &Path) {
    let (prefix, suffix) = TEMPORARY;
    let entries = [directory.to_owned(), directory.join(PLOTS)].into_iter().flat_map(fs::read_dir).flatten().flatten();
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
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory)
}
