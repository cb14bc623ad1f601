//! Shows two runs beside each other, in words and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::analysis::{Comparison, Parted, Row};
use crate::metrics::Metric;
use crate::screen::Lines;
use crate::stats::{Interval, Measured};

/// What was compared, in words.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    pub a: &'a str,
    pub b: &'a str,
    pub metric: &'a str,
    /// What must be known to read the comparison rightly.
    pub notes: &'a [String],
}

/// The comparison in the shape in which `--json` prints it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Answer<'a> {
    pub a: &'a str,
    pub b: &'a str,
    pub metric: Metric,
    #[serde(flatten)]
    pub comparison: &'a Comparison,
    pub notes: &'a [String],
}

/// The comparison on the terminal.
pub fn text(comparison: &Comparison, About { a, b, metric, notes }: About<'_>) -> Lines {
    let mut out = Lines::default();
    out.text("", &format!("{metric} of B, {b}, less A, {a}; paired by cell, prompt and seed"));
    for row in &comparison.rows {
        out.heading(&row.cell.to_string());
        out.text("  ", &scores(row));
        out.text("  ", &texts(row));
    }
    if comparison.rows.is_empty() {
        out.text("", "they have no text of the same cell, prompt and seed");
    }
    for (count, run) in [(comparison.only_in_a, "A"), (comparison.only_in_b, "B")] {
        if count > 0 {
            out.text("note: ", &format!("{count} texts only {run} has are not compared"));
        }
    }
    for note in notes {
        out.text("note: ", note);
    }
    out
}

fn scores(row: &Row) -> String {
    let (Some(a), Some(b)) = (row.mean_a, row.mean_b) else { return "no text has a score in both".to_owned() };
    let mut words = format!("A {a:.3}  B {b:.3}");
    match (row.difference, row.p_holm) {
        (Some(Measured { estimate, interval: Some(Interval { low, high, .. }), .. }), Some(p)) => {
            let _ = write!(words, "  difference {estimate:.3} [{low:.3}, {high:.3}], p {p:.4}");
        }
        _ => words += "  too few prompts for an interval",
    }
    if row.n_scored < row.n_paired {
        let _ = write!(words, ", of the {} texts with a score in both", row.n_scored);
    }
    words
}

/// How many of a cell's texts are the same in both runs, and where the others part.
pub(super) fn texts(row: &Row) -> String {
    let mut words = format!("{} of {} texts identical", row.n_identical, row.n_paired);
    if row.n_end_unknown > 0 {
        let _ = write!(words, " (of {} a server does not say why they ended)", row.n_end_unknown);
    }
    for Parted { unit, n, median, least, most } in &row.parted {
        let verb = if *n == 1 { "parts" } else { "part" };
        let _ = write!(words, ", {n} {verb} after {median} {unit} ({least} to {most})");
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Unit;
    use crate::domain::{Cell, Temperature};

    fn row() -> Row {
        let cell = Cell::usual("tiny", "pure", Temperature::new(0.5).unwrap());
        Row {
            cell,
            n_paired: 4,
            n_identical: 1,
            n_end_unknown: 0,
            parted: vec![
                Parted { unit: Unit::Tokens, n: 2, median: 12.5, least: 12, most: 13 },
                Parted { unit: Unit::Characters, n: 1, median: 3.0, least: 3, most: 3 },
            ],
            n_scored: 4,
            mean_a: Some(0.25),
            mean_b: Some(0.5),
            difference: None,
            p_holm: None,
        }
    }

    #[test]
    fn the_unit_is_said() {
        let expected =
            "1 of 4 texts identical, 2 part after 12.5 tokens (12 to 13), 1 parts after 3 characters (3 to 3)";
        assert_eq!(texts(&row()), expected);
    }

    #[test]
    fn what_is_missing_is_said_and_never_zero() {
        let fewer = Row { n_scored: 2, ..row() };
        assert_eq!(
            scores(&fewer),
            "A 0.250  B 0.500  too few prompts for an interval, of the 2 texts with a score in both"
        );
        assert_eq!(scores(&Row { n_scored: 0, mean_a: None, mean_b: None, ..row() }), "no text has a score in both");
        let unknown = Row { n_identical: 4, n_end_unknown: 4, parted: vec![], ..row() };
        assert_eq!(texts(&unknown), "4 of 4 texts identical (of 4 a server does not say why they ended)");
    }
}
