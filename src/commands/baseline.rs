//! Is `moe-sweep baseline save`, and reads what it wrote.

use std::path::{Path, PathBuf};

use miette::miette;

use super::{Failure, tell, trust};
use crate::check::{Baseline, CheckError, baseline_of};
use crate::cli::BaselineSaveArgs;
use crate::exit_code::ExitCode;
use crate::message::say;
use crate::regular_file;
use crate::results::Results;
use crate::run_dir::{RunDir, write_named};

const DIRECTORY: &str = "results/baselines";

/// Saves what a complete run scored as a baseline.
///
/// # Errors
/// When the run is not complete, or the file can't be written.
pub fn save(args: &BaselineSaveArgs) -> Result<ExitCode, Failure> {
    let (path, run) = places(args);
    let results = Results::from(RunDir::new(&run).read(trust(args.custody))?);
    results.custody.iter().for_each(|note| say(&format!("note: {note}")));
    let unscored = results.n_without_score();
    if unscored > 0 {
        return Err(Failure::bad_setup(miette!(
            help = "run its experiment to the end first: a baseline with gaps would compare nothing there",
            "{unscored} trials of {} failed or are missing",
            run.display()
        )));
    }
    let baseline = baseline_of(&results);
    write_named(&path, &baseline.to_json(), "\"moe_sweep\"")?;
    tell(&format!("saved {} cells of {} to {}\n", baseline.cells.len(), run.display(), path.display()))
}

fn places(args: &BaselineSaveArgs) -> (PathBuf, PathBuf) {
    let is_path = Path::new(&args.name).extension().is_some_and(|extension| extension == "json");
    let path =
        if is_path { PathBuf::from(&args.name) } else { Path::new(DIRECTORY).join(format!("{}.json", args.name)) };
    let name = path.file_stem().unwrap_or_default().to_owned();
    (path, args.from.clone().unwrap_or_else(|| Path::new("results").join(name)))
}

/// Reads a baseline's file.
///
/// # Errors
/// When there is no such file, or it is not a baseline as it was saved.
pub fn read(path: &Path) -> Result<Baseline, CheckError> {
    let json = regular_file::read(path).map_err(|error| CheckError::NoBaseline { path: path.to_owned(), error })?;
    Baseline::from_json(&json).map_err(|error| CheckError::BadBaseline { path: path.to_owned(), error })
}
