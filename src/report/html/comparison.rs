//! Makes the page of two runs beside each other: what differs first, then every cell, the greatest difference first.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::unscripted::unscripted;
use super::words;
use crate::analysis::{Comparison, Row};
use crate::report::comparison::{About, texts};

/// Differences are called shown at this level, after Holm's correction over the cells.
const ALPHA: f64 = 0.05;

/// The page, a whole document.
pub fn comparison_page(comparison: &Comparison, about: About<'_>) -> String {
    let mut rows: Vec<&Row> = comparison.rows.iter().collect();
    // Millionths are enough to order by; rows without a difference come last.
    rows.sort_by_key(|row| Reverse(row.difference.map(|by| (by.estimate.abs() * 1e6) as u64)));
    let About { a, b, metric, notes } = about;
    unscripted(
        &format!("{a} and {b}"),
        &html! {
            header {
                h1 { (headline(comparison, metric)) }
                dl { dt { "A" } dd { (a) } dt { "B" } dd { (b) } }
                p.facts { "Texts are paired by cell, prompt and seed." }
                @for (count, run) in [(comparison.only_in_a, "A"), (comparison.only_in_b, "B")] {
                    @if count > 0 { p.caveat { (count) " texts that only " (run) " has are not compared." } }
                }
                @for note in notes { p.caveat { (words::sentence(note)) } }
            }
            main #main {
                section #cells aria-labelledby="cells-title" {
                    h2 #cells-title { "Cell by cell" }
                    div.scroll tabindex="0" role="region" aria-label="Cells" { (table(&rows, metric)) }
                    p.small {
                        "The largest difference first. Intervals are at 95 %, over prompts; p is after Holm’s \
                         correction over the cells."
                    }
                }
            }
        },
    )
}

/// What is shown to differ, in a sentence.
fn headline(comparison: &Comparison, metric: &str) -> String {
    let shown = |row: &&Row| row.p_holm.is_some_and(|p| p <= ALPHA);
    let signs = || comparison.rows.iter().filter(shown).filter_map(|row| Some(row.difference?.estimate));
    let (higher, lower) = (signs().filter(|&by| by > 0.0).count(), signs().filter(|&by| by < 0.0).count());
    let paired: usize = comparison.rows.iter().map(|row| row.n_paired).sum();
    let identical: usize = comparison.rows.iter().map(|row| row.n_identical).sum();
    match (paired, higher + lower) {
        (0, _) => "No texts have the same cell, prompt and seed in both runs".to_owned(),
        (paired, _) if paired == identical => format!("All {paired} texts are identical"),
        (_, 0) => format!("{metric} is not shown to differ in any of {} cells", comparison.rows.len()),
        _ => format!("{metric} is higher in B in {higher} of {} cells, lower in {lower}", comparison.rows.len()),
    }
}

fn table(rows: &[&Row], metric: &str) -> Markup {
    let mean = |mean: Option<f64>| mean.map_or(words::MISSING.to_owned(), words::number);
    html! {
        table {
            caption { "Mean " (metric) " of each run, and B minus A" }
            thead { tr { @for name in ["cell", "A", "B", "difference", "interval", "p", "texts"] { th scope="col" { (name) } } } }
            tbody {
                @for row in rows {
                    tr {
                        th scope="row" { (row.cell) }
                        td.number { (mean(row.mean_a)) }
                        td.number { (mean(row.mean_b)) }
                        td.number { (mean(row.difference.map(|by| by.estimate))) }
                        td.number { (row.difference.and_then(|by| by.interval).map_or("too few prompts".to_owned(), words::range)) }
                        td.number { (row.p_holm.map_or(words::MISSING.to_owned(), words::p_value)) }
                        td { (texts(row)) }
                    }
                }
            }
        }
    }
}
