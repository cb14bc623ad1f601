//! `moe-sweep check`: a run against a baseline.

use std::io::Write as _;
use std::path::Path;

use miette::miette;
use serde::Serialize;

use super::finished::{Finished, read_run};
use super::folder::write_named;
use super::{Failure, baseline, plain, print, run, tell, trust};
use crate::analysis::Analysis;
use crate::check::{Baseline, By, Gate, GateStatus, Rule, Unit, decide, differences, units};
use crate::cli::{CheckArgs, CheckBy, Inconclusive};
use crate::domain::Seed;
use crate::exit_code::ExitCode;
use crate::message::say;
use crate::metrics::Metric;
use crate::report::gate::{self as words, About};

/// `verdict.json`.
#[derive(Serialize)]
struct File<'a> {
    schema: u32,
    experiment: &'a str,
    baseline: String,
    metric: Metric,
    #[serde(flatten)]
    gate: &'a Gate,
    notes: &'a [String],
}

/// # Errors
/// When there is nothing that can be compared, or the outcome can't be written.
pub fn check(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let base = baseline::read(&args.baseline)?;
    let metric = metric(&args.metric)?;
    let first = read_run(&args.directory, trust(args.custody))?;
    let measured = baseline::of_run(&first);
    let mut notes = notes(&base, &measured);
    notes.extend(first.design.caveat.clone().into_iter().chain(first.custody.clone()));

    // Two looks, if it comes to that, share alpha (Bonferroni).
    let alpha = if args.confirm.is_some() { args.alpha / 2.0 } else { args.alpha };
    let rule = Rule { margin: args.margin, alpha };
    let mut gate = decide(&compared(args, &base, &measured, &first.analysis, metric)?, rule);
    if gate.outcome == GateStatus::Inconclusive
        && let Some(experiment) = &args.confirm
    {
        match confirm(args, experiment, &first)? {
            Some((pooled, analysis)) => {
                notes.push("fresh seeds were run, and decided together with the first ones".to_owned());
                gate = decide(&compared(args, &base, &pooled, &analysis, metric)?, rule);
            }
            None => notes.push("no chain draws, so there are no fresh seeds to confirm with".to_owned()),
        }
    }
    announce(args, &gate, &first.design.name, &notes)?;
    Ok(match (gate.outcome, args.inconclusive) {
        (GateStatus::Pass, _) | (GateStatus::Inconclusive, Inconclusive::Pass | Inconclusive::Warn) => ExitCode::Ok,
        (GateStatus::Fail, _) | (GateStatus::Inconclusive, Inconclusive::Fail) => ExitCode::GateFailed,
        (GateStatus::Inconclusive, Inconclusive::Code) => ExitCode::Inconclusive,
    })
}

/// A metric of which one way is worse, and which baselines keep.
///
/// # Errors
/// When it is none, with those that are.
fn metric(name: &str) -> Result<Metric, Failure> {
    let kept = Baseline::GATED.map(Metric::name).join(", ");
    Metric::from_name(name).filter(|metric| Baseline::GATED.contains(metric)).ok_or_else(|| {
        Failure::bad_setup(miette!(help = format!("use one of: {kept}"), "a gate can't be about the metric {name:?}"))
    })
}

fn compared(
    args: &CheckArgs,
    base: &Baseline,
    run: &Baseline,
    analysis: &Analysis,
    metric: Metric,
) -> Result<Vec<Unit>, Failure> {
    let found = differences(base, run);
    if !found.is_empty() {
        const SHOWN: usize = 20;
        let mut list: Vec<String> = found.iter().take(SHOWN).map(|difference| format!("  {difference}")).collect();
        if found.len() > SHOWN {
            list.push(format!("  and {} more", found.len() - SHOWN));
        }
        return Err(Failure::bad_setup(miette!(
            help = "run the baseline's own experiment to the end, or save a new baseline if the change is meant: \
                    moe-sweep baseline save",
            "{} can't be compared with {}:\n{}",
            args.directory.display(),
            args.baseline.display(),
            list.join("\n")
        )));
    }
    let by = |by| units(base, run, analysis, metric, by);
    let looked_at = match args.by {
        CheckBy::Arm => by(By::Arm),
        CheckBy::Cell => by(By::Cell),
        CheckBy::Both => by(By::Arm).zip(by(By::Cell)).map(|(arms, cells)| {
            // An arm of one temperature is its cell.
            let cells = if cells.len() > arms.len() { cells } else { vec![] };
            arms.into_iter().chain(cells).collect()
        }),
    };
    looked_at.ok_or_else(|| {
        let name = metric.name();
        Failure::bad_setup(miette!(
            help = "choose another metric, or save the baseline anew from its own run: moe-sweep baseline save",
            "the baseline does not keep the metric {name}"
        ))
    })
}

/// What may differ, and is good to know.
fn notes(base: &Baseline, run: &Baseline) -> Vec<String> {
    let (theirs, ours) = (&base.facts, &run.facts);
    let changed = |what: &str, theirs: &[String], ours: &[String]| {
        (theirs != ours).then(|| format!("{what}: {} in the baseline, {} now", theirs.join(", "), ours.join(", ")))
    };
    let version = |facts: &crate::check::Facts| vec![facts.moe_sweep.clone()];
    [
        changed("moe-sweep", &version(theirs), &version(ours)),
        changed("engine", &theirs.engines, &ours.engines),
        changed("CPU", &theirs.cpus, &ours.cpus),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Runs the experiment with seeds after those of the run, and puts both together.
/// `None` where no chain draws.
fn confirm(args: &CheckArgs, experiment: &Path, first: &Finished) -> Result<Option<(Baseline, Analysis)>, Failure> {
    let Some(last) = first.design.trials.iter().filter_map(|trial| trial.seed.map(Seed::get)).max() else {
        return Ok(None);
    };
    let directory = args.directory.join("confirm");
    run::run_fresh(experiment, &directory, last + 1)?;
    let mut pooled = read_run(&directory, trust(args.custody))?;
    let theirs = first.analysis.trials.iter().filter(|scored| scored.trial.seed.is_some()).cloned();
    pooled.analysis.trials.extend(theirs);
    Ok(Some((baseline::of_run(&pooled), pooled.analysis)))
}

fn announce(args: &CheckArgs, gate: &Gate, experiment: &str, notes: &[String]) -> Result<(), Failure> {
    let baseline = args.baseline.display().to_string();
    let about = About { experiment, baseline: &baseline, metric: &args.metric, notes };
    let metric = metric(&args.metric)?;
    let file = File { schema: 1, experiment, baseline: baseline.clone(), metric, gate, notes };
    let mut json = serde_json::to_vec_pretty(&file).expect("an outcome is plain data");
    json.push(b'\n');
    write_named(&args.json.clone().unwrap_or_else(|| args.directory.join("verdict.json")), &json, "\"baseline\"")?;
    if let Some(path) = &args.junit {
        let junit = words::junit(gate, &about).map_err(|error| Failure::internal(plain(error)))?;
        write_named(path, junit.as_bytes(), "moe-sweep check")?;
    }
    if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) {
        let path = Path::new(&path);
        let appended = std::fs::OpenOptions::new().create(true).append(true).open(path);
        appended.and_then(|mut file| file.write_all(words::step_summary(gate, &about).as_bytes())).map_err(
            |error| Failure::internal(miette!("cannot append to $GITHUB_STEP_SUMMARY, {}: {error}", path.display())),
        )?;
    }
    let in_actions = std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true");
    tell(&words::text(gate, &about))?;
    if in_actions {
        print(|out| out.write_all(words::annotations(gate, &about).as_bytes()))?;
    }
    if gate.outcome == GateStatus::Inconclusive && args.inconclusive == Inconclusive::Warn {
        say("warning: the gate is inconclusive; more prompts, or --confirm, would tell more");
    }
    Ok(())
}
