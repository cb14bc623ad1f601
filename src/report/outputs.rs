//! Everything that is written of a run when it has ended, in the order in which it is written.

use std::io;

use super::plot::{self, Caption, Figure, Layout, PlotError, page_figures};
use super::provenance::provenance;
use super::timings::{timings, work_in_words};
use super::{answer, csv, html, placement, served, terminal, verdicts};
use crate::analysis::RunAnswer;
use crate::results::{Results, work};
use crate::run_dir::Output;
use crate::screen::{Lines, Volume};

/// One thing to write.
pub enum Item<'a> {
    File(Output, &'a [u8]),
    /// A figure in both of its forms.
    Plot {
        name: &'a str,
        svg: &'a str,
        png: &'a [u8],
    },
}

/// Makes every table and plot of a run, and its page, and gives each to `put` when it is made: of a large run they need
/// not be in memory together. `answer` is that of the run.
///
/// # Errors
/// When a figure can't be drawn, or `put` fails.
pub fn outputs<E: From<PlotError>>(
    results: &Results,
    answer: &RunAnswer,
    put: &mut dyn FnMut(Item<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let Results { design, manifest, contents, analysis, .. } = results;
    let mut table = |output, write: &dyn Fn(&mut Vec<u8>) -> io::Result<()>| {
        let mut table = Vec::new();
        write(&mut table).expect("writing to memory does not fail");
        put(Item::File(output, &table))
    };
    table(Output::Trials, &|out| csv::write_trials(analysis, &design.prompts, |trial| design.draw_seed(trial), out))?;
    table(Output::Cells, &|out| csv::write_cells(analysis, out))?;
    table(Output::Onset, &|out| csv::write_onsets(analysis, out))?;
    if analysis.trials.iter().any(|scored| scored.apart.is_some()) {
        table(Output::Parts, &|out| csv::write_parts(analysis, out))?;
    }
    if let Some(sequential) = &analysis.sequential {
        table(Output::Looks, &|out| csv::write_looks(sequential, out))?;
    }
    let work = work(design, analysis, contents, manifest);
    table(Output::Timings, &|out| csv::write_timings(timings(analysis, contents, manifest, &work), out))?;
    table(Output::Verdicts, &|out| verdicts::write(&design.name, design.question.as_deref(), analysis, out))?;
    table(Output::Answer, &|out| answer::write(answer, &design.name, design.question.as_deref(), out))?;

    let caption = Caption { experiment: &design.name, note: design.caveat.as_deref(), layout: Layout::NATURAL };
    let figures = plot::figures(analysis, caption)?;
    for figure in &figures {
        put(Item::Plot { name: &figure.name, svg: &figure.svg, png: &figure.png()? })?;
    }
    let (notes, provenance) = (results.notes(), provenance(design, manifest));
    let shown = page_figures(analysis, &design.name)?;
    let page = html::page(&html::Report {
        design,
        said: &answer::said(answer, &design.name),
        notes: &notes,
        analysis,
        figures: &figures,
        shown: &shown,
        provenance: &provenance,
    });
    put(Item::File(Output::Report, page.as_bytes()))
}

/// The figures of a run for a paper, laid out as asked.
///
/// # Errors
/// When a figure can't be drawn.
pub fn paper_figures(results: &Results, layout: Layout) -> Result<Vec<Figure>, PlotError> {
    let Results { design, analysis, .. } = results;
    plot::figures(analysis, Caption { experiment: &design.name, note: design.caveat.as_deref(), layout })
}

/// What a run came to, or what it has come to so far, for the terminal.
pub fn summary(results: &Results, answer: &RunAnswer, volume: Volume) -> Lines {
    let Results { design, manifest, contents, analysis, .. } = results;
    let said = answer::said(answer, &design.name);
    if volume == Volume::Quiet {
        return terminal::answer(&said);
    }
    let mut lines = terminal::summary(&said, analysis, &results.notes());
    lines.append(served::in_words(manifest));
    if volume == Volume::Verbose {
        lines.prose(&work_in_words(&work(design, analysis, contents, manifest)));
        lines.append(placement::in_words(manifest));
    }
    lines
}
