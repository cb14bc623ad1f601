//! A run's directory, read back: everything its outputs are made of.

use std::path::Path;

use miette::miette;

use super::{Failure, folder, placement, plain};
use crate::analysis::{Analysis, Questions, analyse};
use crate::journal::{self, Contents};
use crate::manifest::{self, Manifest};
use crate::plan::Design;
use crate::regular_file;
use crate::seal::{Seal, Trust};

/// A run and its analysis; it may still lack trials.
pub struct Finished {
    /// What must be known of how its files were kept.
    pub custody: Vec<String>,
    pub design: Design,
    pub manifest: Manifest,
    pub contents: Contents,
    pub analysis: Analysis,
}

impl Finished {
    /// Analyses what a run's directory holds. `seals` are those of the plan and the manifest.
    ///
    /// # Errors
    /// When the journal can't be read, or lost trials since the last run ended.
    pub fn new(
        (design, manifest): (Design, Manifest),
        seals: [Seal; 2],
        directory: &Path,
        trust: Trust,
    ) -> Result<Self, Failure> {
        let path = directory.join(journal::FILE_NAME);
        let contents = journal::read(&path, trust).map_err(|error| Failure::bad_setup(plain(error)))?;
        let mut custody = custody(seals, &contents);
        let (found, expected) = (contents.records.len(), manifest.n_trials.unwrap_or(0));
        if found < expected {
            let lost = format!("{} holds {found} trials, and held {expected} when the last run ended", path.display());
            if trust == Trust::Seals {
                return Err(Failure::bad_setup(miette!(
                    help =
                        "run the experiment again: it makes those that are missing; or take it as it is with --trust",
                    "{lost}"
                )));
            }
            custody.push(lost);
        }
        let outcome_of = |id: &_| contents.records.get(id).map(|record| &record.outcome);
        let host_experts = placement::host_experts(&manifest, contents.records.len());
        let questions = Questions { host_experts: &host_experts, ..Questions::from(&design) };
        let analysis = analyse(design.own_trials(), questions, outcome_of);
        Ok(Self { custody, design, manifest, contents, analysis })
    }
}

/// What of a run's files was changed, or could have been without a trace.
fn custody([plan, manifest]: [Seal; 2], contents: &Contents) -> Vec<String> {
    let files = [(plan, Design::FILE_NAME), (manifest, manifest::FILE_NAME)];
    let of = |seal| files.into_iter().filter(move |(found, _)| *found == seal).map(|(_, name)| name.to_owned());
    let lines = &contents.trusted_lines;
    let in_journal = (!lines.is_empty()).then(|| {
        let shown = lines.iter().take(5).map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let more = if lines.len() > 5 { format!(" and {} more", lines.len() - 5) } else { String::new() };
        format!("{}, lines {shown}{more}", journal::FILE_NAME)
    });
    let changed: Vec<_> = of(Seal::Broken).chain(in_journal).collect();
    let unsealed =
        (contents.n_unsealed > 0).then(|| format!("{} records of {}", contents.n_unsealed, journal::FILE_NAME));
    let unsealed: Vec<_> = of(Seal::Absent).chain(unsealed).collect();
    let changed = (!changed.is_empty())
        .then(|| format!("taken on trust, for it was changed after it was written: {}", changed.join("; ")));
    let unsealed = (!unsealed.is_empty()).then(|| {
        format!(
            "from before moe-sweep sealed what it writes, so that a change of it can't be seen: {}",
            unsealed.join("; ")
        )
    });
    changed.into_iter().chain(unsealed).collect()
}

/// Reads a run's directory, wherever it is, without its models.
///
/// # Errors
/// As [`read_held`].
pub fn read_run(directory: &Path, trust: Trust) -> Result<Finished, Failure> {
    let goes_on = journal::in_use(directory);
    let mut finished = read_held(directory, trust)?;
    if goes_on {
        finished.custody.push(format!("a run goes on in {}: these are its texts so far", directory.display()));
    }
    Ok(finished)
}

/// The same where the directory is held already, so that no run goes on there.
///
/// # Errors
/// When it is not one, or a file in it can't be read or was changed.
pub fn read_held(directory: &Path, trust: Trust) -> Result<Finished, Failure> {
    let path = directory.join(Design::FILE_NAME);
    let json = regular_file::read(&path).map_err(|error| {
        Failure::bad_setup(miette!(
            help = "name the directory of a run, such as results/temperature; one that an older moe-sweep wrote gets this \
                    file when its experiment is run again, which keeps finished trials",
            "cannot read {}: {error}",
            path.display()
        ))
    })?;
    let (design, plan_seal) = Design::from_json(&json, trust).map_err(|error| {
        Failure::bad_setup(miette!(
            help = "run the experiment again: it writes this file anew and keeps finished trials",
            "cannot use {}: {error}",
            path.display()
        ))
    })?;
    let (manifest, manifest_seal) = folder::read_manifest(directory, trust)?.ok_or_else(|| {
        Failure::bad_setup(miette!(
            help = "run the experiment again: it writes this file anew and keeps finished trials",
            "there is no {} in {}",
            manifest::FILE_NAME,
            directory.display()
        ))
    })?;
    Finished::new((design, manifest), [plan_seal, manifest_seal], directory, trust)
}
