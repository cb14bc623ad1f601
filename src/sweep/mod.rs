//! Takes a sweep from being ready to its results: the journal is opened, trials are run, the manifest tells how.
//!
//! Owns the order of these, so that whatever ends a run leaves a folder from which the same command goes on. Must not
//! know how an experiment became ready, nor how results are shown.

use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

use miette::Diagnostic;

use crate::domain::TrialId;
use crate::event::RunEvent;
use crate::journal::record::TrialRecord;
use crate::journal::{Contents, Journal};
use crate::manifest::{Manifest, RunEntry};
use crate::message::say;
use crate::plan::Plan;
use crate::prepare::{PlannedSweep, ReadySweep};
use crate::results::Results;
use crate::run_dir::RunDirError;
use crate::runner::{Crash, Ending, LoadReport, RunError, RunOptions, Settings};
use crate::signals::Watch;

mod turns;

use turns::Turns;

/// What an interruption says when there are texts.
const KEPT: &str = "interrupted: finished trials are in the journal; run the same command to continue";

/// How a sweep ended.
pub enum Swept {
    Complete(Box<Results>),
    /// All that can be made is made: an engine dies whatever it is asked, and its texts are missing.
    Crashed(Box<Results>, SweepError),
    Interrupted,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum SweepError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    RunDir(#[from] RunDirError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("{0}")]
    #[diagnostic(help("finished trials are safe: run the same command to continue when the server is back"))]
    Unreachable(String),
    #[error("{0}")]
    #[diagnostic(help(
        "finished trials are safe, and no others have failed: run the same command to continue when memory is free, \
         or with smaller --batch and --lanes; --wait-for-memory SECONDS waits longer"
    ))]
    OutOfMemory(String),
    #[error("{what}")]
    #[diagnostic(help("{remedy}"))]
    Crashed { what: String, remedy: String },
}

impl SweepError {
    fn crashed(crashes: &[Crash], loads: &[LoadReport]) -> Self {
        let kernels = |crash: &Crash| {
            let load = loads.iter().find(|load| load.key == *crash.key())?;
            load.kernels.as_ref().map(|chosen| chosen.kernels)
        };
        let what: Vec<_> = crashes.iter().map(ToString::to_string).collect();
        let mut remedies =
            vec!["finished trials are safe, and no text is marked as failed: run the same command to retry"];
        for remedy in crashes.iter().filter_map(|crash| crash.remedy(kernels(crash))) {
            if !remedies.contains(&remedy) {
                remedies.push(remedy);
            }
        }
        Self::Crashed { what: what.join("\n"), remedy: remedies.join("\n") }
    }
}

/// Runs what is left of a sweep, and reads its results back. Of `lent`, records that another run made, those of the plan's
/// trials are taken over, and not made again.
///
/// # Errors
/// When its folder can't be used, no worker can be started, a server is gone or memory stays short. What is in the
/// journal by then stays.
pub fn sweep(
    ready: ReadySweep,
    lent: &[TrialRecord],
    options: RunOptions,
    watch: &Watch,
    on_event: &mut dyn FnMut(RunEvent<'_>),
) -> Result<Swept, SweepError> {
    let ReadySweep { planned, files, failed, trust } = ready;
    let PlannedSweep { design, text, plan, directory, executable, .. } = planned;
    let (mut journal, mut contents) = directory.open(&text, trust)?;
    if contents.torn_bytes > 0 {
        let bytes = contents.torn_bytes;
        say(&format!("removed the journal's incomplete last line, {bytes} bytes: its trial runs again"));
    }
    let mut manifest = directory.begin(&text, &design, Manifest::new(&design.name, &plan), trust)?;
    take_over(lent, &plan, &mut journal, &mut contents)?;

    let started = SystemTime::now();
    let settings = Settings { executable, files, options };
    // So that a run that is killed tells where its texts were made.
    directory.write_manifest(&manifest.with(RunEntry::begun(unix_seconds(started), &settings)))?;
    watch.cleanly();
    let done = contents.done(failed);
    let turns = Turns { design: &design, plan: &plan, contents: &contents, done: &done, settings: &settings };
    let report = turns.run(&mut journal, watch.asked(), on_event)?;

    // In the place of what was written when it began. A run that computed nothing leaves no trace.
    if report.trials_done > 0 {
        manifest.runs.push(RunEntry::new(unix_seconds(started), &settings, &report));
    }
    manifest.n_trials = Some(journal.n_trials());
    directory.write_manifest(&manifest)?;
    let read_back = || -> Result<Box<Results>, RunDirError> {
        // Files are replaced whole, so there is nothing to end cleanly.
        watch.at_once(KEPT);
        Ok(Box::new(directory.read_own(design, manifest, trust)?.into()))
    };
    match report.ending {
        Ending::Interrupted => Ok(Swept::Interrupted),
        Ending::Unreachable(reason) => Err(SweepError::Unreachable(reason)),
        Ending::OutOfMemory(reason) => Err(SweepError::OutOfMemory(reason)),
        Ending::Complete => Ok(Swept::Complete(read_back()?)),
        Ending::Crashed(crashes) => Ok(Swept::Crashed(read_back()?, SweepError::crashed(&crashes, &report.loads))),
    }
}

/// Puts the lent records of a plan's trials that have none into the journal.
fn take_over(
    lent: &[TrialRecord],
    plan: &Plan,
    journal: &mut Journal,
    contents: &mut Contents,
) -> Result<(), RunDirError> {
    let wanted: HashSet<&TrialId> = plan.trials().map(|trial| &trial.id).collect();
    let is_new = |record: &&TrialRecord| wanted.contains(&record.id) && !contents.records.contains_key(&record.id);
    let taken: Vec<TrialRecord> = lent.iter().filter(is_new).cloned().collect();
    if !taken.is_empty() {
        journal.append(&taken)?;
        contents.records.extend(taken.into_iter().map(|record| (record.id.clone(), record)));
    }
    Ok(())
}

fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
