//! The diagnosis for programs: `diagnosis.json`, and `--json`. A field keeps its name and meaning within a `schema`.

use serde::Serialize;

use super::super::findings::Shown as Finding;
use super::said::headline;
use super::shown::Shown;
use crate::causes::Adjustment;
use crate::diagnosis::{Ending, NotTried, Outcome, Rate, Switch};

/// The version of the shape.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
pub struct Written<'a> {
    schema: u32,
    moe_sweep: &'static str,
    model: &'a str,
    ending: Ending,
    /// Whether it loops, and the cause.
    headline: String,
    /// What is wrong with its file, as `model inspect --json` has it.
    findings: Vec<Finding<'a>>,
    /// Which texts are counted: those that end in a loop, or all that repeat themselves.
    counted: String,
    as_run: Share,
    /// Texts of the first stage that repeat themselves in any way.
    repeats: usize,
    worst: Option<Worst<'a>>,
    remedies: Vec<Remedy<'a>>,
    others: Vec<Other<'a>>,
    /// What a server was told and surely ignored.
    ignored: Vec<Change<'a>>,
    not_tried: Vec<Not<'a>>,
    stages: Vec<Stage<'a>>,
}

/// Of texts that end in a loop, or repeat themselves: by `counted`.
#[derive(Serialize)]
struct Share {
    loops: usize,
    texts: usize,
    empty: usize,
    prompts: usize,
    interval_95: Option<[f64; 2]>,
}

#[derive(Serialize)]
struct Worst<'a> {
    prompt: &'a str,
    text: &'a str,
    copies: f64,
}

#[derive(Serialize)]
struct Remedy<'a> {
    changes: Vec<Change<'a>>,
    before: Share,
    after: Share,
    found: Found,
}

#[derive(Serialize)]
struct Other<'a> {
    changes: Vec<Change<'a>>,
    share: Share,
    found: Found,
}

#[derive(Serialize)]
struct Change<'a> {
    cause: &'static str,
    settings: Vec<Setting<'a>>,
}

#[derive(Serialize)]
struct Setting<'a> {
    setting: String,
    from: &'a str,
    to: &'a str,
}

#[derive(Serialize)]
struct Found {
    state: String,
    difference: f64,
    interval_95: Option<[f64; 2]>,
    p: f64,
    prompts: usize,
    /// Texts that are not byte for byte as they were.
    changed: usize,
    within: Option<f64>,
}

#[derive(Serialize)]
struct Not<'a> {
    what: &'a str,
    why: &'a str,
}

#[derive(Serialize)]
struct Stage<'a> {
    name: &'a str,
    arms: usize,
    texts: usize,
}

impl<'a> Written<'a> {
    pub fn of(shown: &Shown<'a>) -> Self {
        let diagnosis = shown.diagnosis;
        let remedy = |remedy: &'a crate::diagnosis::Remedy| Remedy {
            changes: remedy.switches.iter().map(change).collect(),
            before: share(&remedy.before),
            after: share(&remedy.after),
            found: found(&remedy.outcome),
        };
        let other = |tried: &'a crate::diagnosis::Tried| Other {
            changes: tried.switches.iter().map(change).collect(),
            share: share(&tried.rate),
            found: found(&tried.outcome),
        };
        let worst = diagnosis.worst.as_ref();
        Self {
            schema: SCHEMA,
            moe_sweep: env!("CARGO_PKG_VERSION"),
            model: &shown.frame.model,
            ending: diagnosis.ending,
            headline: headline(shown),
            findings: shown.case.findings.iter().map(Finding::from).collect(),
            counted: diagnosis.counted.to_string(),
            as_run: share(&diagnosis.as_run),
            repeats: diagnosis.repeats,
            worst: worst.map(|worst| Worst { prompt: &worst.prompt, text: &worst.text, copies: worst.copies }),
            remedies: diagnosis.remedies.iter().map(remedy).collect(),
            ignored: shown.ignored().flat_map(|tried| &tried.switches).map(change).collect(),
            others: diagnosis.others.iter().map(other).collect(),
            not_tried: diagnosis.not_tried.iter().map(|NotTried { what, why }| Not { what, why }).collect(),
            stages: diagnosis
                .stages
                .iter()
                .map(|stage| Stage { name: &stage.name, arms: stage.arms, texts: stage.texts })
                .collect(),
        }
    }
}

fn share(rate: &Rate) -> Share {
    let interval_95 = rate.interval.map(|interval| [interval.low, interval.high]);
    Share { loops: rate.loops, texts: rate.texts, empty: rate.empty, prompts: rate.prompts, interval_95 }
}

fn change(switch: &Switch) -> Change<'_> {
    Change { cause: switch.cause.id(), settings: switch.adjustments.iter().map(setting).collect() }
}

fn setting(Adjustment { knob, from, to }: &Adjustment) -> Setting<'_> {
    Setting { setting: knob.to_string(), from, to }
}

fn found(outcome: &Outcome) -> Found {
    Found {
        state: outcome.state.to_string(),
        difference: outcome.effect,
        interval_95: outcome.interval.map(|interval| [interval.low, interval.high]),
        p: outcome.p,
        prompts: outcome.prompts,
        changed: outcome.changed,
        within: outcome.within,
    }
}
