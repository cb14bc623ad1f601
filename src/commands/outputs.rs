//! Writes the tables, plots and page of a run to its folder, one after the other.

use super::{Failure, and_next};
use crate::exit_code::ExitCode;
use crate::report::next::{Next, Ran, after_run};
use crate::report::outputs::{Item, outputs, summary};
use crate::report::plot::HEADLINE_FIGURE;
use crate::results::Results;
use crate::run_dir::{Output, RunDir};
use crate::screen::{Lines, Volume};
use crate::terminal::volume;

/// What was written of a run, and what to say of it.
pub struct Written {
    pub code: ExitCode,
    pub lines: Lines,
    next: Next,
}

impl Written {
    /// All that is said of it, what helps next last.
    pub fn told(self) -> Lines {
        and_next(self.lines, Some(self.next))
    }
}

/// Writes every table and plot of a run.
///
/// # Errors
/// When a file can't be written.
pub fn write_outputs(directory: &RunDir, results: &Results) -> Result<Written, Failure> {
    directory.clear_left_overs();
    let answer = results.answer();
    outputs::<Failure>(results, &answer, &mut |item| {
        match item {
            Item::File(output, contents) => directory.write(output, contents)?,
            Item::Plot { name, svg, png } => directory.write_plot(name, svg, png)?,
        }
        Ok(())
    })?;
    let code = if results.n_without_score() > 0 { ExitCode::Incomplete } else { ExitCode::Ok };
    let mut lines = summary(results, &answer, volume());
    let (run, page) = (directory.path(), &directory.output(Output::Report));
    if volume() > Volume::Quiet {
        let plot = directory.plot(HEADLINE_FIGURE);
        lines.whole(&format!("results: {}", run.display()));
        lines.whole(&format!("plot:    {}", plot.display()));
        lines.whole(&format!("report:  {}", page.display()));
    }
    let is_shard = results.design.part.is_some();
    let next = after_run(Ran { answer: &answer, run, page, is_shard });
    Ok(Written { code, lines, next })
}
