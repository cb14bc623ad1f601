//! Makes the page of an experiment that is no sweep: what was asked, its figures, its tables, where they come from. It
//! has no script.

use csv::ReaderBuilder;
use maud::{Markup, html};

use super::provenance::Facts;
use super::sections::{inlined, list};
use super::unscripted::unscripted;
use super::words;
use crate::report::plot::Figure;

/// What the page shows.
#[derive(Clone, Copy, Debug)]
pub struct Findings<'a> {
    pub name: &'a str,
    pub question: Option<&'a str>,
    /// What must be known to read the results rightly.
    pub notes: &'a [String],
    pub figures: &'a [Figure],
    /// Title, file name and contents (CSV with a header) of each.
    pub tables: &'a [(&'a str, &'a str, &'a [u8])],
    pub facts: &'a [Facts],
}

/// The page, a whole document.
pub fn findings_page(findings: &Findings<'_>) -> String {
    unscripted(
        findings.name,
        &html! {
            header {
                h1 { (findings.name) }
                @if let Some(question) = findings.question { p.question { (question) } }
                @for note in findings.notes { p.caveat { (words::sentence(note)) } }
            }
            main #main {
                section #figures aria-labelledby="figures-title" {
                    h2 #figures-title { "Figures" }
                    @for figure in findings.figures { (inlined(figure, &figure.name)) }
                }
                section #tables aria-labelledby="tables-title" {
                    h2 #tables-title { "Tables" }
                    p.small { "Intervals are at 95 %, over prompts. All columns are explained in docs/mechanism.md." }
                    @for (title, name, csv) in findings.tables { (table(title, name, csv)) }
                }
                section #provenance aria-labelledby="provenance-title" {
                    h2 #provenance-title { "Where the numbers come from" }
                    @for facts in findings.facts { (list(facts)) }
                }
            }
        },
    )
}

/// A table as its file has it, numbers in few digits, without the apostrophes that spreadsheets need.
fn table(title: &str, name: &str, csv: &[u8]) -> Markup {
    let mut reader = ReaderBuilder::new().has_headers(true).from_reader(csv);
    let header: Vec<String> = reader.headers().expect("we wrote it").iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| row.expect("we wrote it"));
    html! {
        h3 { (title) }
        div.scroll tabindex="0" role="region" aria-label=(title) {
            table {
                thead { tr { @for name in &header { th scope="col" { (name.replace('_', " ")) } } } }
                tbody { @for row in rows { tr { @for field in &row { (cell(field)) } } } }
            }
        }
        p.small { "As " code { (name) } "." }
    }
}

fn cell(field: &str) -> Markup {
    match field.parse::<f64>() {
        Ok(number) => html! { td.number { (short(number, field)) } },
        Err(_) => html! { td { (field.strip_prefix('\'').unwrap_or(field)) } },
    }
}

/// Short ones as they are, others in four digits.
fn short(number: f64, written: &str) -> String {
    match number.abs() {
        _ if written.len() <= 6 => written.to_owned(),
        size if (0.001..10_000.0).contains(&size) => format!("{number:.4}"),
        _ => format!("{number:.2e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_figures_and_tables_asks_for_nothing_and_runs_nothing() {
        let csv = b"model,kl,n\n<script>alert(1)</script>,0.000123456,24\n";
        let findings = Findings {
            name: "x",
            question: Some("Why & how?"),
            notes: &["a note".to_owned()],
            figures: &[],
            tables: &[("A table", "x.csv", csv)],
            facts: &[Facts { title: "m".to_owned(), facts: vec![("engine", "e".to_owned())] }],
        };
        let page = findings_page(&findings);
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;alert(1)"));
        assert!(page.contains("Why &amp; how?") && page.contains("1.23e-4") && page.contains(">24<"));
        assert!(page.contains("default-src 'none'"));
    }
}
