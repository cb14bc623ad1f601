//! `moe-sweep run`: experiment → plan → trials → outputs.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use miette::{Report, miette};

use super::files::{Made, Maker};
use super::finished::Finished;
use super::folder::{self, refuse_foreign, write_manifest};
use super::load::load_mechanism;
use super::memory::all_must_fit;
use super::outputs::write_outputs;
use super::setup::{Setup, set_up};
use super::survey::Probing;
use super::{Failure, mechanism, plain, sequential, tell, trust};
use crate::cli::{RunArgs, SamplersArg, SharingArg};
use crate::domain::TrialId;
use crate::engine::{Limits, Samplers, Sharing};
use crate::exit_code::ExitCode;
use crate::hardware::{available_memory_bytes, usable_cores};
use crate::journal::record::{Outcome, TrialRecord};
use crate::journal::{self, Contents, Journal};
use crate::manifest::{Manifest, RunEntry};
use crate::message::{say, say_soon};
use crate::model::ModelFiles;
use crate::model::memory::Room;
use crate::progress::Progress;
use crate::runner::{Ending, RunReport, Settings};
use crate::seal::{Seal, Trust};
use crate::signals::Watch;

/// What an interruption says before the first text.
pub(super) const NOTHING_YET: &str = "interrupted: this run had computed nothing yet, the same command begins it again";
/// And when there are texts.
const KEPT: &str = "interrupted: finished trials are in the journal, the same command goes on from them";

pub fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let mechanism = load_mechanism(&args.experiment).map_err(Failure::bad_setup)?;
    let (code, summary) = match mechanism {
        Some(loaded) => mechanism::run(args, loaded)?,
        None => sweep(args)?,
    };
    tell(&summary)?;
    Ok(code)
}

/// Runs the experiment again, with seeds moved by `seed_offset`, to its end.
///
/// # Errors
/// When it can't be run, or does not come to its end with every trial scored.
pub fn run_fresh(experiment: &Path, directory: &Path, seed_offset: u32) -> Result<(), Failure> {
    match sweep(&RunArgs::repetition(experiment, directory, seed_offset))? {
        (ExitCode::Ok, _) => Ok(()),
        (code, _) => {
            let report = miette!(
                help = "the same command goes on from where it stopped",
                "{} did not come to its end",
                directory.display()
            );
            Err(Failure { code, report })
        }
    }
}

/// The sweep, its exit code and what to say of it.
fn sweep(args: &RunArgs) -> Result<(ExitCode, String), Failure> {
    let watch = watch()?;
    let trust = trust(args.custody);
    let setup = set_up(&args.experiment, &args.place, Some(least_room(args)), Probing::Full)?;
    let files = match files(args, &setup, &watch)? {
        Made::Files(files) => files,
        Made::Interrupted => {
            say_soon(NOTHING_YET);
            return Ok((ExitCode::Interrupted, String::new()));
        }
    };
    let (mut journal, contents) = open(&setup, trust)?;
    let mut manifest = folder::begin(&setup, trust)?;

    let started = SystemTime::now();
    let done = done(&contents, args.retry_failed);
    let settings = settings(args, &setup, files);
    // So that a run that is killed tells where its texts were made.
    manifest.runs.push(RunEntry::begun(unix_seconds(started), &settings));
    write_manifest(&setup.directory, &manifest)?;
    let mut progress = Progress::new();
    watch.cleanly();
    let report = sequential::run(&setup, (&contents, &done), &mut journal, &settings, watch.asked(), &mut |event| {
        progress.on_event(event);
    });
    drop(progress);
    let report = report.map_err(|error| Failure::internal(plain(error)))?;

    record_run(&mut manifest, started, &settings, &report);
    manifest.n_trials = Some(journal.n_trials());
    write_manifest(&setup.directory, &manifest)?;
    match report.ending {
        Ending::Interrupted => Ok((ExitCode::Interrupted, String::new())),
        Ending::Unreachable(reason) => Err(Failure {
            code: ExitCode::Incomplete,
            report: miette!(
                help = "finished trials are safe: the same command goes on from them when the server is back",
                "{reason}"
            ),
        }),
        Ending::OutOfMemory(reason) => Err(Failure {
            code: ExitCode::Incomplete,
            report: miette!(
                help = "finished trials are safe, and no other has failed: the same command goes on from them when memory \
                        is free, or with a smaller --batch and --lanes; --wait-for-memory SECONDS waits longer",
                "{reason}"
            ),
        }),
        Ending::Complete => {
            // Files are replaced whole, so there is nothing to end cleanly.
            watch.at_once(KEPT);
            let finished = Finished::new((setup.design, manifest), [Seal::Whole; 2], &setup.directory, trust)?;
            let summary = write_outputs(&setup.directory, &finished)?;
            Ok((summary.code, summary.text))
        }
    }
}

/// A signal ends the process, until there is something to end cleanly.
pub(super) fn watch() -> Result<Watch, Failure> {
    Watch::at_once_from_now(NOTHING_YET)
        .map_err(|error| Failure::internal(Report::msg(format!("cannot watch for Ctrl-C: {error}"))))
}

/// Creates the run's directory and opens its journal: the first thing written.
fn open(setup: &Setup, trust: Trust) -> Result<(Journal, Contents), Failure> {
    let directory = &setup.directory;
    refuse_foreign(directory, &setup.text)?;
    std::fs::create_dir_all(directory).map_err(|error| {
        Failure::bad_setup(miette!(
            help = "choose another one with --out DIR",
            "cannot create the run's directory {}: {error}",
            directory.display()
        ))
    })?;
    let (journal, contents) = Journal::open(directory, trust).map_err(|error| Failure::bad_setup(plain(error)))?;
    if contents.torn_bytes > 0 {
        let bytes = contents.torn_bytes;
        say(&format!("dropped the journal's torn last line, {bytes} bytes: its trial runs again"));
    }
    Ok((journal, contents))
}

/// Before anything of the run is written: a model that can't be had is a bad
/// set-up.
fn files(args: &RunArgs, setup: &Setup, watch: &Watch) -> Result<Made, Failure> {
    let done = if setup.directory.is_dir() {
        let path = setup.directory.join(journal::FILE_NAME);
        let contents = journal::read(&path, trust(args.custody)).map_err(|error| Failure::bad_setup(plain(error)))?;
        done(&contents, args.retry_failed)
    } else {
        HashSet::new()
    };
    let cache = args.cache.clone().unwrap_or_else(default_cache);
    let maker = Maker { executable: &setup.executable, cache: &cache, threads: threads(args), watch };
    let made = maker.files(&setup.plan, &done).map_err(Failure::bad_setup)?;
    if let Made::Files(files) = &made {
        all_must_fit(&setup.plan, files, &done, least_room(args)).map_err(Failure::bad_setup)?;
    }
    Ok(made)
}

/// What free memory must leave room for: a strategy takes fewer texts where
/// memory is short, but no fewer lanes than the user insists on.
fn least_room(args: &RunArgs) -> Room {
    Room { lanes: args.lanes.map_or(1, Into::into), ..Room::LEAST }
}

/// `$XDG_CACHE_HOME/moe-sweep`, or where the system keeps such things.
pub(super) fn default_cache() -> PathBuf {
    dirs::cache_dir().unwrap_or_else(std::env::temp_dir).join("moe-sweep")
}

pub(super) fn threads(args: &RunArgs) -> u32 {
    args.threads.map_or_else(usable_cores, Into::into)
}

fn settings(args: &RunArgs, setup: &Setup, files: ModelFiles) -> Settings {
    Settings {
        executable: setup.executable.clone(),
        limits: Limits {
            threads: threads(args),
            lanes: args.lanes.map(Into::into),
            rows: args.batch,
            memory_bytes: available_memory_bytes(),
        },
        samplers: match args.samplers {
            SamplersArg::Fast => Samplers::Fast,
            SamplersArg::Llama => Samplers::Llama,
        },
        sharing: match args.sharing {
            SharingArg::None => Sharing::None,
            SharingArg::Prompt => Sharing::Prompt,
            SharingArg::Trie => Sharing::Trie,
        },
        files,
        stall_timeout: Duration::from_secs(u64::from(args.stall_timeout.get())),
        memory_patience: Duration::from_secs(args.wait_for_memory.into()),
    }
}

/// The trials that need not run again.
fn done(contents: &Contents, retry_failed: bool) -> HashSet<TrialId> {
    let counts = |record: &&TrialRecord| match record.outcome {
        Outcome::Generated(_) => true,
        Outcome::Failed(_) => !retry_failed,
    };
    contents.records.values().filter(counts).map(|record| record.id.clone()).collect()
}

/// In the place of what was written when it began. A run that computed nothing leaves no trace.
fn record_run(manifest: &mut Manifest, started: SystemTime, settings: &Settings, report: &RunReport) {
    manifest.runs.pop();
    if report.trials_done > 0 {
        manifest.runs.push(RunEntry::new(unix_seconds(started), settings, report));
    }
}

fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
