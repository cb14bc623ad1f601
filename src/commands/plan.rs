//! `moe-sweep plan`: what would run.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;

use miette::miette;

use super::finished::read_run;
use super::folder;
use super::load::load_study;
use super::setup::{Setup, set_up};
use super::survey::Probing;
use super::{Failure, plain, study, tell, trust};
use crate::analysis::{Looks, Questions, Spread, outlooks};
use crate::cli::PlanArgs;
use crate::domain::Quant;
use crate::engine::{Limits, Strategy};
use crate::exit_code::ExitCode;
use crate::experiment::Hypothesis;
use crate::hardware::{available_memory_bytes, usable_cores};
use crate::journal;
use crate::manifest::Manifest;
use crate::model::human_bytes;
use crate::model::memory::{Estimate, Room};
use crate::plan::{Design, OnDisk};
use crate::report::planning::{self, About};

pub fn plan(args: &PlanArgs) -> Result<ExitCode, Failure> {
    if let Some(loaded) = load_study(&args.experiment).map_err(Failure::bad_setup)? {
        if args.from.is_some() || args.sd.is_some() {
            return Err(Failure::usage(miette!(
                help = "leave out --sd and --from",
                "{} has no hypotheses",
                args.experiment.display()
            )));
        }
        let text = study::plan(args, loaded)?;
        return tell(&text);
    }
    let trust = trust(args.custody);
    let setup = set_up(&args.experiment, &args.place, None, Probing::None)?;
    let journal = journal::read(&setup.directory.join(journal::FILE_NAME), trust)
        .map_err(|error| Failure::bad_setup(plain(error)))?;
    let manifest = folder::read_manifest(&setup.directory, trust)?.map(|(manifest, _)| manifest);
    let text = describe(&setup, &journal, manifest.as_ref(), &claims(args, &setup.design)?);
    tell(&text)
}

/// What the design can decide of its hypotheses.
fn claims(args: &PlanArgs, design: &Design) -> Result<String, Failure> {
    let earlier = args.from.as_deref().map(|directory| read_run(directory, trust(args.custody))).transpose()?;
    let seen = |hypothesis: &Hypothesis| {
        let earlier = earlier.as_ref()?;
        Spread::seen(hypothesis, &earlier.design.hypotheses, &earlier.analysis.trials)
    };
    let outlooks = outlooks(design, args.sd, seen).map_err(|error| Failure::bad_setup(plain(error)))?;
    let from = args.from.as_ref().map(|directory| directory.display().to_string());
    Ok(planning::text(&outlooks, About { alpha: design.settings.alpha, from: from.as_deref() }))
}

/// `claims` are lines of their own, after the loads.
fn describe(setup: &Setup, journal: &journal::Contents, manifest: Option<&Manifest>, claims: &str) -> String {
    let Setup { plan, directory, .. } = setup;
    let mut out = String::new();
    let mut line = |text: String| {
        out += &text;
        out.push('\n');
    };
    line(format!("{}: {}", setup.design.name, setup.design.question.as_deref().unwrap_or("no question stated")));
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
    if let Some(text) = sequential(setup) {
        line(format!("  looks    {text}"));
    }
    let limits = Limits { threads: usable_cores(), lanes: None, rows: None, memory_bytes: available_memory_bytes() };
    for load in &plan.loads {
        let (trials, prompts) = (load.planned().count(), load.prompts.len());
        let Some(OnDisk { size_bytes, facts, .. }) = load.surveyed.file() else {
            line(format!("  load     {} (on a server): {trials} trials on {prompts} prompts", load.key.clone()));
            continue;
        };
        let experts = match facts.n_expert {
            0 => "dense".to_owned(),
            n => format!("{n} experts, {} used", facts.n_expert_used),
        };
        let prompt_tokens: u32 = load.prompts.iter().filter_map(|group| group.n_tokens).sum();
        line(format!(
            "  load     {} ({}, {} layers, {experts}): {trials} trials on {prompts} prompts of {prompt_tokens} tokens in all",
            load.key.clone(),
            facts.architecture,
            facts.n_layer,
        ));
        // What the file would be when quantised is not known before it is made.
        let shape = load.shape(*size_bytes, plan.generate);
        let strategy = Strategy::choose(shape, limits);
        line(format!("           {strategy}"));
        if let (Some(anatomy), Quant::Source) = (setup.anatomies.get(&load.model.id), load.key.quant()) {
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
fn sequential(setup: &Setup) -> Option<String> {
    let Setup { design, plan, .. } = setup;
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
    let room = Room { lanes: strategy.lanes, rows: strategy.rows };
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
    let mut text = String::new();
    let seconds = max_tokens as f64 / tokens_per_s;
    let _ = write!(text, "at most about {seconds:.0} s, at the {tokens_per_s:.0} tokens/s of the last run here");
    text
}
