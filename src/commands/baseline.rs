//! Is `moe-sweep baseline save`, and reads what it wrote.

use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use miette::miette;

use super::{Failure, tell, trust};
use crate::check::{Baseline, CheckError, baseline_of};
use crate::cli::BaselineSaveArgs;
use crate::exit_code::ExitCode;
use crate::message::say;
use crate::regular_file;
use crate::results::Results;
use crate::run_dir::{self, RESULTS, RunDir, write_named};

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
    (path, args.from.as_deref().map_or_else(|| Path::new(RESULTS).join(name), run_dir::found))
}

/// The file of the baseline that is meant: the one at this path, or else the one of this name.
pub fn found(typed: &Path) -> PathBuf {
    let mut named = Path::new(DIRECTORY).join(typed).into_os_string();
    named.push(".json");
    let named = PathBuf::from(named);
    if !typed.exists() && named.is_file() { named } else { typed.to_owned() }
}

/// Lists the baselines, a name in each line.
///
/// # Errors
/// When stdout can't be written.
pub fn list() -> Result<ExitCode, Failure> {
    let names = names();
    if names.is_empty() {
        say(&format!("no baselines in {DIRECTORY}: moe-sweep baseline save NAME --from RUN makes one"));
    }
    tell(&names.iter().map(|name| format!("{name}\n")).collect::<String>())
}

/// The names of the baselines that were saved, sorted.
pub fn names() -> Vec<String> {
    let files = fs::read_dir(DIRECTORY).into_iter().flatten().flatten();
    let name = |file: DirEntry| Some(file.file_name().into_string().ok()?.strip_suffix(".json")?.to_owned());
    let mut names: Vec<_> = files.filter_map(name).collect();
    names.sort();
    names
}

/// Reads a baseline's file.
///
/// # Errors
/// When there is no such file, or it is not a baseline as it was saved.
pub fn read(path: &Path) -> Result<Baseline, CheckError> {
    let json = regular_file::read(path).map_err(|error| CheckError::NoBaseline { path: path.to_owned(), error })?;
    Baseline::from_json(&json).map_err(|error| CheckError::BadBaseline { path: path.to_owned(), error })
}
