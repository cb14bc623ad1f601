//! Reads back what a run's folder holds, and says what of it was changed after it was written.

use std::io;

use super::error::{BadManifest, RunDirError};
use super::found::remedy;
use super::{RunDir, names};
use crate::journal::{self, Contents};
use crate::manifest::Manifest;
use crate::plan::Design;
use crate::regular_file;
use crate::seal::{Seal, Trust};

/// The files of a run, which may still lack trials.
pub struct Kept {
    /// What must be known of how its files were kept.
    pub custody: Vec<String>,
    pub design: Design,
    pub manifest: Manifest,
    pub contents: Contents,
}

/// What the seals of a folder's files say.
#[derive(Clone, Copy)]
struct Seals {
    plan: Seal,
    manifest: Seal,
}

impl RunDir {
    /// Reads the folder, wherever it is. While a run goes on there, these are its texts so far, and `custody` says so.
    ///
    /// # Errors
    /// As [`Self::read_held`].
    pub fn read(&self, trust: Trust) -> Result<Kept, RunDirError> {
        let goes_on = journal::in_use(&self.journal_path());
        let mut kept = self.read_held(trust)?;
        if goes_on {
            kept.custody.push(format!("a run is in progress in {}: these are its texts so far", self.path.display()));
        }
        Ok(kept)
    }

    /// Reads the folder as [`Self::read`] does, where it is held already, so that no run goes on there.
    ///
    /// # Errors
    /// When it is not one of a run, or a file in it can't be read or was changed.
    pub fn read_held(&self, trust: Trust) -> Result<Kept, RunDirError> {
        let path = self.path.join(names::PLAN);
        let json = regular_file::read(&path).map_err(|error| {
            let remedy = remedy(&self.path);
            RunDirError::NoPlan { path: path.clone(), error, remedy }
        })?;
        let (design, plan_seal) = Design::from_json(&json, trust).map_err(|error| RunDirError::Plan { path, error })?;
        let (manifest, manifest_seal) =
            self.manifest(trust)?.ok_or_else(|| RunDirError::NoManifest { directory: self.path.clone() })?;
        self.kept(design, manifest, Seals { plan: plan_seal, manifest: manifest_seal }, trust)
    }

    /// Reads the folder as [`Self::read`] does, of a run that has just written its plan and its manifest.
    ///
    /// # Errors
    /// When the journal can't be read, or lost trials since the last run ended.
    pub fn read_own(&self, design: Design, manifest: Manifest, trust: Trust) -> Result<Kept, RunDirError> {
        self.kept(design, manifest, Seals { plan: Seal::Whole, manifest: Seal::Whole }, trust)
    }

    fn kept(&self, design: Design, manifest: Manifest, seals: Seals, trust: Trust) -> Result<Kept, RunDirError> {
        let contents = self.records(trust)?;
        let mut custody = custody(seals, &contents);
        let (found, expected) = (contents.records.len(), manifest.n_trials.unwrap_or(0));
        if found < expected {
            let path = self.journal_path();
            let what = format!("{} has {found} trials, but had {expected} when the last run ended", path.display());
            if trust == Trust::Seals {
                return Err(RunDirError::Lost { what });
            }
            custody.push(what);
        }
        Ok(Kept { custody, design, manifest, contents })
    }

    /// Reads the manifest of earlier runs, if there is one, and says what its seal says.
    ///
    /// # Errors
    /// When there is one that can't be read, or that was changed and is not to be trusted.
    pub fn manifest(&self, trust: Trust) -> Result<Option<(Manifest, Seal)>, RunDirError> {
        let path = self.path.join(names::MANIFEST);
        let read = match regular_file::read(&path) {
            Ok(bytes) => Manifest::from_json(&bytes, trust).map(Some).map_err(BadManifest::Unfit),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BadManifest::Io(error)),
        };
        read.map_err(|source| RunDirError::Manifest { path, source })
    }

    /// Reads the records of the journal; none where there is no journal.
    ///
    /// # Errors
    /// When it can't be read, or was changed and is not to be trusted.
    pub fn records(&self, trust: Trust) -> Result<Contents, RunDirError> {
        Ok(journal::read(&self.journal_path(), trust)?)
    }
}

/// What of a run's files was changed, or could have been without a trace.
fn custody(seals: Seals, contents: &Contents) -> Vec<String> {
    let files = [(seals.plan, names::PLAN), (seals.manifest, names::MANIFEST)];
    let of = |seal| files.into_iter().filter(move |(found, _)| *found == seal).map(|(_, name)| name.to_owned());
    let lines = &contents.trusted_lines;
    let in_journal = (!lines.is_empty()).then(|| {
        let shown = lines.iter().take(5).map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let more = if lines.len() > 5 { format!(" and {} more", lines.len() - 5) } else { String::new() };
        format!("{}, lines {shown}{more}", names::JOURNAL)
    });
    let changed: Vec<_> = of(Seal::Broken).chain(in_journal).collect();
    let unsealed = (contents.n_unsealed > 0).then(|| format!("{} records of {}", contents.n_unsealed, names::JOURNAL));
    let unsealed: Vec<_> = of(Seal::Absent).chain(unsealed).collect();
    let changed = (!changed.is_empty()).then(|| {
        format!("accepted with --trust, although it was changed after it was written: {}", changed.join("; "))
    });
    let unsealed = (!unsealed.is_empty()).then(|| {
        format!("written before moe-sweep sealed its files, so changes can't be detected: {}", unsealed.join("; "))
    });
    changed.into_iter().chain(unsealed).collect()
}
