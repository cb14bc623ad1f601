//! Writes the metrics of texts from anywhere, a row a text: CSV or JSON lines.
//!
//! A missing metric is an empty field or `null`, never 0; a float is the
//! shortest text that reads back the same.

use std::io::{self, Write};

use serde::Serialize;

use crate::metrics::{Metric, Scores, Written, score_head, score_written};
use crate::report::table::Table;
use crate::texts::Text;

/// One text's row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoreRow {
    id: String,
    /// What can't see whether the text repeats itself; see [`Scores::unseen_by`].
    unseen_by: Vec<&'static str>,
    #[serde(flatten)]
    pub scores: Scores,
}

impl ScoreRow {
    /// Scores a text, or its first so many words and tokens.
    pub fn of(Text { id, text, tokens }: Text, first: Option<u32>) -> Self {
        let scores = match first {
            None => score_written(&Written::of(&text, None, None), tokens.as_deref()),
            Some(k) => score_head(&text, tokens.as_deref(), k as usize),
        };
        Self::new(id, scores)
    }

    pub fn new(id: String, scores: Scores) -> Self {
        Self { id, unseen_by: scores.unseen_by().collect(), scores }
    }
}

/// Writes a header, then a line for each row.
///
/// # Errors
/// When `out` can't be written.
pub fn write_csv(rows: &[ScoreRow], out: impl Write) -> io::Result<()> {
    let mut table = Table::new(out);
    table.row(["id", "unseen_by"].into_iter().chain(Metric::ALL.map(Metric::name)))?;
    for ScoreRow { id, unseen_by, scores } in rows {
        let field = |metric| scores.get(metric).map(|value| value.to_string()).unwrap_or_default();
        table.row([id.clone(), unseen_by.join(" ")].into_iter().chain(Metric::ALL.map(field)))?;
    }
    table.flush()
}

/// Writes a JSON object a line for each row.
///
/// # Errors
/// When `out` can't be written.
pub fn write_json_lines(rows: &[ScoreRow], mut out: impl Write) -> io::Result<()> {
    for row in rows {
        serde_json::to_writer(&mut out, row)?;
        writeln!(out)?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::score;

    fn rows() -> Vec<ScoreRow> {
        let row = |id: &str, text, tokens| ScoreRow::new(id.to_owned(), score(text, tokens));
        vec![row("plain", "so so so so", None), row("a, \"b\"", "to be to", Some(&[7, 1, 2, 1, 2, 1][..]))]
    }

    fn written(write: impl FnOnce(&[ScoreRow], &mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&rows(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_has_a_header_and_empty_fields() {
        insta::assert_snapshot!(written(|rows, out| write_csv(rows, out)));
    }

    #[test]
    fn json_has_an_object_a_line_and_nulls() {
        insta::assert_snapshot!(written(|rows, out| write_json_lines(rows, out)));
    }
}
