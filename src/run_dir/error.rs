//! Says why a run's folder can't be used.

use std::io;
use std::path::PathBuf;

use miette::Diagnostic;

use super::names;
use crate::journal::JournalError;
use crate::plan::DesignError;
use crate::seal::Unfit;

#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum RunDirError {
    #[error("{path} is not of a run of moe-sweep's, and would be replaced", path = path.display())]
    #[diagnostic(help("choose another directory with --out DIR, or move that file away"))]
    Foreign { path: PathBuf },
    #[error("{path} is there already, and moe-sweep did not write it", path = path.display())]
    #[diagnostic(help("choose another name, or move that file away"))]
    ForeignFile { path: PathBuf },
    #[error("there is no page of a run in {directory}", directory = directory.display())]
    #[diagnostic(help("{remedy}"))]
    NoPage { directory: PathBuf, remedy: String },
    #[error("{path} is there already", path = path.display())]
    #[diagnostic(help("choose another name, or move it away"))]
    There { path: PathBuf },
    #[error("cannot read the folder {path}: {error}", path = path.display())]
    #[diagnostic(help("name the folder that the runs lie in, such as results"))]
    NoFolder { path: PathBuf, error: io::Error },
    #[error("{directory} holds the results of a sweep", directory = directory.display())]
    #[diagnostic(help("choose another one with --out DIR"))]
    HoldsSweep { directory: PathBuf },
    #[error("cannot create the run's directory {directory}: {error}", directory = directory.display())]
    #[diagnostic(help("choose another one with --out DIR"))]
    Create { directory: PathBuf, error: io::Error },
    #[error("cannot use {path}: {error}", path = path.display())]
    #[diagnostic(help("choose another one with --out DIR"))]
    Unusable { path: PathBuf, error: io::Error },
    #[error("cannot write {path}: finished trials are safe, the same command goes on from them", path = path.display())]
    Write { path: PathBuf, source: io::Error },
    /// It can't be opened or read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// What is to be kept can't be written to it.
    #[error(transparent)]
    Append(JournalError),
    #[error("cannot read {path}: move it away, and the next run writes a new one", path = path.display())]
    Manifest { path: PathBuf, source: BadManifest },
    #[error("there is no {} in {directory}", names::MANIFEST, directory = directory.display())]
    #[diagnostic(help("run the experiment again: it writes this file anew and keeps finished trials"))]
    NoManifest { directory: PathBuf },
    #[error("cannot read {path}: {error}", path = path.display())]
    #[diagnostic(help("{remedy}"))]
    NoPlan { path: PathBuf, error: io::Error, remedy: String },
    #[error("cannot use {path}: {error}", path = path.display())]
    #[diagnostic(help("run the experiment again: it writes this file anew and keeps finished trials"))]
    Plan { path: PathBuf, error: DesignError },
    #[error("cannot read {path}: {error}", path = path.display())]
    #[diagnostic(help("it is part of a run's directory: copy all of it"))]
    NoExperiment { path: PathBuf, error: io::Error },
    #[error("{what}")]
    #[diagnostic(help("run the experiment again: it makes those that are missing; or take it as it is with --trust"))]
    Lost { what: String },
}

/// Why a manifest can't be read.
#[derive(Debug, thiserror::Error)]
pub enum BadManifest {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Unfit(#[from] Unfit),
}
