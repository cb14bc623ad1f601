//! A run's directory, read back: everything its outputs are made of.

use std::path::Path;

use miette::miette;

use super::{Failure, outputs, placement, plain};
use crate::analysis::{Analysis, Questions, analyse};
use crate::journal::{self, Contents};
use crate::manifest::Manifest;
use crate::plan::Design;
use crate::regular_file;

/// A run and its analysis; it may still lack trials.
pub struct Finished {
    pub design: Design,
    pub manifest: Manifest,
    pub contents: Contents,
    pub analysis: Analysis,
}

impl Finished {
    /// Analyses what a journal holds.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub fn new(design: Design, manifest: Manifest, directory: &Path) -> Result<Self, Failure> {
        let contents =
            journal::read(&directory.join(journal::FILE_NAME)).map_err(|error| Failure::bad_setup(plain(error)))?;
        let outcome_of = |id: &_| contents.records.get(id).map(|record| &record.outcome);
        let host_experts = placement::host_experts(&manifest, contents.records.len());
        let questions = Questions { host_experts: &host_experts, ..Questions::from(&design) };
        let analysis = analyse(design.own_trials(), questions, outcome_of);
        Ok(Self { design, manifest, contents, analysis })
    }
}

/// Reads a run's directory, wherever it is, without its models.
///
/// # Errors
/// When it is not one, or a file in it can't be read.
pub fn read_run(directory: &Path) -> Result<Finished, Failure> {
    let path = directory.join(Design::FILE_NAME);
    let json = regular_file::read(&path).map_err(|error| {
        Failure::bad_setup(miette!(
            help = "name the directory of a run, such as results/temperature; one that an older moe-sweep wrote gets this \
                    file when its experiment is run again, which keeps finished trials",
            "cannot read {}: {error}",
            path.display()
        ))
    })?;
    let design = Design::from_json(&json).map_err(|error| {
        Failure::bad_setup(miette!(
            help = "run the experiment again: it writes this file anew and keeps finished trials",
            "cannot use {}: {error}",
            path.display()
        ))
    })?;
    let manifest = outputs::read_manifest(directory)?.ok_or_else(|| {
        Failure::bad_setup(miette!(
            help = "run the experiment again: it writes this file anew and keeps finished trials",
            "there is no {} in {}",
            crate::manifest::FILE_NAME,
            directory.display()
        ))
    })?;
    Finished::new(design, manifest, directory)
}
