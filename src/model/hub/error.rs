//! Owns what can go wrong between here and the hub, and what to do about it.

use std::io;
use std::path::PathBuf;

use miette::Diagnostic;

use crate::experiment::HubFile;
use crate::model::download::{Passing, TransferError, passes};
use crate::proxy::Unusable;

/// Why a file of the hub can't be had. No message holds the token.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum HubError {
    #[error("{file} is not in the cache {cache}, and offline mode is on")]
    #[diagnostic(help("remove --offline and HF_HUB_OFFLINE, or copy a cache that has it"))]
    Offline { file: HubFile, cache: PathBuf },
    #[error("the hub gives access to {repo} only after its licence is accepted", repo = file.repo)]
    #[diagnostic(help(
        "accept it on {page}, and set HF_TOKEN to a token of the same account (huggingface.co/settings/tokens)"
    ))]
    Gated { file: HubFile, page: String },
    #[error("the hub has no repository {repo}, or does not show it to you", repo = file.repo)]
    #[diagnostic(help(
        "correct hf = \"{repo}\"; if {page} is private or gated, set HF_TOKEN to a token that may read it",
        repo = file.repo
    ))]
    NoRepository { file: HubFile, page: String },
    #[error("{repo} has no revision {revision}", repo = file.repo, revision = file.revision)]
    #[diagnostic(help("correct revision; {page}/commits/main lists the commits"))]
    NoRevision { file: HubFile, page: String },
    #[error("{repo} has no file {name} at {revision}", repo = file.repo, revision = file.revision)]
    #[diagnostic(help("correct file; {page}/tree/{revision} lists the files", revision = file.revision))]
    NoFile { file: HubFile, name: String, page: String },
    #[error("{url} answered {status}")]
    #[diagnostic(help("try again later; status.huggingface.co reports outages"))]
    Status { url: String, status: u16 },
    #[error("cannot reach {url}: {reason}")]
    #[diagnostic(help(
        "check the network, HTTPS_PROXY and HF_ENDPOINT, and run the command again: it resumes the download"
    ))]
    Connection { url: String, reason: String },
    #[error(transparent)]
    Proxy(#[from] Unusable),
    #[error("{url} did not respond like the hub: {reason}")]
    #[diagnostic(help("set HF_ENDPOINT to the hub or a mirror of it"))]
    NotTheHub { url: String, reason: String },
    #[error("{name} has the SHA-256 {found}, not {expected}; it was removed")]
    #[diagnostic(help("run the command again; if it fails again, the hub's copy or sha256 in the catalogue is wrong"))]
    WrongHash { name: String, expected: String, found: String },
    #[error("the hub's {name} has the SHA-256 {theirs}, not the stated {stated}; nothing was fetched")]
    #[diagnostic(help("the repository has changed: set revision to the commit that had this file, or correct sha256"))]
    AnotherFile { name: String, stated: String, theirs: String },
    #[error("{name} has {found} bytes, not {expected}")]
    #[diagnostic(help("correct size_bytes, or set revision to the commit that had a file of this size"))]
    WrongSize { name: String, expected: u64, found: u64 },
    #[error("cannot {doing} {path}")]
    #[diagnostic(help("check that the disk has space and that you may write there; HF_HUB_CACHE moves the cache"))]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

impl HubError {
    /// For `map_err`: what was being done to which file.
    pub(super) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}

impl Passing for HubError {
    fn is_passing(&self) -> bool {
        match self {
            Self::Connection { .. } => true,
            Self::Status { status, .. } => passes(*status),
            _ => false,
        }
    }
}

/// What to do about it is said here: where the hub is, and where its cache.
impl From<TransferError> for HubError {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Status { url, status } => Self::Status { url, status },
            TransferError::Connection { url, reason } => Self::Connection { url, reason },
            TransferError::Proxy(unusable) => Self::Proxy(unusable),
            TransferError::Nonsense { url, reason } => Self::NotTheHub { url, reason },
            TransferError::WrongHash { name, expected, found } => Self::WrongHash { name, expected, found },
            TransferError::Io { doing, path, source } => Self::Io { doing, path, source },
        }
    }
}
