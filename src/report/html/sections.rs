//! Has the page's sections, in order: what was asked, what was found, the texts, where it all comes from.

use maud::{Markup, PreEscaped, html};

use super::provenance::Facts;
use super::{Report, heat, verdicts, words};
use crate::report::answer::{Line, Said};
use crate::report::plot::{self, Figure, HEADLINE_FIGURE, PageFigure};
use crate::report::tally::Tally;
use crate::run_dir::{EXPERIMENT, JOURNAL, Output, PLOTS};

pub struct Section {
    /// Its place in the document, for links.
    pub id: &'static str,
    /// In the navigation.
    pub name: &'static str,
    pub title: &'static str,
    pub body: Markup,
}

/// Those that the report has something to say in.
pub fn all(report: &Report<'_>) -> Vec<Section> {
    let sections = [
        verdicts(report),
        Some(headline(report)),
        attribution(report),
        Some(heat_map(report)),
        time_to_loop(report),
        Some(texts()),
        Some(trials()),
        Some(provenance(report)),
    ];
    sections.into_iter().flatten().collect()
}

/// What stands under the headline.
pub fn answer(Said { lines, .. }: &Said) -> Markup {
    html! {
        dl.answer {
            @for Line { head, text } in lines {
                dt { (head) }
                dd { (words::sentence(text)) }
            }
        }
    }
}

/// Below that: what was planned and what became of it.
pub fn summary(report: &Report<'_>) -> Markup {
    let tally = Tally::of(&report.analysis.trials);
    html! {
        p.facts { (words::sentence(&format!("{}; {} a\u{a0}cell", tally.sentence(), tally.design()))) }
        @let caveat = report.design.caveat.as_ref();
        // Once, as it is true of all that follows.
        @if let Some(caveat) = caveat { p.caveat { (words::sentence(caveat)) } }
        @for note in report.notes.iter().filter(|note| Some(*note) != caveat) { p.facts { (words::sentence(note)) } }
    }
}

fn verdicts(report: &Report<'_>) -> Option<Section> {
    let verdicts = &report.analysis.verdicts;
    let sequential = report.analysis.sequential.as_ref();
    let body = html! {
        @if let Some(sequential) = sequential { p { (words::sentence(&sequential.sentence())) } }
        (verdicts::list(verdicts))
        @for figure in named(report, plot::EVIDENCE_FIGURE) { (shown(figure)) }
        @if sequential.is_some() {
            p.small {
                "Evidence and p are valid at any look. Effects, intervals and all other figures are descriptive: they "
                "are not adjusted for repeated looks."
            }
        }
    };
    (!verdicts.is_empty()).then_some(Section { id: "verdicts", name: "Verdicts", title: "Verdicts", body })
}

fn headline(report: &Report<'_>) -> Section {
    let body = html! {
        @for figure in named(report, HEADLINE_FIGURE) { (shown(figure)) }
        p.small {
            "The score of every trial:"
            @for figure in report.figures.iter().filter(|figure| is_called(&figure.name, plot::STRIP_FIGURE)) {
                " " (beside(&svg_file(&figure.name)))
            }
            ". All numbers: " (beside(Output::Cells.file_name())) " and " (beside(Output::Trials.file_name())) "."
        }
    };
    Section { id: "score", name: "Score", title: "Repetition against temperature", body }
}

fn attribution(report: &Report<'_>) -> Option<Section> {
    let attribution = report.analysis.attribution.as_ref()?;
    let body = html! {
        p { (words::sentence(&attribution.sentence)) }
        @for figure in named(report, plot::ATTRIBUTION_FIGURE) { (shown(figure)) }
        (verdicts::attribution(attribution))
    };
    Some(Section { id: "attribution", name: "Attribution", title: "What explains the variation", body })
}

fn time_to_loop(report: &Report<'_>) -> Option<Section> {
    let figures = named(report, plot::ONSET_FIGURE);
    let body = html! {
        p {
            "The share of texts that have not begun to loop, by the number of " (report.analysis.onset_unit) ". A text that ends before it loops is "
            "counted until its end only (Kaplan and Meier)."
        }
        div data-chooser="Model and settings" {
            @for figure in &figures {
                @let subject = figure.subject.as_deref().unwrap_or_default();
                div data-choice=(subject) { (shown(figure)) }
            }
        }
    };
    (!figures.is_empty()).then_some(Section { id: "onset", name: "Time to loop", title: "Time to loop", body })
}

fn heat_map(report: &Report<'_>) -> Section {
    let body = heat::tables(report.analysis);
    Section { id: "heat", name: "Heat map", title: "Temperature × chain", body }
}

fn texts() -> Section {
    let body = html! {
        p {
            "Two cells side by side, prompt by prompt. " span.key {
                mark { "Underlined" } " words are in a word trigram that occurs more than once; "
                span.cycle { "an outline" } " surrounds the loop at the end of a text, its copies separated by dots. \
                                             While the focus is here, the keys j and k step through the prompts."
            }
        }
        #viewer { (needs_script()) }
    };
    Section { id: "texts", name: "Texts", title: "The texts", body }
}

fn trials() -> Section {
    let body = html! {
        p.small {
            "Worst first: by the repetition score, or by the share of the text in its final loop, whichever is \
             larger. All trials, with every metric: "
            (beside(Output::Trials.file_name())) "; their texts: " (beside(JOURNAL)) "; the experiment: " (beside(EXPERIMENT)) "."
        }
        #table { (needs_script()) }
    };
    Section { id: "trials", name: "Trials", title: "Every trial", body }
}

fn provenance(report: &Report<'_>) -> Section {
    let provenance = report.provenance;
    let group = |title: &str, all: &[Facts]| html! { h3 { (title) } @for facts in all { (list(facts)) } };
    let body = html! {
        (list(&provenance.program))
        (group("Models", &provenance.models))
        (group("Chains, as executed", &provenance.chains))
        (group("Runs", &provenance.runs))
    };
    Section { id: "provenance", name: "Provenance", title: "Where the numbers come from", body }
}

pub(super) fn list(facts: &Facts) -> Markup {
    html! {
        @if !facts.title.is_empty() { h4 { (facts.title) } }
        dl { @for (name, value) in &facts.facts { dt { (name) } dd { (value) } } }
    }
}

fn needs_script() -> Markup {
    html! { noscript { p { "This part needs JavaScript; the same is in " (beside(Output::Trials.file_name())) " and " (beside(JOURNAL)) "." } } }
}

/// The figures of this name, or of this name and a facet.
fn named<'a>(report: &Report<'a>, name: &str) -> Vec<&'a PageFigure> {
    report.shown.iter().filter(|figure| is_called(&figure.name, name)).collect()
}

fn is_called(figure: &str, name: &str) -> bool {
    figure.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The style sheet shows one of the two. Their SVG is ours, made and escaped by `plot`.
fn shown(figure: &PageFigure) -> Markup {
    html! {
        figure {
            div.wide { (PreEscaped(&figure.wide)) }
            div.narrow { (PreEscaped(&figure.narrow)) }
            (files(&figure.name))
        }
    }
}

/// A figure that scrolls where it is wider than the page.
pub(super) fn inlined(figure: &Figure, label: &str) -> Markup {
    html! {
        figure {
            div.scroll tabindex="0" role="region" aria-label=(label) { (PreEscaped(&figure.svg)) }
            (files(&figure.name))
        }
    }
}

/// Where a figure lies as a file.
fn files(figure: &str) -> Markup {
    html! {
        figcaption {
            "Also as " (beside(&svg_file(figure))) " and " a href={ (PLOTS) "/" (figure) ".png" } { code { ".png" } } "."
        }
    }
}

fn svg_file(figure: &str) -> String {
    format!("{PLOTS}/{figure}.svg")
}

/// A link to a file that lies beside the page, by its name.
fn beside(name: &str) -> Markup {
    html! { a href=(name) { code { (name) } } }
}
