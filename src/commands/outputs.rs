//! Writes the tables, plots and page of a run to its folder, one after the other.

use std::io::Write as _;

use super::{Failure, print, tell};
use crate::analysis::RunAnswer;
use crate::cli::Printed;
use crate::exit_code::ExitCode;
use crate::report::answer;
use crate::report::outputs::{Item, outputs, summary};
use crate::report::plot::HEADLINE_FIGURE;
use crate::results::Results;
use crate::run_dir::{Output, RunDir};

/// What is said of a run: to a person, or to a program.
#[derive(Default)]
pub struct Told {
    pub text: String,
    pub json: Vec<u8>,
}

impl Told {
    /// What a run has come to so far.
    pub fn of(results: &Results, answer: &RunAnswer) -> Self {
        let (name, question) = (&results.design.name, results.design.question.as_deref());
        let mut json = Vec::new();
        answer::write(answer, name, question, &mut json).expect("writing to memory does not fail");
        Self { text: summary(results, answer), json }
    }

    pub fn say(&self, printed: Printed) -> Result<(), Failure> {
        if printed.json {
            print(|out| out.write_all(&self.json))?
        } else {
            tell(&self.text)?
        };
        Ok(())
    }
}

/// Writes every table and plot of a run; returns the exit code, and what to say of it.
///
/// # Errors
/// When a file can't be written.
pub fn write_outputs(directory: &RunDir, results: &Results) -> Result<(ExitCode, Told), Failure> {
    directory.clear_left_overs();
    let answer = results.answer();
    outputs::<Failure>(results, &answer, &mut |item| {
        match item {
            Item::File(output, contents) => directory.write(output, contents)?,
            Item::Plot { name, svg, png } => directory.write_plot(name, svg, png)?,
        }
        Ok(())
    })?;
    let mut told = Told::of(results, &answer);
    let (run, plot, page) =
        (directory.path().display(), directory.plot(HEADLINE_FIGURE), directory.output(Output::Report));
    told.text += &format!("results: {run}\nplot:    {}\nreport:  {}\n", plot.display(), page.display());
    let code = if results.n_without_score() > 0 { ExitCode::Incomplete } else { ExitCode::Ok };
    Ok((code, told))
}
