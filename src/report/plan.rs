//! What would run, in words: the screen of `plan`.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::path::Path;

use super::findings;
use crate::analysis::{Looks, Questions};
use crate::domain::Quant;
use crate::engine::{Limits, Strategy};
use crate::experiment::Model;
use crate::journal::Contents;
use crate::manifest::Manifest;
use crate::model::duration::Span;
use crate::model::findings::Examination;
use crate::model::memory::{Estimate, Room};
use crate::model::{Anatomy, human_bytes};
use crate::plan::{Design, OnDisk, Plan};
use crate::screen::{Lines, unbroken};

/// Columns of the heads of its lines.
pub const HEAD: usize = 11;

/// What is shown of a plan.
pub struct Shown<'a> {
    /// The experiment file, as it was given.
    pub experiment: &'a Path,
    pub design: &'a Design,
    pub plan: &'a Plan,
    /// Of the models that have a header, by id.
    pub anatomies: &'a BTreeMap<String, Anatomy>,
    /// What is wrong by their headers.
    pub examinations: &'a BTreeMap<String, Examination>,
    /// Models that are not here.
    pub absent: Vec<&'a Model>,
    /// The run's directory, and what its journal and its manifest hold.
    pub directory: &'a Path,
    pub journal: &'a Contents,
    pub manifest: Option<&'a Manifest>,
    /// How long it may take by this machine's pace, where that could be estimated.
    pub span: Option<Span>,
    /// What this machine gives.
    pub limits: Limits,
    /// What the design can decide: lines of their own, after the loads.
    pub claims: Lines,
}

/// What would run, a line a fact.
pub fn describe(shown: Shown<'_>) -> Lines {
    let Shown { design, plan, anatomies, directory, journal, manifest, span, limits, .. } = shown;
    let mut out = Lines::default();
    out.heading(&format!("{}: {}", design.name, design.question.as_deref().unwrap_or("no question stated")));
    let mut line = |text: String| out.hung(HEAD, &text);
    let cells: BTreeSet<_> = plan.trials().map(|trial| &trial.cell).collect();
    let texts: HashSet<_> = plan.trials().map(|trial| &trial.id).collect();
    let left = texts.iter().filter(|id| !journal.records.contains_key(**id)).count();
    line(format!("  cells    {}", cells.len()));
    let still = match shown.absent[..] {
        [] => format!("{} distinct texts, {left} still to run", texts.len()),
        _ => format!("at most {left} distinct texts"),
    };
    line(format!("  trials   {} ({still})", plan.trials().count()));
    let max_tokens = left as u64 * u64::from(plan.generate.max_tokens);
    line(format!("  tokens   at most {max_tokens} to generate, {} each", plan.generate.max_tokens));
    line(format!("  time     {}", estimate(max_tokens, manifest, span)));
    line(format!("  numerics {}", plan.generate.numerics));
    line(format!("  results  {}", directory.display()));
    if let Some(text) = sequential(design, plan) {
        line(format!("  looks    {text}"));
    }
    let before = std::iter::once(None).chain(plan.loads.iter().map(Some));
    for (load, before) in plan.loads.iter().zip(before) {
        // Of a load key whose weights are there, contexts are all that is made.
        let made = match before {
            Some(before) if before.key.has_weights_of(&load.key) => "contexts",
            _ => "load    ",
        };
        let (trials, prompts) = (load.planned().count(), load.prompts.len());
        let absent = shown.absent.iter().any(|model| model.id == load.model.id);
        let about = if absent { "about " } else { "" };
        let Some(OnDisk { size_bytes, facts, .. }) = load.surveyed.file() else {
            line(format!("  {made} {} (on a server): {trials} trials on {prompts} prompts", load.key));
            continue;
        };
        let experts = match facts.n_expert {
            0 => "dense".to_owned(),
            n => format!("{n} experts, {} used", facts.n_expert_used),
        };
        let prompt_tokens: u32 = load.prompts.iter().filter_map(|group| group.n_tokens).sum();
        line(format!(
            "  {made} {} ({}, {} layers, {experts}): {trials} trials on {prompts} prompts of {about}{prompt_tokens} tokens in all",
            load.key, facts.architecture, facts.n_layer,
        ));
        // What the file would be when quantised is not known before it is made.
        let strategy = load.strategy(*size_bytes, plan.generate, limits);
        line(format!("           {strategy}"));
        if let (Some(anatomy), Quant::Source) = (anatomies.get(&load.model.id), load.key.quant()) {
            let estimate = Estimate::of_load(anatomy, &load.key, plan.generate);
            line(format!("           {}", memory(&estimate, strategy, limits)));
        }
    }
    for model in &shown.absent {
        line(format!("  fetch    {}", fetch(model, shown.experiment)));
    }
    out.append(shown.claims);
    out.append(findings::of_plan(shown.examinations, &plan.findings()));
    for note in plan.remarks().into_iter().chain(plan.takeover_warning()) {
        out.text("  note     ", &note);
    }
    out
}

/// How far it goes, where it stops as soon as its hypotheses are decided.
fn sequential(design: &Design, plan: &Plan) -> Option<String> {
    let sequence = design.sequential.as_ref()?;
    let looks = Looks::new(&design.trials, Questions::from(design))?;
    let (n, least) = (sequence.order.len(), looks.least_prompts());
    let parts = sequence.parts(plan.needs(design.trials.len(), least));
    let first = parts.first().map_or(least, ExactSizeIterator::len);
    let together = match (plan.n_loads(), parts.get(1).map_or(1, ExactSizeIterator::len)) {
        (1, 1) => "one at a time".to_owned(),
        (1, several) => format!("{several} at a time"),
        _ => "several at a time, because each time loads all models".to_owned(),
    };
    let mut text = format!(
        "after every prompt, in the order of seed {}: it stops when everything is decided, after {least} of {n} at \
         the earliest; {first} are run first, then {together}",
        sequence.order_seed
    );
    for note in looks.notes() {
        let _ = write!(text, "; {note}");
    }
    Some(text)
}

/// What the strategy takes, from above.
fn memory(estimate: &Estimate, strategy: Strategy, limits: Limits) -> String {
    let room = Room { lanes: strategy.lanes, batch: strategy.batch };
    let [total, weights] = [estimate.total_bytes(room), estimate.weights.bytes()].map(human_bytes);
    let cache = human_bytes(estimate.kv_bytes(room.sequences()).saturating_mul(room.lanes.into()));
    let mut text = format!("at most about {total} of memory: weights {weights}, cache {cache}, the rest buffers");
    if let Some(free) = limits.memory_bytes.filter(|&free| free < estimate.total_bytes(room)) {
        let _ = write!(text, "; {} are free here", human_bytes(free));
    }
    text
}

/// How a model comes here, and how much is downloaded.
fn fetch(model: &Model, experiment: &Path) -> String {
    let download = match (model.size_bytes, model.expected_bytes()) {
        (Some(exact), _) => human_bytes(exact),
        (None, Some(about)) => format!("about {}", human_bytes(about)),
        (None, None) => "unknown size".to_owned(),
    };
    let (id, experiment) = (&model.id, experiment.display());
    let command = unbroken(&format!("moe-sweep model fetch {id} --experiment {experiment}"));
    format!("{download} to download: {command}")
}

/// How long it may take, by the speed of the last run in the same directory, else by this machine's pace.
fn estimate(max_tokens: u64, manifest: Option<&Manifest>, span: Option<Span>) -> String {
    let last = manifest.and_then(|manifest| manifest.runs.last()).filter(|run| run.effort.evaluated_tokens > 0);
    let Some(run) = last else {
        return match span {
            Some(span) => format!("{}, at this machine's current speed (docs/planning.md)", between(span)),
            None => "unknown: no earlier run in this directory to estimate from".to_owned(),
        };
    };
    let tokens_per_s = run.effort.evaluated_tokens as f64 / run.seconds;
    let seconds = max_tokens as f64 / tokens_per_s;
    format!("at most about {seconds:.0} s, at the {tokens_per_s:.0} tokens/s of the last run here")
}

/// A time between two bounds, in the unit of the greater.
fn between(Span { least_s, most_s }: Span) -> String {
    const MINUTE: f64 = 60.0;
    const HOUR: f64 = 60.0 * MINUTE;
    const DAY: f64 = 24.0 * HOUR;
    if most_s < 1.0 {
        return "less than a second".to_owned();
    }
    let (unit, name) = match most_s {
        s if s < 2.0 * MINUTE => (1.0, "s"),
        s if s < 2.0 * HOUR => (MINUTE, "minutes"),
        s if s < 2.0 * DAY => (HOUR, "hours"),
        _ => (DAY, "days"),
    };
    // Two digits: there is no more to it.
    let rounded = |s: f64| {
        let (n, digits) = (s / unit, if s / unit < 10.0 { 1 } else { 0 });
        let text = format!("{n:.digits$}");
        text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
    };
    format!("between {} and {} {name}", rounded(least_s), rounded(most_s))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_the_unit_of_its_greater_bound() {
        let told = |least_s, most_s| between(Span { least_s, most_s });
        assert_eq!(told(0.31, 4.0), "between 0.3 and 4 s");
        assert_eq!(told(0.01, 0.9), "less than a second");
        assert_eq!(told(30.0, 119.0), "between 30 and 119 s");
        assert_eq!(told(60.0, 600.0), "between 1 and 10 minutes");
        assert_eq!(told(3_600.0 * 2.5, 3_600.0 * 30.4), "between 2.5 and 30 hours");
        assert_eq!(told(43_200.0, 86_400.0 * 12.0), "between 0.5 and 12 days");
    }
}
