//! Makes the page of a gate's outcome: the outcome first, then every unit, those that did not pass first.

use maud::{Markup, html};

use super::unscripted::unscripted;
use super::words;
use crate::check::{Gate, GateStatus, Verdict};
use crate::report::gate::{About, headline, in_words, quoted, sentence};

/// The page, a whole document.
pub fn gate_page(gate: &Gate, about: &About<'_>) -> String {
    let of = |outcome| gate.shown().filter(move |verdict: &&Verdict| verdict.outcome == outcome);
    let verdicts = [GateStatus::Fail, GateStatus::Inconclusive, GateStatus::Pass].into_iter().flat_map(of);
    unscripted(
        &format!("{}: {}", about.experiment, gate.outcome),
        &html! {
            header {
                h1 { (words::sentence(&headline(gate, about.metric))) }
                @if let Some(worst) = about.worst { blockquote { (quoted(worst)) } }
                p { (words::sentence(&sentence(gate, about))) }
                @for note in about.notes { p.caveat { (words::sentence(note)) } }
            }
            main #main {
                section #units aria-labelledby="units-title" {
                    h2 #units-title { "What was compared with the baseline" }
                    div.scroll tabindex="0" role="region" aria-label="Units" { (table(verdicts)) }
                    p.small { "Worse by: the run minus the baseline, with its interval." }
                }
            }
        },
    )
}

fn table<'a>(verdicts: impl Iterator<Item = &'a Verdict>) -> Markup {
    html! {
        table {
            thead { tr { @for name in ["unit", "outcome", "finding"] { th scope="col" { (name) } } } }
            tbody {
                @for verdict in verdicts {
                    tr {
                        th scope="row" { (verdict.unit) }
                        td { (outcome(verdict.outcome)) }
                        td { (in_words(verdict)) }
                    }
                }
            }
        }
    }
}

/// In words, with a sign of its own: colour is not needed to tell them apart.
fn outcome(outcome: GateStatus) -> Markup {
    let sign = match outcome {
        GateStatus::Pass => "✓",
        GateStatus::Fail => "✗",
        GateStatus::Inconclusive => "~",
    };
    html! { span.outcome { span aria-hidden="true" { (sign) " " } (outcome) } }
}
