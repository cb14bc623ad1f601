//! Is `moe-sweep score`, which computes the metrics of texts from anywhere.

use std::io::{self, Read, Write as _};
use std::path::Path;

use rayon::prelude::*;

use super::{Failure, print};
use crate::analysis::Blindness;
use crate::cli::ScoreArgs;
use crate::exit_code::ExitCode;
use crate::message::warn;
use crate::metrics::Metric;
use crate::plain::{neutralise, neutralise_lines};
use crate::regular_file;
use crate::report::scores::{ScoreRow, write_csv, write_json_lines};
use crate::texts::{Shape, Texts, Unreadable, texts};

/// Reads every text before it prints the first row, so that bad input prints
/// nothing but its error.
///
/// # Errors
/// When an input can't be read or understood, or stdout can't be written.
pub fn score(args: &ScoreArgs) -> Result<ExitCode, Failure> {
    let read = args.inputs.iter().map(|input| read(input, args)).collect::<Result<Vec<_>, Failure>>()?;
    for note in read.iter().flat_map(|Texts { notes, .. }| notes) {
        warn(&format!("note: {}", neutralise(note)));
    }
    let texts: Vec<_> = read.into_iter().flat_map(|Texts { texts, .. }| texts).collect();
    let rows: Vec<_> = texts.into_par_iter().map(|text| ScoreRow::of(text, args.first)).collect();
    let blind = Blindness::of_scores(Metric::RepetitionScore, rows.iter().map(|row| &row.scores));
    if blind.n_unseen > 0 {
        warn(&format!("note: {blind}"));
    }
    if args.json {
        return print(|out| write_json_lines(&rows, out));
    }
    print(|out| {
        let mut table = Vec::new();
        write_csv(&rows, &mut table)?;
        // It may well go to a terminal; an id with control characters is whole with --json.
        out.write_all(neutralise_lines(&String::from_utf8_lossy(&table)).as_bytes())
    })
}

fn read(input: &Path, args: &ScoreArgs) -> Result<Texts, Failure> {
    let (name, bytes) = match input.to_str() {
        Some("-") => ("stdin".to_owned(), read_stdin()),
        _ => (input.display().to_string(), regular_file::read(input)),
    };
    let bytes = bytes.map_err(|source| Unreadable { input: name.clone(), source })?;
    Ok(texts(&name, &bytes, shape(input, args))?)
}

fn read_stdin() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
}

/// What the options say, or else the file's name.
fn shape<'a>(input: &Path, args: &'a ScoreArgs) -> Shape<'a> {
    let field = args.field.as_deref();
    if args.lines {
        Shape::Lines
    } else if args.jsonl {
        Shape::JsonLines { field: field.unwrap_or(Shape::FIELD) }
    } else {
        Shape::of(input, field)
    }
}
