//! Is `moe-sweep merge`, which makes one run of the runs of an experiment's shards.

use super::outputs::write_outputs;
use super::{Failure, trust};
use crate::cli::{MergeAllowed, MergeArgs};
use crate::exit_code::ExitCode;
use crate::message::say;
use crate::results::Results;
use crate::run_dir::{self, Machines, Merged, RunDir, found};

/// How many missing trials are listed.
const LISTED: usize = 10;

pub fn merge(args: &MergeArgs) -> Result<ExitCode, Failure> {
    let machines = if args.allow.contains(&MergeAllowed::Hardware) { Machines::Any } else { Machines::OfOneKind };
    let out = RunDir::new(&args.out);
    let runs: Vec<_> = args.directories.iter().map(|run| found(run)).collect();
    let Merged { kept, missing } = run_dir::merge(&runs, &out, machines, trust(args.custody))?;
    let results = Results::from(kept);
    let (code, told) = write_outputs(&out, &results)?;
    told.say(args.printed)?;
    if !missing.is_empty() {
        say(&format!("missing: {} of {} trials", missing.len(), results.design.trials.len()));
        missing.iter().take(LISTED).for_each(|trial| say(&format!("  {trial}")));
        if missing.len() > LISTED {
            say(&format!("  … and {} more: status \"missing\" in trials.csv", missing.len() - LISTED));
        }
    }
    Ok(code)
}
