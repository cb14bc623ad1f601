//! Where a model is: which of its files are here, looked up without reading them.

use std::path::{Path, PathBuf};

use super::hash::parts;
use super::hub::cached;
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
    /// It is of the hub, and not in its cache.
    NotFetched,
    /// A server has it, which may run or not.
    Served,
}

impl Location {
    /// Looks for the model's files, those of the hub in the directory `cache`.
    pub fn of(model: &Model, cache: &Path) -> Self {
        match &model.source {
            Source::Path(path) => {
                let paths = parts(path);
                let size = |path: &PathBuf| std::fs::metadata(path).ok().map(|data| data.len());
                match paths.iter().map(size).sum() {
                    Some(size_bytes) => Self::Local { paths, size_bytes },
                    None => Self::Missing,
                }
            }
            Source::Hub(file) => match cached(cache, file) {
                Some(found) => Self::Cached { paths: found.paths, size_bytes: found.size_bytes, commit: found.commit },
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
            Self::Cached { .. } => "cached",
            Self::NotFetched => "not fetched",
            Self::Served => "served",
        }
    }

    /// The files that are here, in order.
    pub fn paths(&self) -> &[PathBuf] {
        match self {
            Self::Local { paths, .. } | Self::Cached { paths, .. } => paths,
            Self::Missing | Self::NotFetched | Self::Served => &[],
        }
    }
}
