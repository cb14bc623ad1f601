//! Keeps quantised files, which are made once: it says where they lie, and that they are whole.
//!
//! A file is named after everything that decides its bytes: the source's
//! hash, the type, and the llama.cpp that made it. Beside it lies its own
//! hash, written last: a file without one, or with another, is made again. What a killed process has left half
//! made is removed by the next one that makes a file.
//! Knows no engine: whoever asks for a file says how to make it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::ModelFile;
use crate::domain::Quant;

/// What decides a quantised file's bytes.
#[derive(Clone, Copy, Debug)]
pub struct Recipe<'a> {
    /// For people: the file's name begins with it.
    pub model: &'a str,
    /// blake3 of the source, lower-case hexadecimal.
    pub source_blake3: &'a str,
    pub quant: Quant,
    /// The engine that makes it (`EngineFacts::fingerprint`).
    pub engine: &'a str,
}

/// A directory of quantised files. Runs on one machine may share it.
#[derive(Clone, Debug)]
pub struct QuantisedFiles {
    directory: PathBuf,
}

/// Why there is no quantised file.
#[derive(Debug, thiserror::Error)]
pub enum QuantisedError<E> {
    #[error("cannot keep {path}")]
    Io { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Make(E),
}

impl QuantisedFiles {
    pub fn new(cache: &Path) -> Self {
        Self { directory: cache.join("quantised") }
    }

    /// The file of a recipe, made by `make` where it is not there yet. Waits
    /// while another process makes it.
    ///
    /// # Errors
    /// When it can't be made, or not be kept; nothing is left half-written.
    pub fn get<E>(
        &self,
        recipe: &Recipe<'_>,
        make: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<ModelFile, QuantisedError<E>> {
        let path = self.directory.join(recipe.file_name());
        let io = |source| QuantisedError::Io { path: path.clone(), source };
        fs::create_dir_all(&self.directory).map_err(io)?;
        let lock = File::create(path.with_extension("lock")).map_err(io)?;
        lock.lock().map_err(io)?;
        if let Some(file) = whole(&path) {
            return Ok(file);
        }
        let partial = path.with_extension("partial");
        // What is left there may still be open to a process that is about to end: not to be written into.
        let _ = fs::remove_file(&partial);
        self.remove_orphans();
        let made = make(&partial).map_err(QuantisedError::Make).and_then(|()| keep(&partial, &path).map_err(io));
        if made.is_err() {
            // It may never have been begun.
            let _ = fs::remove_file(&partial);
        }
        made
    }

    /// Removes half-made files that nobody makes any more; of whoever does, the lock is held. One that can't be
    /// removed is in nobody's way.
    fn remove_orphans(&self) {
        let Ok(entries) = fs::read_dir(&self.directory) else { return };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        for partial in paths.filter(|path| path.extension().is_some_and(|ending| ending == "partial")) {
            // Held until it is removed.
            let Ok(lock) = File::create(partial.with_extension("lock")) else { continue };
            if lock.try_lock().is_ok() {
                let _ = fs::remove_file(&partial);
            }
        }
    }
}

impl Recipe<'_> {
    fn file_name(&self) -> String {
        let Self { model, source_blake3, quant, engine } = self;
        let key = blake3::hash(format!("{source_blake3}\n{quant}\n{engine}").as_bytes());
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let model: String = model.chars().map(plain).collect();
        format!("{model}-{quant}-{}.gguf", &key.to_hex()[..32])
    }
}

/// The file at `path`, if its hash is the one that was written down.
fn whole(path: &Path) -> Option<ModelFile> {
    let stated = fs::read_to_string(hash_of(path)).ok()?;
    ModelFile::read(path).ok().filter(|file| file.blake3 == stated.trim())
}

fn keep(partial: &Path, path: &Path) -> io::Result<ModelFile> {
    File::open(partial)?.sync_all()?;
    let hash = hash_of(path);
    // A hash that is left from a file that was damaged must not outlive it.
    if hash.exists() {
        fs::remove_file(&hash)?;
    }
    fs::rename(partial, path)?;
    let file = ModelFile::read(path)?;
    fs::write(hash, format!("{}\n", file.blake3))?;
    Ok(file)
}

fn hash_of(path: &Path) -> PathBuf {
    path.with_extension("gguf.blake3")
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const RECIPE: Recipe<'_> =
        Recipe { model: "a/b", source_blake3: "00ff", quant: Quant::Q4_K_M, engine: "llama.cpp 1" };

    fn write(text: &str) -> impl FnOnce(&Path) -> Result<(), io::Error> {
        move |path| fs::write(path, text)
    }

    fn never(_: &Path) -> Result<(), Infallible> {
        panic!("the file is there already")
    }

    #[test]
    fn a_file_is_made_once() {
        let cache = tempfile::tempdir().unwrap();
        let files = QuantisedFiles::new(cache.path());
        let made = files.get(&RECIPE, write("weights")).unwrap();
        assert_eq!(made.size_bytes, 7);
        assert_eq!(files.get(&RECIPE, never).unwrap(), made);
        let name = made.path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("a_b-q4_k_m-") && name.ends_with(".gguf"), "{name}");
    }

    #[test]
    fn whatever_decides_the_bytes_decides_the_name() {
        let others = [
            Recipe { source_blake3: "00fe", ..RECIPE },
            Recipe { quant: Quant::Q2_K, ..RECIPE },
            Recipe { engine: "llama.cpp 2", ..RECIPE },
        ];
        for other in others {
            assert_ne!(other.file_name(), RECIPE.file_name(), "{other:?}");
        }
    }

    #[test]
    fn a_damaged_file_is_made_again() {
        let cache = tempfile::tempdir().unwrap();
        let files = QuantisedFiles::new(cache.path());
        let made = files.get(&RECIPE, write("weights")).unwrap();
        fs::write(&made.path, "damage").unwrap();
        assert_eq!(files.get(&RECIPE, write("weights")).unwrap(), made);
        assert_eq!(fs::read_to_string(&made.path).unwrap(), "weights");
    }

    #[test]
    fn what_a_killed_process_left_half_made_is_removed_and_what_is_being_made_is_not() {
        let cache = tempfile::tempdir().unwrap();
        let files = QuantisedFiles::new(cache.path());
        let directory = cache.path().join("quantised");
        fs::create_dir_all(&directory).unwrap();
        for name in ["left.partial", "made.partial"] {
            fs::write(directory.join(name), "half").unwrap();
        }
        let made = File::create(directory.join("made.lock")).unwrap();
        made.lock().unwrap();
        files.get(&RECIPE, write("weights")).unwrap();
        assert!(!directory.join("left.partial").exists() && directory.join("made.partial").exists());
    }

    #[test]
    fn nothing_is_left_of_a_file_that_could_not_be_made() {
        let cache = tempfile::tempdir().unwrap();
        let files = QuantisedFiles::new(cache.path());
        let half = |path: &Path| fs::write(path, "half").and(Err(io::Error::other("out of luck")));
        files.get(&RECIPE, half).expect_err("it was not made");
        let left: Vec<_> = fs::read_dir(cache.path().join("quantised")).unwrap().map(|e| e.unwrap().path()).collect();
        assert!(left.iter().all(|path| path.extension().is_some_and(|ending| ending == "lock")), "{left:?}");
        assert_eq!(files.get(&RECIPE, write("weights")).unwrap().size_bytes, 7);
    }
}
