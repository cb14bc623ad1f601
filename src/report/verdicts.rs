//! Writes `verdicts.json`: hypotheses and what became of them, and what explains the variation.

use std::io::{self, Write};

use serde::Serialize;

use crate::analysis::{Analysis, Attribution, RULES, Verdict};

/// The version of the file's shape.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct File<'a> {
    schema: u32,
    /// Which rules decided: [`RULES`].
    rules: u32,
    experiment: &'a str,
    question: Option<&'a str>,
    verdicts: &'a [Verdict],
    /// `null` where fewer than two factors vary, or a note says why.
    attribution: Option<&'a Attribution>,
    notes: &'a [String],
}

/// # Errors
/// When `out` can't be written.
pub fn write(experiment: &str, question: Option<&str>, analysis: &Analysis, mut out: impl Write) -> io::Result<()> {
    let Analysis { verdicts, attribution, notes, .. } = analysis;
    let file =
        File { schema: SCHEMA, rules: RULES, experiment, question, verdicts, attribution: attribution.as_ref(), notes };
    serde_json::to_writer_pretty(&mut out, &file)?;
    writeln!(out)
}
