//! Is `moe-sweep ls`, which lists the runs in a folder.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{Failure, print_json, tell};
use crate::cli::LsArgs;
use crate::exit_code::ExitCode;
use crate::message::say;
use crate::report::listing::{Row, Written, headline_in, text};
use crate::run_dir::{Listed, listed};

/// Lists the runs.
///
/// # Errors
/// When the folder can't be read.
pub fn ls(args: &LsArgs) -> Result<ExitCode, Failure> {
    let row = |listed: Listed| Row { headline: listed.answer().and_then(|json| headline_in(&json)), listed };
    let rows: Vec<_> = listed(&args.directory)?.into_iter().map(row).collect();
    if args.json {
        return print_json(&Written::of(&rows));
    }
    if rows.is_empty() {
        say(&format!(
            "no runs in {}: moe-sweep run EXPERIMENT makes one there, or name another folder",
            args.directory.display()
        ));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    tell(&text(&rows, now.as_secs()))
}
