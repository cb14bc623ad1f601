//! Is `moe-sweep report`, which makes everything that a run writes anew from its journal.

use super::outputs::{Told, write_outputs};
use super::{Failure, open, trust};
use crate::cli::{Paper, ReportArgs};
use crate::exit_code::ExitCode;
use crate::journal::Hold;
use crate::plain::neutralise;
use crate::report::former::Former;
use crate::report::outputs::paper_figures;
use crate::report::plot::{Heading, Layout, Width};
use crate::results::Results;
use crate::run_dir::{Output, RunDir, found};

pub fn report(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let (directory, trust) = (RunDir::new(found(&args.directory)), trust(args.custody));
    // Held to the end: two writers would mix their tables.
    let hold = directory.hold();
    if let Hold::InUse = hold {
        let results = Results::from(directory.read(trust)?);
        let mut told = Told::of(&results, &results.answer());
        told.text += "nothing is written: the run that goes on writes these files when it ends\n";
        told.say(args.printed)?;
        return Ok(ExitCode::Incomplete);
    }
    let results = Results::from(directory.read_held(trust)?);
    let former = directory.read_output(Output::Verdicts).and_then(|json| Former::read(&json));
    let (code, mut told) = write_outputs(&directory, &results)?;
    told.text += &write_paper(&directory, &results, args.paper)?;
    if let Some(note) = former.and_then(|former| former.note(&results.analysis.verdicts)) {
        told.text += &format!("note: {}\n", neutralise(&note));
    }
    told.say(args.printed)?;
    if args.open {
        open::show(&directory.output(Output::Report))?;
    }
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
