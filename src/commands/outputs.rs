//! Writes the tables, plots and page of a run to its folder, one after the other.

use super::Failure;
use crate::exit_code::ExitCode;
use crate::report::outputs::{Item, outputs, summary};
use crate::report::plot::HEADLINE_FIGURE;
use crate::results::Results;
use crate::run_dir::{Output, RunDir};

/// Writes every table and plot of a run; returns the exit code, and what to say of it.
///
/// # Errors
/// When a file can't be written.
pub fn write_outputs(directory: &RunDir, results: &Results) -> Result<(ExitCode, String), Failure> {
    directory.clear_left_overs();
    let answer = results.answer();
    outputs::<Failure>(results, &answer, &mut |item| {
        match item {
            Item::File(output, contents) => directory.write(output, contents)?,
            Item::Plot { name, svg, png } => directory.write_plot(name, svg, png)?,
        }
        Ok(())
    })?;
    let mut text = summary(results, &answer);
    let (run, plot, page) =
        (directory.path().display(), directory.plot(HEADLINE_FIGURE), directory.output(Output::Report));
    text += &format!("results: {run}\nplot:    {}\nreport:  {}\n", plot.display(), page.display());
    let code = if results.n_without_score() > 0 { ExitCode::Incomplete } else { ExitCode::Ok };
    Ok((code, text))
}
