//! Is `moe-sweep report`, which makes everything that a run writes anew from its journal.

use super::outputs::write_outputs;
use super::{Failure, tell, trust};
use crate::cli::ReportArgs;
use crate::exit_code::ExitCode;
use crate::journal::Hold;
use crate::plain::neutralise;
use crate::report::former::Former;
use crate::report::outputs::summary;
use crate::results::Results;
use crate::run_dir::{Output, RunDir, found};

pub fn report(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let (directory, trust) = (RunDir::new(found(&args.directory)), trust(args.custody));
    // Held to the end: two writers would mix their tables.
    let hold = directory.hold();
    if let Hold::InUse = hold {
        let so_far = summary(&Results::from(directory.read(trust)?));
        tell(&format!("{so_far}nothing is written: the run that goes on writes these files when it ends\n"))?;
        return Ok(ExitCode::Incomplete);
    }
    let results = Results::from(directory.read_held(trust)?);
    let former = directory.read_output(Output::Verdicts).and_then(|json| Former::read(&json));
    let (code, text) = write_outputs(&directory, &results)?;
    let note = former.and_then(|former| former.note(&results.analysis.verdicts));
    tell(&(text + &note.map_or_else(String::new, |note| format!("note: {}\n", neutralise(&note)))))?;
    Ok(code)
}
