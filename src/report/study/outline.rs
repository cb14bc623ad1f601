//! A study as `plan` shows it: models, arms and texts, and which arms are the same as the base here.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Numerics;
use crate::experiment::Study;
use crate::plan::{OnDisk, Surveyed};
use crate::report::plan;
use crate::screen::Lines;
use crate::study::same_as_base;

/// What would run. `surveyed` holds an entry for every model of the study.
pub fn outline(study: &Study, surveyed: &BTreeMap<String, Surveyed>, directory: &str) -> Lines {
    let Study { base, others, .. } = study;
    let question = study.question.as_deref().unwrap_or("no question stated");
    let mut out = Lines::default();
    out.heading(&format!("{}: {question}", study.name));
    let mut line = |text: String| out.hung(plan::HEAD, &format!("  {text}"));
    line(format!("kind     {}", study.kind()));
    let (texts, max_tokens) = (study.texts_a_model(), study.generate.max_tokens);
    line(format!("texts    {texts} a model, of at most {max_tokens} tokens"));
    line(format!("base     {base}"));
    others.iter().for_each(|other| line(format!("other    {}", other.differences(base))));
    for model in &study.models {
        let Some(OnDisk { facts, .. }) = surveyed[&model.id].file() else { continue };
        let experts = match facts.n_expert {
            0 => "dense".to_owned(),
            n => format!("{n} experts, {} used", facts.n_expert_used),
        };
        line(format!("model    {} ({}, {} layers, {experts})", model.id, facts.architecture, facts.n_layer));
        for other in others {
            if let Some(why) = same_as_base(study, &surveyed[&model.id], other) {
                line(format!("note     {}, {}: {why}", model.id, other.differences(base)));
            }
        }
    }
    line(format!("results  {directory}"));
    variance_notes(study, surveyed).for_each(|note| out.text("note: ", &note));
    out
}

/// Why invariant numerics are none in this build, if they are asked for.
pub(super) fn variance_notes(
    study: &Study,
    surveyed: &BTreeMap<String, Surveyed>,
) -> impl Iterator<Item = String> + use<> {
    let asked = study.arms().any(|arm| arm.numerics == Numerics::Invariant);
    let why: BTreeSet<_> =
        surveyed.values().filter(|_| asked).filter_map(|found| found.engine.variance.clone()).collect();
    why.into_iter().map(|why| format!("numerics = \"invariant\" does not hold: {why}"))
}
