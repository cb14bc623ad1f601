//! Is `moe-sweep open`, which opens a run's page in the browser.

use std::path::{Path, absolute};

use miette::miette;

use super::{Failure, tell};
use crate::browser;
use crate::cli::OpenArgs;
use crate::exit_code::ExitCode;
use crate::message::say;
use crate::run_dir::{RESULTS, found_page, listed};

/// Opens the page of the run that was typed, or of the one that was written to last.
///
/// # Errors
/// When there is no page.
pub fn open(args: &OpenArgs) -> Result<ExitCode, Failure> {
    let latest = || {
        let newest = listed(Path::new(RESULTS))?.into_iter().next();
        let help = "moe-sweep run EXPERIMENT makes one";
        newest.map(|run| run.path).ok_or_else(|| Failure::bad_setup(miette!(help = help, "no runs in {RESULTS}")))
    };
    let run = args.directory.clone().map_or_else(latest, Ok)?;
    show(&found_page(&run)?)
}

/// Opens a page, or says where it is.
///
/// # Errors
/// When stdout can't be written.
pub fn show(page: &Path) -> Result<ExitCode, Failure> {
    let path = page.display();
    match browser::open(&absolute(page).unwrap_or_else(|_| page.to_owned())) {
        Ok(()) => tell(&format!("opened:  {path}\n")),
        Err(why) => {
            say(&format!("no browser is opened: {why}"));
            let address = browser::address(page).map_or_else(String::new, |address| format!("{address}\n"));
            tell(&format!("{path}\n{address}"))
        }
    }
}
