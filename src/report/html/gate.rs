//! Makes the page of a gate's outcome: the outcome first, then every unit, those that did not pass first.

use maud::{Markup, html};

use super::unscripted::unscripted;
use super::words;
use crate::check::{Gate, GateStatus, Verdict};
use crate::report::gate::{About, in_words, sentence};

/// The page, a whole document.
pub fn gate_page(gate: &Gate, about: &About<'_>) -> String {
    let of = |outcome| gate.shown().filter(move |verdict: &&Verdict| verdict.outcome == outcome);
    let verdicts = [GateStatus::Fail, GateStatus::Inconclusive, GateStatus::Pass].into_iter().flat_map(of);
    unscripted(
        &format!("{}: {}", about.experiment, gate.outcome),
        &html! {
            header {
                h1 { (headline(gate, about)) }
                p { (words::sentence(&sentence(gate, about))) }
                @for note in about.notes { p.caveat { (words::sentence(note)) } }
            }
            main #main {
                section #units aria-labelledby="units-title" {
                    h2 #units-title { "What was held against the baseline" }
                    div.scroll tabindex="0" role="region" aria-label="Units" { (table(verdicts)) }
                    p.small { "Worse by: the run less the baseline, with its interval." }
                }
            }
        },
    )
}

/// What the outcome means, in a sentence.
fn headline(gate: &Gate, About { experiment, metric, .. }: &About<'_>) -> String {
    let margin = gate.rule.margin;
    match gate.outcome {
        GateStatus::Pass => format!("{experiment} passes: {metric} is not worse than the baseline by {margin}"),
        GateStatus::Fail => format!("{experiment} fails: {metric} is worse than the baseline by more than {margin}"),
        GateStatus::Inconclusive => {
            format!("{experiment} is inconclusive: {metric} may be worse than the baseline by {margin}, or not")
        }
    }
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
