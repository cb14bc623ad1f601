//! Is `moe-sweep report`, which makes everything that a run writes again from its journal.

use super::outputs::write_outputs;
use super::{Failure, tell, trust};
use crate::cli::{Paper, ReportArgs};
use crate::exit_code::ExitCode;
use crate::journal::Hold;
use crate::plain::neutralise;
use crate::report::former::Former;
use crate::report::outputs::{paper_figures, summary};
use crate::report::plot::{Heading, Layout, Width};
use crate::results::Results;
use crate::run_dir::{Output, RunDir, found};

pub fn report(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let (directory, trust) = (RunDir::new(found(&args.directory)), trust(args.custody));
    // Held to the end: two writers would mix their tables.
    let hold = directory.hold();
    if let Hold::InUse = hold {
        let results = Results::from(directory.read(trust)?);
        let so_far = summary(&results, &results.answer());
        tell(&format!("{so_far}no files are written: the run in progress writes them when it ends\n"))?;
        return Ok(ExitCode::Incomplete);
    }
    let results = Results::from(directory.read_held(trust)?);
    let former = directory.read_output(Output::Verdicts).and_then(|json| Former::read(&json));
    let (code, text) = write_outputs(&directory, &results)?;
    let text = text + &write_paper(&directory, &results, args.paper)?;
    let note = former.and_then(|former| former.note(&results.analysis.verdicts));
    tell(&(text + &note.map_or_else(String::new, |note| format!("note: {}\n", neutralise(&note)))))?;
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
