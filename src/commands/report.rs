//! Is `moe-sweep report`, which makes everything that a run writes anew from its journal.

use super::outputs::write_outputs;
use super::{Failure, tell, trust};
use crate::cli::{Paper, ReportArgs};
use crate::exit_code::ExitCode;
use crate::journal::Hold;
use crate::report::former::Former;
use crate::report::outputs::{paper_figures, summary};
use crate::report::plot::{Heading, Layout, Width};
use crate::results::Results;
use crate::run_dir::{Output, RunDir, found};
use crate::screen::Lines;
use crate::terminal::volume;

pub fn report(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let (directory, trust) = (RunDir::new(found(&args.directory)), trust(args.custody));
    // Held to the end: two writers would mix their tables.
    let hold = directory.hold();
    if let Hold::InUse = hold {
        let results = Results::from(directory.read(trust)?);
        let mut so_far = summary(&results, &results.answer(), volume());
        so_far.text("", "nothing is written: the run that goes on writes these files when it ends");
        tell(so_far)?;
        return Ok(ExitCode::Incomplete);
    }
    let results = Results::from(directory.read_held(trust)?);
    let former = directory.read_output(Output::Verdicts).and_then(|json| Former::read(&json));
    let mut written = write_outputs(&directory, &results)?;
    written.lines.append(Lines::from(&write_paper(&directory, &results, args.paper)?));
    if let Some(note) = former.and_then(|former| former.note(&results.analysis.verdicts)) {
        written.lines.text("note: ", &note);
    }
    let code = written.code;
    tell(written.told())?;
    Ok(code)
}

/// Writes the figures for a paper where they are asked for; returns what to say of them.
fn write_paper(directory: &RunDir, results: &Results, paper: Paper) -> Result<String, Failure> {
    if paper.figure_width.is_none() && !paper.no_title {
        return Ok(String::new());
    }
    let layout = Layout {
        width: paper.figure_width.map_or(Width::Natural, Width::Millimetres),
        heading: if paper.no_title { Heading::LeftOut } else { Heading::Drawn },
    };
    for figure in paper_figures(results, layout)? {
        directory.write_paper(&figure.name, "svg", figure.svg.as_bytes())?;
    }
    Ok(format!("figures: {}\n", directory.paper().display()))
}
