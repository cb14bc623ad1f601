//! Is `moe-sweep run`: the experiment becomes ready, its trials are run, its outputs written.

use std::path::Path;

use super::options::{cache, run_options, threads};
use super::outputs::{Told, write_outputs};
use super::variant::{overrides, spec};
use super::{Failure, study, trust};
use crate::cli::RunArgs;
use crate::event::RunEvent;
use crate::exit_code::ExitCode;
use crate::journal::FailedTrials;
use crate::message::{say, say_soon};
use crate::model::memory::Room;
use crate::prepare::{NOTHING_YET, PrepareOptions, Prepared, load_study, prepare};
use crate::progress::Progress;
use crate::results::Results;
use crate::signals::{Deadline, Watch};
use crate::sweep::{Swept, sweep};

/// What an interruption says while the results of a run that its deadline has ended are written.
const NOT_WRITTEN: &str = "interrupted: finished trials are in the journal, and their tables are not written";

pub fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let (code, told) = match load_study(&args.experiment, &overrides(&args.variant)?)? {
        Some(loaded) => study::run(args, loaded)?,
        None => run_sweep(args)?,
    };
    told.say(args.printed)?;
    Ok(code)
}

/// Runs the experiment again, with seeds moved by `seed_offset`, to its end.
///
/// # Errors
/// When it can't be run, or does not come to its end with every trial scored.
pub fn run_fresh(experiment: &Path, directory: &Path, seed_offset: u32) -> Result<(), Failure> {
    match run_sweep(&RunArgs::repetition(experiment, directory, seed_offset))? {
        (ExitCode::Ok, _) => Ok(()),
        (code, _) => Err(Failure::unfinished(directory, code)),
    }
}

/// The sweep, its exit code and what to say of it.
fn run_sweep(args: &RunArgs) -> Result<(ExitCode, Told), Failure> {
    // A signal ends the process, until there is something to end cleanly.
    let watch = Watch::at_once_from_now(NOTHING_YET)?;
    let cache = cache(&args.means);
    let options = PrepareOptions {
        cache: &cache,
        threads: threads(&args.means),
        // A strategy takes fewer texts where memory is short, but no fewer lanes than the user insists on.
        room: Room { lanes: args.means.lanes.map_or(1, Into::into), ..Room::LEAST },
        failed: if args.retry_failed { FailedTrials::Retry } else { FailedTrials::Keep },
        trust: trust(args.custody),
    };
    let spec = spec(&args.experiment, &args.variant)?;
    let Prepared::Ready(ready) = prepare(&spec, options, &watch)? else {
        say_soon(NOTHING_YET);
        return Ok((ExitCode::Interrupted, Told::default()));
    };
    let directory = ready.planned.directory.clone();
    let mut progress = Progress::new();
    let mut deadline = args.minutes.map(Deadline::in_minutes);
    let on_event = &mut |event: RunEvent<'_>| {
        let is_own_end = deadline.as_mut().is_some_and(|deadline| deadline.ask(&watch));
        let is_interrupted = matches!(event, RunEvent::Interrupted);
        progress.on_event(if is_own_end && is_interrupted { RunEvent::Finished } else { event });
    };
    let swept = sweep(*ready, &[], run_options(&args.means), &watch, on_event);
    drop(progress);
    match swept? {
        // A signal that came since is somebody's wish, and no deadline's.
        Swept::Interrupted if deadline.is_some_and(|deadline| deadline.has_asked()) && watch.go_on() => {
            watch.at_once(NOT_WRITTEN);
            say("time is over: these are the results so far; the same command continues from here");
            let results = Results::from(directory.read(trust(args.custody))?);
            // As below: no tables of nothing.
            let is_empty = results.contents.records.is_empty();
            let told = if is_empty { Told::default() } else { write_outputs(&directory, &results)?.1 };
            Ok((ExitCode::Incomplete, told))
        }
        Swept::Interrupted => Ok((ExitCode::Interrupted, Told::default())),
        Swept::Complete(results) => write_outputs(&directory, &results),
        Swept::Crashed(results, error) => {
            // A folder in which there is no text yet is left without tables.
            if !results.contents.records.is_empty() {
                write_outputs(&directory, &results)?.1.say(args.printed)?;
            }
            Err(error.into())
        }
    }
}
