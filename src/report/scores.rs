//! The metrics of texts from anywhere, a row a text: CSV or JSON lines.
//!
//! A missing metric is an empty field or `null`, never 0; a float is the
//! shortest text that reads back the same.

use std::io::{self, Write};

use ::csv::Writer;
use serde::Serialize;

use crate::metrics::{Metric, Scores};

/// One text's row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoreRow {
    pub id: String,
    #[serde(flatten)]
    pub scores: Scores,
}

/// Writes a header, then a line for each row.
///
/// # Errors
/// When `out` can't be written.
pub fn write_csv(rows: &[ScoreRow], out: impl Write) -> io::Result<()> {
    let mut csv = Writer::from_writer(out);
    csv.write_record(["id"].into_iter().chain(Metric::ALL.map(Metric::name)))?;
    for ScoreRow { id, scores } in rows {
        let field = |metric| scores.get(metric).map(|value| value.to_string()).unwrap_or_default();
        csv.write_record([id.clone()].into_iter().chain(Metric::ALL.map(field)))?;
    }
    csv.flush()
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
        let row = |id: &str, text, tokens| ScoreRow { id: id.to_owned(), scores: score(text, tokens) };
        vec![row("plain", "so so so so", None), row("a, \"b\"", "to be to", Some(&[7, 1, 2, 1, 2, 1][..]))]
    }

    fn written(write: impl FnOnce(&[ScoreRow], &mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&rows(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_has_a_header_and_empty_fields() {
        insta::assert_snapshot!(written(|rows, out| write_csv(rows, out)), @r#"
        id,repetition_score,seq_rep_1_words,seq_rep_2_words,seq_rep_3_words,seq_rep_4_words,seq_rep_1_tokens,seq_rep_2_tokens,seq_rep_3_tokens,seq_rep_4_tokens,tail_period,tail_copies,tail_onset,tail_share
        plain,0.5,0.75,0.6666666666666666,0.5,0,,,,,,,,
        "a, ""b""",0,0.3333333333333333,0,0,,0.5,0.4,0.25,0,2,2.5,1,0.8333333333333334
        "#);
    }

    #[test]
    fn json_has_an_object_a_line_and_nulls() {
        insta::assert_snapshot!(written(|rows, out| write_json_lines(rows, out)), @r#"
        {"id":"plain","repetition_score":0.5,"seq_rep_1_words":0.75,"seq_rep_2_words":0.6666666666666666,"seq_rep_3_words":0.5,"seq_rep_4_words":0.0,"seq_rep_1_tokens":null,"seq_rep_2_tokens":null,"seq_rep_3_tokens":null,"seq_rep_4_tokens":null,"tail_period":null,"tail_copies":null,"tail_onset":null,"tail_share":null}
        {"id":"a, \"b\"","repetition_score":0.0,"seq_rep_1_words":0.3333333333333333,"seq_rep_2_words":0.0,"seq_rep_3_words":0.0,"seq_rep_4_words":null,"seq_rep_1_tokens":0.5,"seq_rep_2_tokens":0.4,"seq_rep_3_tokens":0.25,"seq_rep_4_tokens":0.0,"tail_period":2.0,"tail_copies":2.5,"tail_onset":1.0,"tail_share":0.8333333333333334}
        "#);
    }
}
