//! All that a study leaves behind for people and programs: tables, figures, the page, the words for the terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::outline::variance_notes;
use super::{divergence_csv, divergence_terminal, routing_csv, routing_terminal};
use crate::experiment::{Model, Study};
use crate::plan::Surveyed;
use crate::report::html::{self, Facts};
use crate::report::plot::study::{agreement_figure, divergence_figure, load_figure};
use crate::report::plot::{Caption, Figure, Layout, PlotError};
use crate::run_dir::{EXPERIMENT, STUDY};
use crate::study::Findings;

/// What is written and said of a study.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// In the order in which the page shows them.
    pub tables: Vec<Table>,
    pub figures: Vec<Figure>,
    /// The page, a whole document.
    pub page: String,
    /// For the terminal.
    pub summary: String,
}

/// A table of results.
#[derive(Clone, Debug)]
pub struct Table {
    /// The name of its file.
    pub name: &'static str,
    pub csv: Vec<u8>,
    /// Stands over it on the page; None where it is too long for one.
    title: Option<&'static str>,
}

/// Where findings come from, as far as they do not say it themselves.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    pub study: &'a Study,
    /// Has an entry for every model of the study.
    pub surveyed: &'a BTreeMap<String, Surveyed>,
    /// The run's directory, as it is to be shown.
    pub directory: &'a str,
    /// The name of this machine's CPU, where it is known.
    pub cpu: Option<&'a str>,
}

/// Puts findings into every form that is read.
///
/// # Errors
/// When a figure can't be drawn.
pub fn outputs(findings: &Findings, about: About<'_>) -> Result<Outputs, PlotError> {
    let tables = tables(findings);
    let figures = figures(findings, Caption { experiment: &about.study.name, note: None, layout: Layout::NATURAL })?;
    let page = page(about, &tables, &figures);
    let summary = match findings {
        Findings::Divergence(pairs) => divergence_terminal::summary(pairs, about.directory),
        Findings::Routing(found) => routing_terminal::summary(found, about.directory),
    };
    let notes: String = variance_notes(about.study, about.surveyed).map(|note| format!("note: {note}\n")).collect();
    Ok(Outputs { tables, figures, page, summary: summary + &notes })
}

fn tables(findings: &Findings) -> Vec<Table> {
    match findings {
        Findings::Divergence(pairs) => vec![
            Table::shown("divergence-summary.csv", "Each arm compared with base", |out| {
                divergence_csv::write_summary(pairs, out)
            }),
            Table::kept("divergence.csv", |out| divergence_csv::write_positions(pairs, out)),
        ],
        Findings::Routing(found) => vec![
            Table::shown("routing-agreement.csv", "Whether the arms select the same experts", |out| {
                routing_csv::write_agreements(found, out)
            }),
            Table::shown("routing-loop.csv", "Load in a loop compared with before it", |out| {
                routing_csv::write_shifts(found, out)
            }),
            Table::shown("routing-layers.csv", "Entropy of the load per layer", |out| {
                routing_csv::write_layers(found, out)
            }),
            Table::kept("routing.csv", |out| routing_csv::write_loads(found, out)),
        ],
    }
}

fn figures(findings: &Findings, caption: Caption<'_>) -> Result<Vec<Figure>, PlotError> {
    match findings {
        Findings::Divergence(pairs) => Ok(vec![divergence_figure(pairs, caption)?]),
        Findings::Routing(found) => Ok(vec![load_figure(found, caption)?, agreement_figure(found, caption)?]),
    }
}

impl Table {
    fn shown(name: &'static str, title: &'static str, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Self {
        Self { title: Some(title), ..Self::kept(name, write) }
    }

    fn kept(name: &'static str, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Self {
        let mut csv = Vec::new();
        write(&mut csv).expect("writing to memory does not fail");
        Self { name, csv, title: None }
    }
}

fn page(about: About<'_>, tables: &[Table], figures: &[Figure]) -> String {
    let study = about.study;
    let shown = tables.iter().filter_map(|table| Some((table.title?, table.name, table.csv.as_slice())));
    let of_models: BTreeSet<_> = study.models.iter().filter_map(|model| model.note.clone()).collect();
    html::findings_page(&html::Findings {
        name: &study.name,
        question: study.question.as_deref(),
        notes: &of_models.into_iter().chain(variance_notes(study, about.surveyed)).collect::<Vec<_>>(),
        tables: &shown.collect::<Vec<_>>(),
        figures,
        facts: &facts(about),
    })
}

/// Where the numbers come from, in words.
fn facts(About { study, surveyed, cpu, .. }: About<'_>) -> Vec<Facts> {
    let others: Vec<_> = study.others.iter().map(|other| other.differences(&study.base)).collect();
    let texts = format!("{} prompts, at most {} tokens", study.prompts.len(), study.generate.max_tokens);
    let program = vec![
        ("moe-sweep", env!("CARGO_PKG_VERSION").to_owned()),
        ("kind", study.kind().to_string()),
        ("base", study.base.to_string()),
        ("others", others.join("; ")),
        ("texts", texts),
        ("CPU", cpu.unwrap_or("not known").to_owned()),
        ("all of it", [STUDY, EXPERIMENT].join(", ")),
    ];
    let model = |model: &Model| {
        let Surveyed { engine, blake3, .. } = &surveyed[&model.id];
        let facts = &surveyed[&model.id].file()?.facts;
        let shape = format!("{}, {} layers, {} experts", facts.architecture, facts.n_layer, facts.n_expert);
        let facts = vec![("blake3", blake3.clone()), ("architecture", shape), ("engine", engine.fingerprint.clone())];
        Some(Facts { title: model.id.clone(), facts })
    };
    let models = study.models.iter().filter_map(model);
    std::iter::once(Facts { title: String::new(), facts: program }).chain(models).collect()
}
