//! Owns what can go wrong with any download. What to do about it says whoever knows whence it comes.

use std::io;
use std::path::PathBuf;

use crate::proxy::Unusable;

/// Why a request or a download failed. No message holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    #[error("{url} answered {status}")]
    Status { url: String, status: u16 },
    #[error("cannot reach {url}: {reason}")]
    Connection { url: String, reason: String },
    #[error(transparent)]
    Proxy(#[from] Unusable),
    #[error("unexpected response from {url}: {reason}")]
    Nonsense { url: String, reason: String },
    #[error("{name} has the SHA-256 {found}, not {expected}; it was removed")]
    WrongHash { name: String, expected: String, found: String },
    #[error("cannot {doing} {path}")]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

impl TransferError {
    /// For `map_err`: what was being done to which file.
    pub fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}

/// Whether a request that was answered with this status may succeed a moment later.
pub fn passes(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599)
}
