//! `moe-sweep report`: everything that a run writes, anew from its journal.

use super::finished::read_run;
use super::outputs::write_outputs;
use super::{Failure, print};
use crate::cli::ReportArgs;
use crate::exit_code::ExitCode;

pub fn report(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let finished = read_run(&args.directory)?;
    let summary = write_outputs(&args.directory, &finished)?;
    print(|out| {
        out.extend_from_slice(summary.text.as_bytes());
        Ok(())
    })?;
    Ok(summary.code)
}
