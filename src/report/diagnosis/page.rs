//! The diagnosis as a page that leads with the cause and the remedy: `report.html`.

use maud::{Markup, html};

use super::said::{Block, Line, said};
use super::shown::Shown;
use super::words::{changes, difference, named, share, what_they_do};
use crate::report::html::unscripted;
use crate::report::number::percent;

/// Characters of the end of a looping text.
const QUOTED: usize = 240;

pub fn page(shown: &Shown<'_>) -> String {
    let model = &shown.frame.model;
    let headline = match shown.diagnosis.remedies.first() {
        Some(remedy) => format!("{model}: {}", named(&remedy.switches)),
        None => format!("{model}: does it loop, and why?"),
    };
    unscripted(
        &headline,
        &html! {
            header { h1 { (headline) } }
            main #main {
                section #answer aria-label="The answer" {
                    dl { @for block in said(shown, QUOTED) { (under_its_head(&block)) } }
                }
                section #tried aria-labelledby="tried-title" {
                    h2 #tried-title { "Everything that was tried" }
                    p.small {
                        "Compared with " (model) " as it is run, " (share(&shown.diagnosis.as_run)) ". Differences are percentage \
                        points of the share of texts that " (what_they_do(shown.diagnosis.counted)) ", over prompts; the 95 % intervals are descriptive."
                    }
                    (tried(shown))
                }
                section #stages aria-labelledby="stages-title" {
                    h2 #stages-title { "Stages" }
                    p.small { "Each is an experiment: " code { "moe-sweep report" } " draws its figures, " code { "moe-sweep run" } " repeats it." }
                    (stages(shown))
                }
            }
        },
    )
}

fn under_its_head(Block { head, lines }: &Block) -> Markup {
    html! {
        dt { (head.to_lowercase()) }
        dd {
            @for line in lines {
                @match line {
                    Line::Text(text) => div { (text) },
                    Line::Paste { runtime, line } => div { span.small { (runtime) " " } code { (line) } },
                }
            }
        }
    }
}

fn tried(shown: &Shown<'_>) -> Markup {
    let diagnosis = shown.diagnosis;
    let counted = diagnosis.counted.to_string();
    html! {
        div.scroll tabindex="0" role="region" aria-label="Everything that was tried" {
            table {
                thead { tr { @for head in ["change", counted.as_str(), "difference", "prompts", "within"] { th scope="col" { (head) } } } }
                tbody {
                    @for remedy in &diagnosis.remedies {
                        tr {
                            th scope="row" { (changes(&remedy.switches)) }
                            td { (share(&remedy.after)) }
                            td { (difference(&remedy.outcome)) }
                            td { (remedy.outcome.prompts) " fresh" }
                            td {}
                        }
                    }
                    @for tried in &diagnosis.others {
                        tr {
                            td { (changes(&tried.switches)) }
                            td { (share(&tried.rate)) }
                            td { (difference(&tried.outcome)) }
                            td { (tried.outcome.prompts) }
                            td { @if let Some(within) = tried.outcome.within { "±" (percent(within)) } }
                        }
                    }
                }
            }
        }
    }
}

fn stages(shown: &Shown<'_>) -> Markup {
    html! {
        table {
            thead { tr { @for head in ["stage", "ways to run it", "texts"] { th scope="col" { (head) } } } }
            tbody {
                @for stage in &shown.diagnosis.stages {
                    tr {
                        td { a href={ (stage.name) ".toml" } { (stage.name) } }
                        td.number { (stage.arms) }
                        td.number { (stage.texts) }
                    }
                }
            }
        }
    }
}
