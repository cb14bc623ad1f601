//! The tables, plots and page of a run.

use std::io;
use std::path::Path;

use super::finished::Finished;
use super::folder::{clear_left_overs, write_whole};
use super::provenance::provenance;
use super::timings::{timings, work, work_in_words};
use super::{Failure, placement, plain};
use crate::analysis::{HostExperts, TrialResult};
use crate::exit_code::ExitCode;
use crate::report::csv;
use crate::report::html::{self, Report};
use crate::report::plot::{Caption, HEADLINE_FIGURE, figures};
use crate::report::{terminal, verdicts};

/// What a finished run says on stdout, and its exit code.
pub struct Summary {
    pub text: String,
    pub code: ExitCode,
}

/// Writes every table and plot of a run.
///
/// # Errors
/// When a file can't be written.
pub fn write_outputs(directory: &Path, finished: &Finished) -> Result<Summary, Failure> {
    let Finished { design, manifest, contents, analysis, .. } = finished;
    clear_left_overs(directory);
    write_table(directory, "trials.csv", |out| {
        csv::write_trials(analysis, &design.prompts, |trial| design.draw_seed(trial), out)
    })?;
    write_table(directory, "cells.csv", |out| csv::write_cells(analysis, out))?;
    write_table(directory, "onset.csv", |out| csv::write_onsets(analysis, out))?;
    if analysis.trials.iter().any(|scored| scored.apart.is_some()) {
        write_table(directory, "parts.csv", |out| csv::write_parts(analysis, out))?;
    }
    if let Some(sequential) = &analysis.sequential {
        write_table(directory, "sequential.csv", |out| csv::write_looks(sequential, out))?;
    }
    let work = work(analysis, contents, manifest);
    write_table(directory, "timings.csv", |out| csv::write_timings(timings(analysis, contents, manifest, &work), out))?;

    write_table(directory, "verdicts.json", |out| {
        verdicts::write(&design.name, design.question.as_deref(), analysis, out)
    })?;

    let caption = Caption { experiment: &design.name, note: design.caveat.as_deref() };
    let figures = figures(analysis, caption).map_err(|error| Failure::internal(plain(error)))?;
    for figure in &figures {
        let png = figure.png().map_err(|error| Failure::internal(plain(error)))?;
        let plots = directory.join("plots");
        write_whole(&plots.join(&figure.name).with_extension("svg"), figure.svg.as_bytes())?;
        write_whole(&plots.join(&figure.name).with_extension("png"), &png)?;
    }
    let notes = notes(finished);
    let provenance = provenance(design, manifest);
    let page = html::page(&Report { design, notes: &notes, analysis, figures: &figures, provenance: &provenance });
    write_whole(&directory.join("report.html"), page.as_bytes())?;

    let mut summary = summary(finished);
    let directory = directory.display();
    summary.text += &format!(
        "results: {directory}\nplot:    {directory}/plots/{HEADLINE_FIGURE}.png\nreport:  {directory}/report.html\n"
    );
    Ok(summary)
}

/// What a run came to, or what it has come to so far; writes nothing.
pub fn summary(finished: &Finished) -> Summary {
    let Finished { manifest, contents, analysis, .. } = finished;
    let incomplete = analysis.trials.iter().any(|trial| !matches!(trial.result, TrialResult::Scored { .. }));
    let mut text = terminal::summary(analysis, &notes(finished));
    text += &work_in_words(&work(analysis, contents, manifest));
    text += &placement::in_words(manifest);
    Summary { text, code: if incomplete { ExitCode::Incomplete } else { ExitCode::Ok } }
}

/// What must be known to read the results rightly.
fn notes(Finished { custody, design, manifest, contents, analysis }: &Finished) -> Vec<String> {
    let part = Vec::from_iter(design.part_note());
    let host_experts = placement::host_experts(manifest, contents.records.len());
    let taken_over = host_experts.iter().filter_map(HostExperts::note).collect();
    [custody.clone(), design.notes.clone(), part, manifest.warnings(), taken_over, analysis.notes.clone()].concat()
}

pub(super) fn write_table(
    directory: &Path,
    name: &str,
    write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut table = Vec::new();
    write(&mut table).expect("writing to memory does not fail");
    write_whole(&directory.join(name), &table)
}
