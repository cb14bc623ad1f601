//! Computes the hashes by which a model's file is known.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::Digest;

use crate::experiment::{SplitName, split_name};

/// blake3 of the whole file, lower-case hexadecimal; on all cores. Of a split
/// set, whose first part `path` names: of its parts' hashes, in order.
///
/// # Errors
/// When a file can't be read.
pub fn blake3_of(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    match &parts(path)[..] {
        [whole] => {
            hasher.update_mmap_rayon(whole)?;
        }
        parts => {
            for part in parts {
                hasher.update(blake3::Hasher::new().update_mmap_rayon(part)?.finalize().as_bytes());
            }
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// The files that llama.cpp reads when it is given this one.
pub fn parts(path: &Path) -> Vec<PathBuf> {
    match path.to_str().map(split_name) {
        Some(SplitName::Part(part)) => part.all().map(PathBuf::from).collect(),
        _ => vec![path.to_owned()],
    }
}

/// SHA-256 of a file, lower-case hexadecimal: what the hub and `sha256sum` say.
///
/// # Errors
/// When it can't be read.
pub fn sha256_of(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    hash.update_all(&mut File::open(path)?)?;
    Ok(hash.hexadecimal())
}

/// A SHA-256 that grows with what it is given.
pub(super) struct Sha256(sha2::Sha256);

impl Sha256 {
    pub fn new() -> Self {
        Self(sha2::Sha256::new())
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn update_all(&mut self, file: &mut File) -> io::Result<()> {
        let mut chunk = vec![0; 1 << 20];
        loop {
            match file.read(&mut chunk)? {
                0 => return Ok(()),
                n => self.update(&chunk[..n]),
            }
        }
    }

    pub fn hexadecimal(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_split_set_hangs_on_every_part() {
        let directory = tempfile::tempdir().expect("a directory");
        let part = |name: &str| directory.path().join(name);
        let [first, second] = ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"].map(part);
        std::fs::write(&first, "one").expect("written");
        assert!(blake3_of(&first).is_err(), "a part is missing");
        std::fs::write(&second, "two").expect("written");
        let before = blake3_of(&first).expect("read");
        assert_ne!(before, blake3::hash(b"one").to_hex().to_string());
        std::fs::write(&second, "twp").expect("written");
        assert_ne!(blake3_of(&first).expect("read"), before);
    }

    #[test]
    fn a_file_has_the_sha_256_of_its_contents() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "abc").expect("written");
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_of(file.path()).expect("read"), expected);
    }
}
