//! Finds a run by what a person calls it: the path of its folder, or its name among the results.

use std::fs;
use std::path::{Path, PathBuf};

use super::RunDir;
use super::error::RunDirError;
use super::names::{Output, PLAN};
use crate::nearest::did_you_mean;

/// Where runs lie where nobody says where.
pub const RESULTS: &str = "results";

/// The folder of the run that is meant: the one at this path, or else the one of this name among the results.
pub fn found(typed: &Path) -> PathBuf {
    let named = Path::new(RESULTS).join(typed);
    if !is_run(typed) && is_run(&named) { named } else { typed.to_owned() }
}

/// The page of the run, the study or the diagnosis that is meant, found in the same way.
///
/// # Errors
/// When there is none.
pub fn found_page(typed: &Path) -> Result<PathBuf, RunDirError> {
    let pages =
        [typed.to_owned(), Path::new(RESULTS).join(typed)].map(|folder| RunDir::new(folder).output(Output::Report));
    let there = pages.into_iter().find(|page| page.is_file());
    there.ok_or_else(|| RunDirError::NoPage { directory: typed.to_owned(), remedy: remedy(typed) })
}

/// The names of the runs in a folder, sorted.
pub fn runs_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let runs = entries.filter(|entry| is_run(&entry.path()));
    let mut names: Vec<_> = runs.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// What to do where there is no run: name one that is there.
pub fn remedy(typed: &Path) -> String {
    let inside = runs_in(typed);
    if !inside.is_empty() {
        let runs: Vec<_> = inside.iter().map(|name| typed.join(name).display().to_string()).collect();
        return format!(
            "name one of the runs in it: {}; moe-sweep ls {} says more of them",
            runs.join(", "),
            typed.display()
        );
    }
    if is_run(typed) {
        return format!("write it: moe-sweep report {}", typed.display());
    }
    let results = runs_in(Path::new(RESULTS));
    let name = typed.file_name().unwrap_or_default().to_string_lossy();
    match did_you_mean(&name, results.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {RESULTS}/{near}?"),
        None => {
            "name the directory of a run, such as results/temperature; one that an older moe-sweep wrote gets this \
                 file when its experiment is run again, which keeps finished trials"
                .to_owned()
        }
    }
}

pub(super) fn is_run(directory: &Path) -> bool {
    directory.join(PLAN).is_file()
}
