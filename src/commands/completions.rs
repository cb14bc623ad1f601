//! Is `moe-sweep completions`, and answers the shells that its scripts make ask.

use std::path::Path;

use super::{Failure, baseline, print};
use crate::causes::Cause;
use crate::cli::{self, Named, Shell};
use crate::domain::Factor;
use crate::exit_code::ExitCode;
use crate::experiment::builtin_chains;
use crate::prepare::load_models;
use crate::run_dir::{RESULTS, runs_in};

/// Prints the script of a shell.
///
/// # Errors
/// When stdout can't be written.
pub fn completions(shell: Shell) -> Result<ExitCode, Failure> {
    print(|out| cli::completions(shell, out))
}

/// Answers and ends the process, where a shell asks how a line goes on; returns at once elsewhere.
pub fn answer_shell() {
    cli::answer_shell(names);
}

fn names(named: Named) -> Vec<String> {
    match named {
        Named::Cause => Cause::ALL.iter().map(|cause| cause.id().to_owned()).collect(),
        Named::Chain => builtin_chains().into_iter().map(|chain| chain.id).collect(),
        // A catalogue that can't be read offers nothing; the command itself says why.
        Named::Model => load_models(None).unwrap_or_default().into_iter().map(|model| model.id).collect(),
        Named::Run => runs_in(Path::new(RESULTS)),
        Named::Baseline => baseline::names(),
        Named::Setting => Factor::ALL.into_iter().flat_map(settings).collect(),
    }
}

/// A factor with each of its levels, or the beginning of it where they can't be listed.
fn settings(factor: Factor) -> Vec<String> {
    match factor.level_names() {
        [] => vec![format!("{factor}=")],
        levels => levels.iter().map(|level| format!("{factor}={level}")).collect(),
    }
}
