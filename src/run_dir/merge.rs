//! Makes one run's folder of the folders of an experiment's shards. Owns which of them belong together.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use itertools::Itertools as _;
use miette::Diagnostic;

use super::ours::refuse_foreign;
use super::replace::write_whole;
use super::{Kept, RunDir, RunDirError, names};
use crate::domain::{Trial, TrialId};
use crate::journal::Journal;
use crate::journal::record::{Outcome, TrialRecord};
use crate::manifest::{Manifest, ModelEntry, RunEntry};
use crate::plan::Design;
use crate::regular_file;
use crate::seal::Trust;

#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum MergeError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    RunDir(#[from] RunDirError),
    #[error("{a} and {b} do not belong to one plan: they differ in {what}", a = a.display(), b = b.display())]
    #[diagnostic(help(
        "merge needs shards from the same experiment file, the same moe-sweep and the same kind of CPU; run the \
         others again, or compare them with moe-sweep compare"
    ))]
    OtherPlan { a: PathBuf, b: PathBuf, what: String },
    #[error("trial {id} has one text in {a} and another in {b}", a = a.display(), b = b.display())]
    #[diagnostic(help(
        "one of them is wrong, or texts are not reproducible there: check the determinism probe in manifest.json, and \
         run one of the two again"
    ))]
    OtherText { id: TrialId, a: PathBuf, b: PathBuf },
    #[error("these runs were made on {machines}, so a difference may come from the machine")]
    #[diagnostic(help("to merge them anyway: --allow hardware; the results will say so"))]
    OtherHardware { machines: String },
}

/// Whether runs of different machines are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machines {
    OfOneKind,
    Any,
}

/// Runs put together.
pub struct Merged {
    pub kept: Kept,
    /// The trials that none of them has, in words.
    pub missing: Vec<String>,
}

/// Puts the runs of one experiment's shards together, in `out`. What an earlier merge brought together there is one
/// more source.
///
/// # Errors
/// When they are not of one plan, or have different texts for one trial, or a folder can't be used.
pub fn merge(directories: &[PathBuf], out: &RunDir, machines: Machines, trust: Trust) -> Result<Merged, MergeError> {
    let mut directories = directories.to_vec();
    if out.has_journal() && !directories.iter().any(|directory| directory == out.path()) {
        directories.push(out.path().to_owned());
    }
    let read = |directory: &PathBuf| {
        let directory = RunDir::new(directory);
        let kept = directory.read(trust)?;
        Ok(Source { directory, kept })
    };
    let sources: Vec<_> = directories.iter().map(read).collect::<Result<_, RunDirError>>()?;
    let first = &sources[0];
    for other in &sources[1..] {
        if let Some(what) = first.kept.design.difference(&other.kept.design) {
            let [a, b] = [first, other].map(|source| source.directory.path.clone());
            return Err(MergeError::OtherPlan { a, b, what });
        }
    }
    let hardware_note = same_hardware(&sources, machines)?;
    let records = records(&sources)?;

    let design = whole_design(&sources, hardware_note.as_deref());
    let mut manifest = manifest(&sources, &design);
    write(out, &first.directory, &design, &mut manifest, &records)?;
    let missing = missing(&design, &records);
    Ok(Merged { kept: out.read_own(design, manifest, trust)?, missing })
}

/// A folder that is put together with others, and what it holds.
struct Source {
    directory: RunDir,
    kept: Kept,
}

/// Every trial's record; a text stands before a failure.
fn records(sources: &[Source]) -> Result<BTreeMap<&TrialId, &TrialRecord>, MergeError> {
    let mut found: BTreeMap<&TrialId, (&RunDir, &TrialRecord)> = BTreeMap::new();
    for Source { directory, kept } in sources {
        for (id, record) in &kept.contents.records {
            let Some((known_at, known)) = found.get(id) else {
                found.insert(id, (directory, record));
                continue;
            };
            match (&known.outcome, &record.outcome) {
                (Outcome::Generated(a), Outcome::Generated(b)) if a != b => {
                    let [a, b] = [known_at, directory].map(RunDir::journal_path);
                    return Err(MergeError::OtherText { id: (*id).clone(), a, b });
                }
                (Outcome::Failed(_), Outcome::Generated(_)) => {
                    found.insert(id, (directory, record));
                }
                _ => {}
            }
        }
    }
    Ok(found.into_iter().map(|(id, (_, record))| (id, record)).collect())
}

/// What to say of the machines where they are not of one kind.
///
/// # Errors
/// When they are not, and need be.
fn same_hardware(sources: &[Source], allowed: Machines) -> Result<Option<String>, MergeError> {
    let machines: BTreeSet<String> = sources.iter().flat_map(|source| machines(&source.kept.manifest)).collect();
    if machines.len() < 2 {
        return Ok(None);
    }
    let machines = Vec::from_iter(machines).join(" and ");
    if allowed == Machines::OfOneKind {
        return Err(MergeError::OtherHardware { machines });
    }
    Ok(Some(format!("merged from runs on {machines}")))
}

/// What computed: the CPU of each run, and the accelerators that the models were given.
fn machines(manifest: &Manifest) -> impl Iterator<Item = String> {
    let accelerators: BTreeSet<&str> =
        manifest.models.iter().flat_map(|model| &model.accelerators).map(String::as_str).collect();
    let accelerators = Vec::from_iter(accelerators).join(", ");
    manifest.runs.iter().map(move |entry| {
        let cpu = entry.hardware.cpu.as_deref().unwrap_or("an unnamed CPU");
        if accelerators.is_empty() { cpu.to_owned() } else { format!("{cpu} with {accelerators}") }
    })
}

/// The plan as a whole, with what any machine had to say of it.
fn whole_design(sources: &[Source], hardware_note: Option<&str>) -> Design {
    let designs = || sources.iter().map(|source| &source.kept.design);
    let mut whole = sources[0].kept.design.clone();
    whole.part = None;
    let notes = designs().flat_map(|design| design.notes.iter().cloned());
    let custody = sources.iter().flat_map(|source| source.kept.custody.iter().cloned());
    whole.notes = notes.chain(custody).chain(hardware_note.map(str::to_owned)).unique().collect();
    whole.doubts = designs().flat_map(|design| design.doubts.clone()).unique_by(|doubt| format!("{doubt:?}")).collect();
    // A factor that moves something anywhere is one.
    whole.inert.retain(|factor| designs().all(|design| design.inert.contains(factor)));
    whole
}

/// All runs of all machines, oldest first, and every model that one of them placed.
fn manifest(sources: &[Source], design: &Design) -> Manifest {
    let manifests = || sources.iter().map(|source| &source.kept.manifest);
    let mut whole = sources[0].kept.manifest.clone();
    whole.n_trials = None;
    whole.trusted = manifests().flat_map(|manifest| manifest.trusted.iter().cloned()).unique().collect();
    let entries = manifests().flat_map(|manifest| manifest.models.iter().cloned());
    whole.models = entries.unique_by(|entry: &ModelEntry| entry.key.clone()).collect();
    whole
        .models
        .sort_by_cached_key(|entry| design.trials.iter().position(|Trial { cell, .. }| cell.load_key() == entry.key));
    whole.notes.clone_from(&design.notes);
    let entries = manifests().flat_map(|manifest| manifest.runs.iter().cloned());
    whole.runs = entries.unique_by(RunEntry::written).collect();
    whole.runs.sort_by_key(|entry| entry.started_unix_s);
    whole
}

/// Whatever is written is whole, and the records come last: broken off, the same command
/// goes on.
fn write(
    out: &RunDir,
    source: &RunDir,
    design: &Design,
    manifest: &mut Manifest,
    records: &BTreeMap<&TrialId, &TrialRecord>,
) -> Result<(), RunDirError> {
    let path = source.path.join(names::EXPERIMENT);
    let experiment = regular_file::read(&path).map_err(|error| RunDirError::NoExperiment { path, error })?;
    refuse_foreign(&out.path, &experiment)?;
    let unusable = |error: io::Error| RunDirError::Unusable { path: out.path.clone(), error };
    std::fs::create_dir_all(&out.path).map_err(unusable)?;
    let open = || Journal::open(&out.journal_path(), Trust::Edits);
    // Locked before anything of a run that may still go on is touched. A new journal comes last: with
    // it a directory counts as a run's.
    let locked = if out.has_journal() { Some(open()?) } else { None };
    out.write_manifest(manifest)?;
    write_whole(&out.path.join(names::EXPERIMENT), &experiment)?;
    write_whole(&out.path.join(names::PLAN), &design.to_json())?;
    let (mut journal, contents) = match locked {
        Some(locked) => locked,
        None => open()?,
    };
    // In plan order, as one machine would.
    let known = |id: &TrialId, record: &TrialRecord| {
        contents.records.get(id).is_some_and(|known| known.outcome == record.outcome)
    };
    let trials = design.trials.iter().map(|trial| &trial.id).unique();
    let new: Vec<TrialRecord> = trials
        .filter_map(|id| records.get(id).map(|record| (id, *record)))
        .filter(|(id, record)| !known(id, record))
        .map(|(_, record)| record.clone())
        .collect();
    journal.append(&new).map_err(RunDirError::Append)?;
    manifest.n_trials = Some(journal.n_trials());
    out.write_manifest(manifest)
}

/// The trials that no run has.
fn missing(design: &Design, records: &BTreeMap<&TrialId, &TrialRecord>) -> Vec<String> {
    let without = design.trials.iter().filter(|trial| !records.contains_key(&trial.id));
    without
        .map(|trial| {
            let seed = trial.seed.map_or_else(String::new, |seed| format!(", seed {seed}"));
            format!("{}, prompt {}{seed}", trial.cell, trial.prompt)
        })
        .collect()
}
