//! Writes `answer.json`: the answer for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::words::{advice, headline};
use crate::analysis::{AskedBy, Change, RunAnswer, Says, Side};
use crate::domain::{Factor, Level};
use crate::stats::Interval;

/// The version of the file's shape.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct File<'a> {
    schema: u32,
    experiment: &'a str,
    question: Option<&'a str>,
    headline: String,
    /// What kind of answer it is.
    answer: &'static str,
    metric: &'static str,
    advice: Option<String>,
    /// Who asked: the experiment's hypotheses, or its design alone.
    asked_by: &'static str,
    n_questions: usize,
    overall: Amount<'a>,
    /// The greatest first.
    changes: Vec<Changed<'a>>,
    texts: Texts,
}

#[derive(Serialize)]
struct Changed<'a> {
    id: &'a str,
    claim: &'a str,
    factors: &'a [Factor],
    within: Levels<'a>,
    from: Amount<'a>,
    to: Amount<'a>,
    difference: f64,
    interval_95: Option<[f64; 2]>,
    p_holm: Option<f64>,
    n_prompts: usize,
}

/// By the names of their factors.
type Levels<'a> = BTreeMap<String, Vec<&'a Level>>;

#[derive(Serialize)]
struct Amount<'a> {
    #[serde(skip_serializing_if = "Levels::is_empty")]
    levels: Levels<'a>,
    mean: Option<f64>,
    interval_95: Option<[f64; 2]>,
    n_prompts: usize,
}

#[derive(Serialize)]
struct Texts {
    planned: usize,
    scored: usize,
    loops: usize,
    censored: usize,
    failed: usize,
    missing: usize,
}

/// # Errors
/// When `out` can't be written.
pub fn write(answer: &RunAnswer, experiment: &str, question: Option<&str>, mut out: impl Write) -> io::Result<()> {
    let changes: &[Change] = if let Says::Changes(changes) = &answer.says { changes } else { &[] };
    let crate::analysis::Texts { planned, scored, censored, failed, missing, loops } = answer.texts;
    let file = File {
        schema: SCHEMA,
        experiment,
        question,
        headline: headline(answer),
        answer: kind(&answer.says),
        metric: answer.metric.name(),
        advice: advice(answer, experiment),
        asked_by: match answer.asked_by {
            AskedBy::Experiment => "experiment",
            AskedBy::Design => "design",
        },
        n_questions: answer.n_questions,
        overall: amount(&answer.overall),
        changes: changes.iter().map(changed).collect(),
        texts: Texts { planned, scored, loops, censored, failed, missing },
    };
    serde_json::to_writer_pretty(&mut out, &file)?;
    writeln!(out)
}

fn kind(says: &Says) -> &'static str {
    match says {
        Says::Changes(_) => "changes",
        Says::Alike(_) => "alike",
        Says::Entangled(_) => "entangled",
        Says::Clean { .. } => "clean",
        Says::Undecided => "undecided",
        Says::Measured => "measured",
        Says::NotTested { .. } => "not_tested",
        Says::Cut => "cut",
        Says::NoTexts => "no_texts",
    }
}

fn changed(change: &Change) -> Changed<'_> {
    Changed {
        id: &change.id,
        claim: &change.claim,
        factors: &change.factors,
        within: levels(&change.within),
        from: amount(&change.from),
        to: amount(&change.to),
        difference: change.difference,
        interval_95: ends(change.interval),
        p_holm: change.p,
        n_prompts: change.n_prompts,
    }
}

fn amount(side: &Side) -> Amount<'_> {
    let Side { levels: of, mean, interval, n_prompts } = side;
    Amount { levels: levels(of), mean: *mean, interval_95: ends(*interval), n_prompts: *n_prompts }
}

fn levels(levels: &[Level]) -> Levels<'_> {
    let mut named = Levels::new();
    for level in levels {
        named.entry(level.factor().to_string()).or_default().push(level);
    }
    named
}

fn ends(interval: Option<Interval>) -> Option<[f64; 2]> {
    interval.map(|Interval { low, high, .. }| [low, high])
}
