//! The hash by which a model file is known.

use std::io;
use std::path::Path;

/// blake3 of the whole file, lower-case hexadecimal; on all cores.
///
/// # Errors
/// When the file can't be read.
pub fn blake3_of(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_mmap_rayon(path)?;
    Ok(hasher.finalize().to_hex().to_string())
}
