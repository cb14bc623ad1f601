//! What would run, for programs: what `plan --json` prints.

use std::collections::{BTreeSet, HashSet};

use serde::Serialize;

use super::plan::Shown;
use crate::analysis::{Outlook, Sight};

/// The version of the shape.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
pub struct Written<'a> {
    schema: u32,
    experiment: &'a str,
    question: Option<&'a str>,
    directory: String,
    cells: usize,
    prompts: usize,
    trials: usize,
    /// Trials that are the same computation have one text.
    texts: usize,
    texts_left: usize,
    /// Of each text, at most.
    max_tokens: u32,
    /// How long it may take, at least and at most; none where nothing is known.
    seconds: Option<[f64; 2]>,
    loads: Vec<LoadedModel<'a>>,
    /// Models that must be fetched first.
    to_fetch: Vec<&'a str>,
    hypotheses: Vec<Claim<'a>>,
    notes: Vec<String>,
}

/// A model as it is loaded.
#[derive(Serialize)]
struct LoadedModel<'a> {
    model: &'a str,
    load: String,
    trials: usize,
    prompts: usize,
}

/// What the design can decide of a hypothesis.
#[derive(Serialize)]
struct Claim<'a> {
    id: &'a str,
    metric: &'a str,
    prompts: usize,
    least_p: Option<f64>,
    /// The least effect that is found in 8 of 10 runs; none where the test has no one size of effect.
    least_effect: Option<f64>,
}

impl<'a> Written<'a> {
    pub fn of(shown: &Shown<'a>, outlooks: &'a [Outlook]) -> Self {
        let Shown { design, plan, directory, journal, span, .. } = *shown;
        let cells: BTreeSet<_> = plan.trials().map(|trial| &trial.cell).collect();
        let texts: HashSet<_> = plan.trials().map(|trial| &trial.id).collect();
        let loads = plan.loads.iter().map(|load| LoadedModel {
            model: &load.model.id,
            load: load.key.to_string(),
            trials: load.planned().count(),
            prompts: load.prompts.len(),
        });
        Self {
            schema: SCHEMA,
            experiment: &design.name,
            question: design.question.as_deref(),
            directory: directory.display().to_string(),
            cells: cells.len(),
            prompts: design.prompts.len(),
            trials: plan.trials().count(),
            texts: texts.len(),
            texts_left: texts.iter().filter(|id| !journal.records.contains_key(**id)).count(),
            max_tokens: plan.generate.max_tokens,
            seconds: span.map(|span| [span.least_s, span.most_s]),
            loads: loads.collect(),
            to_fetch: shown.absent.iter().map(|model| model.id.as_str()).collect(),
            hypotheses: outlooks.iter().map(claim).collect(),
            notes: plan.remarks(),
        }
    }
}

fn claim(outlook: &Outlook) -> Claim<'_> {
    let least_effect = match &outlook.sight {
        Sight::From { size, .. } => Some(*size),
        Sight::NoPrompts | Sight::Nothing { .. } | Sight::Within { .. } | Sight::Pattern => None,
    };
    Claim {
        id: &outlook.id,
        metric: outlook.metric.name(),
        prompts: outlook.n_prompts,
        least_p: outlook.least_p,
        least_effect,
    }
}
