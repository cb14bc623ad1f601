//! Is `moe-sweep man`, which prints the program's manual page, or writes those of all commands.

use std::io::{self, Write as _};
use std::path::Path;

use miette::Report;

use super::{Failure, print, tell};
use crate::cli;
use crate::exit_code::ExitCode;
use crate::run_dir::write_whole;

/// Prints the program's page, or writes all pages into a folder.
///
/// # Errors
/// When they can't be written.
pub fn man(out: Option<&Path>) -> Result<ExitCode, Failure> {
    let pages = cli::manual().map_err(|error: io::Error| Failure::internal(Report::msg(error)))?;
    let Some(out) = out else {
        return print(|stdout| pages.first().map_or(Ok(()), |page| stdout.write_all(&page.troff)));
    };
    for page in &pages {
        write_whole(&out.join(&page.file_name), &page.troff)?;
    }
    tell(&format!("wrote {} manual pages to {}; to read one: man -l FILE\n", pages.len(), out.display()))
}
