//! Is `moe-sweep run`: the experiment becomes ready, its trials are run, its outputs written.

use std::path::Path;

use super::options::{cache, run_options, threads};
use super::outputs::write_outputs;
use super::variant::spec;
use super::{Failure, study, tell, trust};
use crate::cli::RunArgs;
use crate::exit_code::ExitCode;
use crate::journal::FailedTrials;
use crate::message::say_soon;
use crate::model::memory::Room;
use crate::prepare::{NOTHING_YET, PrepareOptions, Prepared, load_study, prepare};
use crate::progress::Progress;
use crate::signals::Watch;
use crate::sweep::{Swept, sweep};

pub fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let (code, summary) = match load_study(&args.experiment)? {
        Some(loaded) => study::run(args, loaded)?,
        None => run_sweep(args)?,
    };
    tell(&summary)?;
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
fn run_sweep(args: &RunArgs) -> Result<(ExitCode, String), Failure> {
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
        return Ok((ExitCode::Interrupted, String::new()));
    };
    let directory = ready.planned.directory.clone();
    let mut progress = Progress::new();
    let swept = sweep(*ready, &[], run_options(&args.means), &watch, &mut |event| progress.on_event(event));
    drop(progress);
    match swept? {
        Swept::Interrupted => Ok((ExitCode::Interrupted, String::new())),
        Swept::Complete(results) => write_outputs(&directory, &results),
        Swept::Crashed(results, error) => {
            // A folder in which there is no text yet is left without tables.
            if !results.contents.records.is_empty() {
                tell(&write_outputs(&directory, &results)?.1)?;
            }
            Err(error.into())
        }
    }
}
