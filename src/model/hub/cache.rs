//! The hub's cache on disk, in the layout that its own clients share:
//!
//! ```text
//! models--OWNER--NAME/refs/REVISION             the commit it stood for
//!                     blobs/ETAG                contents, ETAG.incomplete while they come in
//!                     snapshots/COMMIT/FILE     links to them
//! .locks/models--OWNER--NAME/ETAG.lock          held while ETAG.incomplete is written
//! ```
//!
//! Knows nothing of the network.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::HubError;
use crate::experiment::HubFile;
use crate::model::download::{lock, open_to_append};

/// One repository's part of the cache.
#[derive(Clone, Debug)]
pub struct RepoCache {
    root: PathBuf,
    locks: PathBuf,
}

/// A model as it lies in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cached {
    /// The commit that its revision stood for when it was fetched.
    pub commit: String,
    /// The file, or the parts of a split set in order, beside each other.
    pub paths: Vec<PathBuf>,
    /// Of all of them.
    pub size_bytes: u64,
}

/// Looks for a model in the cache; None unless all of it is there.
pub fn cached(cache: &Path, file: &HubFile) -> Option<Cached> {
    RepoCache::new(cache, &file.repo).find(file)
}

/// What was linked into a snapshot, by which blobs are known: the entity tag,
/// which is the SHA-256 of every large file.
pub fn blob_name(path: &Path) -> Option<String> {
    let blob = fs::read_link(path).ok()?;
    blob.file_name()?.to_str().map(str::to_owned)
}

impl RepoCache {
    pub fn new(cache: &Path, repo: &str) -> Self {
        let folder = format!("models--{}", repo.replace('/', "--"));
        Self { root: cache.join(&folder), locks: cache.join(".locks").join(folder) }
    }

    fn find(&self, file: &HubFile) -> Option<Cached> {
        let commit = self.commit(&file.revision)?;
        let paths: Vec<_> = file.parts().iter().map(|part| self.snapshot(&commit, part)).collect();
        let sizes = paths.iter().map(|path| fs::metadata(path).ok().filter(fs::Metadata::is_file));
        let size_bytes = sizes.map(|data| data.map(|data| data.len())).sum::<Option<u64>>()?;
        Some(Cached { commit, paths, size_bytes })
    }

    /// The commit of a revision, as far as the cache knows.
    fn commit(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.to_owned());
        }
        let commit = fs::read_to_string(self.reference(revision)).ok()?;
        Some(commit.trim().to_owned()).filter(|commit| is_commit(commit))
    }

    fn reference(&self, revision: &str) -> PathBuf {
        self.root.join("refs").join(revision)
    }

    fn snapshot(&self, commit: &str, file: &str) -> PathBuf {
        self.root.join("snapshots").join(commit).join(file)
    }

    pub fn blob(&self, etag: &str) -> PathBuf {
        self.root.join("blobs").join(etag)
    }

    /// Where a blob's contents come in. Clients that resume use this name, too;
    /// huggingface_hub 2.4 begins a file of its own beside it.
    pub fn incomplete(&self, etag: &str) -> PathBuf {
        self.root.join("blobs").join(format!("{etag}.incomplete"))
    }

    /// Keeps other processes from writing the same blob, until it is dropped.
    /// `waiting` is called when another one is at it.
    pub fn lock(&self, etag: &str, waiting: impl FnOnce()) -> Result<File, HubError> {
        Ok(lock(&self.locks.join(format!("{etag}.lock")), waiting)?)
    }

    /// Opens what there is of a blob, to append to it.
    pub fn open_incomplete(&self, etag: &str) -> Result<File, HubError> {
        Ok(open_to_append(&self.incomplete(etag))?)
    }

    /// Gives a complete and checked blob its final name.
    pub fn complete(&self, etag: &str) -> Result<(), HubError> {
        let blob = self.blob(etag);
        fs::rename(self.incomplete(etag), &blob).map_err(HubError::io("create", &blob))
    }

    /// Puts a blob into the snapshot of a commit.
    pub fn link(&self, commit: &str, file: &str, etag: &str) -> Result<(), HubError> {
        let path = self.snapshot(commit, file);
        if blob_name(&path).is_some_and(|linked| linked == etag) {
            return Ok(());
        }
        let place = || {
            fs::create_dir_all(path.parent().expect("it lies in snapshots/"))?;
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            // Relative, so that the cache can be moved: up from the file's
            // directories, the commit and snapshots/.
            let up = "../".repeat(file.split('/').count() + 1);
            link_file(&PathBuf::from(format!("{up}blobs/{etag}")), &path)
        };
        place().map_err(HubError::io("create", &path))
    }

    /// Remembers what a revision stands for: the last step, when all files are there.
    pub fn set_commit(&self, revision: &str, commit: &str) -> Result<(), HubError> {
        if is_commit(revision) {
            return Ok(());
        }
        let path = self.reference(revision);
        let write = || {
            let directory = path.parent().expect("it lies in refs/");
            fs::create_dir_all(directory)?;
            let mut file = tempfile::NamedTempFile::new_in(directory)?;
            file.write_all(commit.as_bytes())?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(HubError::io("write", &path))
    }
}

#[cfg(unix)]
fn link_file(target: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

/// Where symbolic links need a privilege, a second name for the same contents.
#[cfg(not(unix))]
fn link_file(target: &Path, path: &Path) -> io::Result<()> {
    fs::hard_link(path.parent().expect("it lies in snapshots/").join(target), path)
}

/// Whether a revision is a commit itself: then it can't move.
pub fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn a_model_is_cached_when_all_its_parts_are() {
        let directory = tempfile::tempdir().expect("a directory");
        let cache = RepoCache::new(directory.path(), "o/r");
        let file = HubFile { repo: "o/r".into(), file: "q/m-00001-of-00002.gguf".into(), revision: "main".into() };
        let find = || cached(directory.path(), &file);
        for (etag, part, text) in [("e1", "q/m-00001-of-00002.gguf", "abc"), ("e2", "q/m-00002-of-00002.gguf", "de")] {
            assert_eq!(find(), None);
            cache.open_incomplete(etag).expect("opened").write_all(text.as_bytes()).expect("written");
            cache.complete(etag).expect("completed");
            cache.link(COMMIT, part, etag).expect("linked");
        }
        assert_eq!(find(), None, "the revision is not known yet");
        cache.set_commit("main", COMMIT).expect("written");
        let found = find().expect("all is there");
        assert_eq!((found.commit.as_str(), found.size_bytes), (COMMIT, 5));
        assert_eq!(fs::read_to_string(&found.paths[1]).expect("the link leads to the blob"), "de");
        assert_eq!(found.paths[0].strip_prefix(directory.path()).expect("it is in the cache"), {
            Path::new("models--o--r/snapshots").join(COMMIT).join("q/m-00001-of-00002.gguf")
        });
        assert_eq!(blob_name(&found.paths[0]).as_deref(), Some("e1"));
        let pinned = HubFile { revision: COMMIT.into(), ..file.clone() };
        assert_eq!(cached(directory.path(), &pinned), Some(found));
    }
}
