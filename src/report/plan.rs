//! What would run, in words: the screen of `plan`.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::path::Path;

use crate::analysis::{Looks, Questions};
use crate::domain::Quant;
use crate::engine::{Limits, Strategy};
use crate::journal::Contents;
use crate::manifest::Manifest;
use crate::model::memory::{Estimate, Room};
use crate::model::{Anatomy, human_bytes};
use crate::plan::{Design, OnDisk, Plan};

/// What is shown of a plan.
pub struct Shown<'a> {
    pub design: &'a Design,
    pub plan: &'a Plan,
    /// Of the models that have a header, by id.
    pub anatomies: &'a BTreeMap<String, Anatomy>,
    /// The run's directory, and what its journal and its manifest hold.
    pub directory: &'a Path,
    pub journal: &'a Contents,
    pub manifest: Option<&'a Manifest>,
    /// What this machine gives.
    pub limits: Limits,
    /// What the design can decide: lines of their own, after the loads.
    pub claims: &'a str,
}

/// What would run, a line a fact.
pub fn describe(shown: &Shown<'_>) -> String {
    let Shown { design, plan, anatomies, directory, journal, manifest, limits, claims } = *shown;
    let mut out = String::new();
    let mut line = |text: String| {
        out += &text;
        out.push('\n');
    };
    line(format!("{}: {}", design.name, design.question.as_deref().unwrap_or("no question stated")));
    let cells: BTreeSet<_> = plan.trials().map(|trial| &trial.cell).collect();
    let texts: HashSet<_> = plan.trials().map(|trial| &trial.id).collect();
    let left = texts.iter().filter(|id| !journal.records.contains_key(**id)).count();
    line(format!("  cells    {}", cells.len()));
    line(format!("  trials   {} ({} distinct texts, {left} still to run)", plan.trials().count(), texts.len()));
    let max_tokens = left as u64 * u64::from(plan.generate.max_tokens);
    line(format!("  tokens   at most {max_tokens} to generate, {} each", plan.generate.max_tokens));
    line(format!("  time     {}", estimate(max_tokens, manifest)));
    line(format!("  numerics {}", plan.generate.numerics));
    line(format!("  results  {}", directory.display()));
    if let Some(text) = sequential(design, plan) {
        line(format!("  looks    {text}"));
    }
    for load in &plan.loads {
        let (trials, prompts) = (load.planned().count(), load.prompts.len());
        let Some(OnDisk { size_bytes, facts, .. }) = load.surveyed.file() else {
            line(format!("  load     {} (on a server): {trials} trials on {prompts} prompts", load.key));
            continue;
        };
        let experts = match facts.n_expert {
            0 => "dense".to_owned(),
            n => format!("{n} experts, {} used", facts.n_expert_used),
        };
        let prompt_tokens: u32 = load.prompts.iter().filter_map(|group| group.n_tokens).sum();
        line(format!(
            "  load     {} ({}, {} layers, {experts}): {trials} trials on {prompts} prompts of {prompt_tokens} tokens in all",
            load.key, facts.architecture, facts.n_layer,
        ));
        // What the file would be when quantised is not known before it is made.
        let shape = load.shape(*size_bytes, plan.generate);
        let strategy = Strategy::choose(shape, limits);
        line(format!("           {strategy}"));
        if let (Some(anatomy), Quant::Source) = (anatomies.get(&load.model.id), load.key.quant()) {
            let estimate = Estimate::of(anatomy, load.key.offload(), plan.generate.context);
            line(format!("           {}", memory(&estimate, strategy)));
        }
    }
    out += claims;
    for note in plan.notes().into_iter().chain(plan.takeover_warning()) {
        let _ = writeln!(out, "  note     {note}");
    }
    out
}

/// How far it goes, where it stops as soon as its hypotheses are decided.
fn sequential(design: &Design, plan: &Plan) -> Option<String> {
    let sequence = design.sequential.as_ref()?;
    let looks = Looks::new(&design.trials, Questions::from(design))?;
    let (n, least) = (sequence.order.len(), looks.least_prompts());
    let together = match plan.loads.len() {
        1 => "one at a time",
        _ => "some at a time, for each time loads all models",
    };
    let mut text = format!(
        "after every prompt, in the order of seed {}: it stops when all is decided, after {least} of {n} at the earliest; \
         {least} are run first, then {together}",
        sequence.order_seed
    );
    for note in looks.notes() {
        let _ = write!(text, "; {note}");
    }
    Some(text)
}

/// What the strategy takes, from above.
fn memory(estimate: &Estimate, strategy: Strategy) -> String {
    let room = Room { lanes: strategy.lanes, batch: strategy.batch };
    let [total, weights] = [estimate.total_bytes(room), estimate.weights.bytes()].map(human_bytes);
    let cache = human_bytes(estimate.kv_bytes(room.sequences()).saturating_mul(room.lanes.into()));
    format!("at most about {total} of memory: weights {weights}, cache {cache}, buffers the rest")
}

/// How long it may take, by the speed of the last run in the same directory.
fn estimate(max_tokens: u64, manifest: Option<&Manifest>) -> String {
    let last = manifest.and_then(|manifest| manifest.runs.last()).filter(|run| run.effort.evaluated_tokens > 0);
    let Some(run) = last else {
        return "unknown: no earlier run in this directory to go by".to_owned();
    };
    let tokens_per_s = run.effort.evaluated_tokens as f64 / run.seconds;
    let seconds = max_tokens as f64 / tokens_per_s;
    format!("at most about {seconds:.0} s, at the {tokens_per_s:.0} tokens/s of the last run here")
}
