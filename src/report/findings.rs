//! Shows findings: at length beside a model, a line each beside a plan, and as JSON.

use std::collections::BTreeMap;

use itertools::Itertools as _;
use serde::Serialize;

use crate::domain::{Finding, FindingId, Found};
use crate::model::findings::{Examination, Open};
use crate::screen::{Lines, Tone};

/// Where a fact begins behind its name.
const FACT: usize = 14;

/// A finding in the shape in which `--json` prints it.
#[derive(Serialize)]
pub struct Shown<'a> {
    id: &'static str,
    severity: &'static str,
    key: &'a str,
    value: &'a str,
    why: &'static str,
    remedy: &'a str,
}

/// What could not be decided, in that shape.
#[derive(Serialize)]
pub struct ShownOpen {
    subject: &'static str,
    why: &'static str,
}

impl<'a> From<&'a Finding> for Shown<'a> {
    fn from(Finding { id, key, value, remedy }: &'a Finding) -> Self {
        Self { id: id.name(), severity: id.severity().name(), key, value, why: id.why(), remedy }
    }
}

impl From<&Open> for ShownOpen {
    fn from(&Open { subject, why }: &Open) -> Self {
        Self { subject, why }
    }
}

/// What a header shows: each finding with its reason and its remedy. Where there is none, what was looked at.
pub fn of_model(Examination { findings, open }: &Examination) -> Lines {
    let (mut out, indent) = (Lines::default(), " ".repeat(FACT));
    for finding in findings {
        let Finding { id, key, value, remedy } = finding;
        out.toned((&format!("{:FACT$}", id.severity().name()), Tone::Heading), (id.name(), Tone::Plain));
        for said in [&format!("{key}: {value}"), id.why(), &format!("To do: {remedy}")] {
            out.text(&indent, said);
        }
    }
    if findings.is_empty() {
        let open: Vec<_> = open.iter().map(|open| open.subject).collect();
        let looked_at = FindingId::ALL.iter().filter(|id| id.found() == Found::InHeader).map(|id| id.subject());
        let looked_at = looked_at.unique().filter(|subject| !open.contains(subject)).join(", ");
        out.text(&format!("{:FACT$}", "findings"), &format!("none; looked at {looked_at}"));
    }
    for Open { subject, why } in open {
        out.text(&format!("{:FACT$}", "not decided"), &format!("{subject}: {why}"));
    }
    out
}

/// The findings of a plan: those of the headers of its models, by their ids, and its own. Nothing where there is none.
pub fn of_plan(examinations: &BTreeMap<String, Examination>, own: &[Finding]) -> Lines {
    let of_headers =
        examinations.iter().flat_map(|(model, found)| found.findings.iter().map(move |finding| (Some(model), finding)));
    let all = of_headers.chain(own.iter().map(|finding| (None, finding)));
    let mut lines = Lines::default();
    for (model, Finding { id, key, value, remedy }) in all {
        let model = model.map_or_else(String::new, |model| format!(", {model}"));
        let text = format!("{} ({}){model}: {key}: {value}. To do: {remedy}", id.name(), id.severity().name());
        lines.text("  finding  ", &text);
    }
    lines
}
