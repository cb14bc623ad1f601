//! `moe-sweep merge`: the runs of an experiment's shards as one run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use itertools::Itertools as _;
use miette::miette;

use super::finished::{Finished, read_run};
use super::folder::{refuse_foreign, write_manifest, write_whole};
use super::outputs::write_outputs;
use super::{Failure, plain, tell, trust};
use crate::cli::{MergeAllowed, MergeArgs};
use crate::domain::{Trial, TrialId};
use crate::exit_code::ExitCode;
use crate::journal::record::{Outcome, TrialRecord};
use crate::journal::{self, Journal};
use crate::manifest::{Manifest, ModelEntry, RunEntry};
use crate::message::say;
use crate::plan::Design;
use crate::regular_file;
use crate::seal::{Seal, Trust};

/// How many missing trials are listed.
const LISTED: usize = 10;

pub fn merge(args: &MergeArgs) -> Result<ExitCode, Failure> {
    let mut directories = args.directories.clone();
    // What an earlier merge brought together is one more source.
    if args.out.join(journal::FILE_NAME).exists() && !directories.contains(&args.out) {
        directories.push(args.out.clone());
    }
    let trust = trust(args.custody);
    let runs: Vec<_> = directories
        .iter()
        .map(|directory| Ok((directory.as_path(), read_run(directory, trust)?)))
        .collect::<Result<_, _>>()?;
    let (first_directory, first) = &runs[0];
    for (directory, run) in &runs[1..] {
        if let Some(what) = first.design.difference(&run.design) {
            return Err(Failure::bad_setup(miette!(
                help = "shards are merged that were run from the same experiment file, by the same moe-sweep, on CPUs of \
                        one kind; run the others again, or compare them with moe-sweep compare",
                "{} and {} are not of one plan: they differ in {what}",
                first_directory.display(),
                directory.display()
            )));
        }
    }
    let hardware_note = same_hardware(&runs, &args.allow)?;
    let records = records(&runs)?;

    let design = whole_design(&runs, hardware_note.as_deref());
    let mut manifest = manifest(&runs, &design);
    write(&args.out, first_directory, &design, &mut manifest, &records)?;
    let finished = Finished::new((design, manifest), [Seal::Whole; 2], &args.out, trust)?;
    let summary = write_outputs(&args.out, &finished)?;
    tell(&summary.text)?;
    let missing = missing(&finished.design, &records);
    if !missing.is_empty() {
        say(&format!("missing: {} of {} trials", missing.len(), finished.design.trials.len()));
        missing.iter().take(LISTED).for_each(|trial| say(&format!("  {trial}")));
        if missing.len() > LISTED {
            say(&format!("  … and {} more: status \"missing\" in trials.csv", missing.len() - LISTED));
        }
    }
    Ok(summary.code)
}

/// Every trial's record; a text stands before a failure.
fn records<'r>(runs: &'r [(&Path, Finished)]) -> Result<BTreeMap<&'r TrialId, &'r TrialRecord>, Failure> {
    let mut found: BTreeMap<&TrialId, (&Path, &TrialRecord)> = BTreeMap::new();
    for (directory, run) in runs {
        for (id, record) in &run.contents.records {
            let Some((known_at, known)) = found.get(id) else {
                found.insert(id, (directory, record));
                continue;
            };
            match (&known.outcome, &record.outcome) {
                (Outcome::Generated(a), Outcome::Generated(b)) if a != b => {
                    return Err(Failure::bad_setup(miette!(
                        help = "one of them is wrong, or texts are not reproducible there: look at the determinism probe \
                                in manifest.json, and run one of the two again",
                        "trial {id} has one text in {} and another in {}",
                        known_at.join(journal::FILE_NAME).display(),
                        directory.join(journal::FILE_NAME).display()
                    )));
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
fn same_hardware(runs: &[(&Path, Finished)], allow: &[MergeAllowed]) -> Result<Option<String>, Failure> {
    let machines: BTreeSet<String> = runs.iter().flat_map(|(_, run)| machines(&run.manifest)).collect();
    if machines.len() < 2 {
        return Ok(None);
    }
    let machines = Vec::from_iter(machines).join(" and ");
    if !allow.contains(&MergeAllowed::Hardware) {
        return Err(Failure::bad_setup(miette!(
            help = "put them together all the same with --allow hardware: the results will say so",
            "these runs were made on {machines}: what is compared may differ in its machine"
        )));
    }
    Ok(Some(format!("put together from runs on {machines}")))
}

/// What computed: the CPU of each run, and the accelerators that the models were given.
fn machines(manifest: &Manifest) -> impl Iterator<Item = String> {
    let accelerators: BTreeSet<&str> =
        manifest.models.iter().flat_map(|model| &model.accelerators).map(String::as_str).collect();
    let accelerators = Vec::from_iter(accelerators).join(", ");
    manifest.runs.iter().map(move |entry| {
        let cpu = entry.hardware.cpu.as_deref().unwrap_or("a CPU that the system does not name");
        if accelerators.is_empty() { cpu.to_owned() } else { format!("{cpu} with {accelerators}") }
    })
}

/// The plan as a whole, with what any machine had to say of it.
fn whole_design(runs: &[(&Path, Finished)], hardware_note: Option<&str>) -> Design {
    let designs = || runs.iter().map(|(_, run)| &run.design);
    let mut whole = runs[0].1.design.clone();
    whole.part = None;
    let notes = designs().flat_map(|design| design.notes.iter().cloned());
    let custody = runs.iter().flat_map(|(_, run)| run.custody.iter().cloned());
    whole.notes = notes.chain(custody).chain(hardware_note.map(str::to_owned)).unique().collect();
    whole.doubts = designs().flat_map(|design| design.doubts.clone()).unique_by(|doubt| format!("{doubt:?}")).collect();
    // A factor that moves something anywhere is one.
    whole.inert.retain(|factor| designs().all(|design| design.inert.contains(factor)));
    whole
}

/// All runs of all machines, oldest first, and every model that one of them placed.
fn manifest(runs: &[(&Path, Finished)], design: &Design) -> Manifest {
    let mut whole = runs[0].1.manifest.clone();
    whole.n_trials = None;
    whole.trusted = runs.iter().flat_map(|(_, run)| run.manifest.trusted.iter().cloned()).unique().collect();
    let entries = runs.iter().flat_map(|(_, run)| run.manifest.models.iter().cloned());
    whole.models = entries.unique_by(|entry: &ModelEntry| entry.key.clone()).collect();
    whole
        .models
        .sort_by_cached_key(|entry| design.trials.iter().position(|Trial { cell, .. }| cell.load_key() == entry.key));
    whole.notes.clone_from(&design.notes);
    let entries = runs.iter().flat_map(|(_, run)| run.manifest.runs.iter().cloned());
    whole.runs = entries.unique_by(RunEntry::written).collect();
    whole.runs.sort_by_key(|entry| entry.started_unix_s);
    whole
}

/// Whatever is written is whole, and the records come last: broken off, the same command
/// goes on.
fn write(
    out: &Path,
    source: &Path,
    design: &Design,
    manifest: &mut Manifest,
    records: &BTreeMap<&TrialId, &TrialRecord>,
) -> Result<(), Failure> {
    let unwritable = |path: &Path, error: std::io::Error| {
        Failure::bad_setup(miette!(
            help = "choose another one with --out DIR",
            "cannot use {}: {error}",
            path.display()
        ))
    };
    let name = "experiment.toml";
    let path: PathBuf = source.join(name);
    let text = regular_file::read(&path).map_err(|error| {
        let help = "it is part of a run's directory: copy all of it";
        Failure::bad_setup(miette!(help = help, "cannot read {}: {error}", path.display()))
    })?;
    refuse_foreign(out, &String::from_utf8_lossy(&text))?;
    std::fs::create_dir_all(out).map_err(|error| unwritable(out, error))?;
    let open = || Journal::open(out, Trust::Edits).map_err(|error| Failure::bad_setup(plain(error)));
    // Locked before anything of a run that may still go on is touched. A new journal comes last: with
    // it a directory counts as a run's.
    let locked = if out.join(journal::FILE_NAME).exists() { Some(open()?) } else { None };
    write_manifest(out, manifest)?;
    write_whole(&out.join(name), &text)?;
    write_whole(&out.join(Design::FILE_NAME), &design.to_json())?;
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
    journal.append(&new).map_err(|error| Failure::internal(plain(error)))?;
    manifest.n_trials = Some(journal.n_trials());
    write_manifest(out, manifest)
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
