//! Where a model is: which of its files are here, looked up without reading them.

use std::path::PathBuf;

use super::hash::parts;
use super::hub::{HubSettings, cached};
use super::packages::{default_cache, found};
use crate::experiment::{Model, Source};

/// Where a model is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// It is a file of its own, or the parts of a split set in order.
    Local { paths: Vec<PathBuf>, size_bytes: u64 },
    /// Its path leads to nothing.
    Missing,
    /// It was fetched from the hub.
    Cached { paths: Vec<PathBuf>, size_bytes: u64, commit: String },
    /// It was taken out of packages.
    Unpacked { paths: Vec<PathBuf>, size_bytes: u64 },
    /// It is of the hub or in packages, and not in the cache.
    NotFetched,
    /// A server has it, which may run or not.
    Served,
}

/// Where fetched models lie.
#[derive(Clone, Debug)]
pub struct Caches {
    /// The hub's own.
    pub hub: PathBuf,
    pub packages: PathBuf,
}

impl Caches {
    /// Those that the environment names.
    pub fn from_env() -> Self {
        Self { hub: HubSettings::from_env().cache, packages: default_cache() }
    }
}

impl Location {
    /// Looks for the model's files, fetched ones in the caches.
    pub fn of(model: &Model, caches: &Caches) -> Self {
        match &model.source {
            Source::Path(path) => {
                let paths = parts(path);
                let size = |path: &PathBuf| std::fs::metadata(path).ok().map(|data| data.len());
                match paths.iter().map(size).sum() {
                    Some(size_bytes) => Self::Local { paths, size_bytes },
                    None => Self::Missing,
                }
            }
            Source::Hub(file) => match cached(&caches.hub, file) {
                Some(found) => Self::Cached { paths: found.paths, size_bytes: found.size_bytes, commit: found.commit },
                None => Self::NotFetched,
            },
            Source::Packages(packages) => match found(&caches.packages, packages) {
                Some(found) => Self::Unpacked { paths: vec![found.path], size_bytes: found.size_bytes },
                None => Self::NotFetched,
            },
            Source::Server(_) => Self::Served,
        }
    }

    /// The word for it in `model list`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Local { .. } => "local",
            Self::Missing => "missing",
            Self::Cached { .. } | Self::Unpacked { .. } => "cached",
            Self::NotFetched => "not fetched",
            Self::Served => "served",
        }
    }

    /// The files that are here, in order.
    pub fn paths(&self) -> &[PathBuf] {
        match self {
            Self::Local { paths, .. } | Self::Cached { paths, .. } | Self::Unpacked { paths, .. } => paths,
            Self::Missing | Self::NotFetched | Self::Served => &[],
        }
    }
}
