//! Reads the files that a person names: regular files, and nothing that would be waited for.
//!
//! A pipe without a writer says nothing for ever, and some devices never end.

use std::fs::{self, FileType};
use std::io::{self, Read as _};
use std::path::Path;

/// All of a regular file, or of what a link to one leads to.
///
/// # Errors
/// When it can't be read, or is something else; says what it is and what to do.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    check(path)?;
    fs::read(path)
}

/// The same, as text.
///
/// # Errors
/// As [`read`], and when it is not UTF-8.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    check(path)?;
    fs::read_to_string(path)
}

/// Whether a regular file begins so; what follows is not read.
///
/// # Errors
/// As [`read`].
pub fn begins_with(path: &Path, beginning: &[u8]) -> io::Result<bool> {
    check(path)?;
    let mut found = Vec::with_capacity(beginning.len());
    fs::File::open(path)?.take(beginning.len() as u64).read_to_end(&mut found)?;
    Ok(found == beginning)
}

/// # Errors
/// When it is no regular file.
pub fn check(path: &Path) -> io::Result<()> {
    let kind = fs::metadata(path)?.file_type();
    if kind.is_file() {
        return Ok(());
    }
    let is = what(kind);
    let remedy = if kind.is_dir() { "name a file in it" } else { "save its output in a file, and name that" };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {is}, not a file: {remedy}")))
}

#[cfg(unix)]
fn what(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    match () {
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    }
}

#[cfg(not(unix))]
fn what(kind: FileType) -> &'static str {
    if kind.is_dir() { "a folder" } else { "a device" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &Path| read(path).unwrap_err().to_string();
        assert_eq!(refused(folder.path()), "it is a folder, not a file: name a file in it");
        assert!(refused(Path::new("/dev/zero")).starts_with("it is a device, not a file: save"));
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(refused(&pipe).starts_with("it is a pipe, not a file"));
        let file = folder.path().join("file");
        fs::write(&file, "text").unwrap();
        assert_eq!(read(&file).unwrap(), b"text");
        let begins = |beginning: &[u8]| begins_with(&file, beginning).unwrap();
        assert_eq!([&b"te"[..], b"text", b"texts", b"ex"].map(begins), [true, true, false, false]);
    }
}
