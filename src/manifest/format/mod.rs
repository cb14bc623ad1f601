//! Owns the on-disk types of `manifest.json`, all of them, in each of their versions. Must not know what a manifest's
//! numbers mean.

use serde::{Deserialize, Serialize};

use crate::format::{Generate, Unknown, each};
use crate::manifest;
use crate::seal::{Format, Seal, Trust, Unfit, seal};

mod model;
mod run;
mod server;

use model::ModelEntry;
use run::RunEntry;

/// Version 2 is sealed.
const FORMAT: Format = Format { version: 2, sealed_from: 2 };

/// Where a run's numbers come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Absent before there were seals.
    #[serde(default = "first_version")]
    v: u32,
    moe_sweep: String,
    experiment: String,
    generate: Generate,
    models: Vec<ModelEntry>,
    notes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n_trials: Option<usize>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    trusted: Vec<String>,
    runs: Vec<RunEntry>,
}

fn first_version() -> u32 {
    1
}

impl From<&manifest::Manifest> for Manifest {
    fn from(manifest: &manifest::Manifest) -> Self {
        let manifest::Manifest { moe_sweep, experiment, generate, models, notes, n_trials, trusted, runs } = manifest;
        Self {
            v: FORMAT.version,
            moe_sweep: moe_sweep.clone(),
            experiment: experiment.clone(),
            generate: (*generate).into(),
            models: models.iter().cloned().map(Into::into).collect(),
            notes: notes.clone(),
            n_trials: *n_trials,
            trusted: trusted.clone(),
            runs: runs.iter().cloned().map(Into::into).collect(),
        }
    }
}

impl TryFrom<Manifest> for manifest::Manifest {
    type Error = Unknown;

    fn try_from(manifest: Manifest) -> Result<Self, Unknown> {
        let Manifest { v: _, moe_sweep, experiment, generate, models, notes, n_trials, trusted, runs } = manifest;
        Ok(Self {
            moe_sweep,
            experiment,
            generate: generate.into(),
            models: each(models)?,
            notes,
            n_trials,
            trusted,
            runs: each(runs)?,
        })
    }
}

impl manifest::Manifest {
    /// Reads a manifest, and says what its seal says.
    ///
    /// # Errors
    /// When `json` is no manifest, one of a newer version, or one that was changed and is not to be trusted.
    pub fn from_json(json: &[u8], trust: Trust) -> Result<(Self, Seal), Unfit> {
        let (manifest, seal): (Manifest, _) = FORMAT.read(json, trust)?;
        Ok((manifest.try_into()?, seal))
    }

    /// Writes it as the file holds it, sealed.
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(&Manifest::from(self)).expect("plain data");
        seal(&mut json);
        json
    }
}

impl manifest::RunEntry {
    /// Writes it as the file holds it, which is what two entries of the same run have in common.
    pub fn written(&self) -> String {
        serde_json::to_string(&RunEntry::from(self.clone())).expect("an entry is plain data")
    }
}

#[cfg(test)]
mod tests;
