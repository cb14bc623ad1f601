//! Is `moe-sweep check`, which holds a run against a baseline and ends with the gate's exit code.

use std::path::Path;

use super::announce::announce;
use super::{Failure, baseline, run, trust};
use crate::analysis::Analysis;
use crate::check::{
    Baseline, By, GateStatus, Granularity, Rule, Side, baseline_of, compared, decide, notes, pooled, worst_text,
};
use crate::cli::{CheckArgs, CheckBy, Inconclusive};
use crate::domain::Seed;
use crate::exit_code::ExitCode;
use crate::report::gate::About;
use crate::results::Results;
use crate::run_dir::{CONFIRMATION, RunDir, found};

/// Holds a run against a baseline, says the outcome and ends with the gate's exit code.
///
/// # Errors
/// When there is nothing that can be compared, or the outcome can't be written.
pub fn check(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let metric = args.metric;
    let (baseline, directory) = (&baseline::found(&args.baseline), &found(&args.directory));
    let base = baseline::read(baseline)?;
    let first = Results::from(RunDir::new(directory).read(trust(args.custody))?);
    let measured = baseline_of(&first);
    let mut notes = notes(&base, &measured);
    notes.extend(first.design.caveat.clone().into_iter().chain(first.custody.clone()));

    let rule = Rule { margin: args.margin, alpha: args.alpha };
    let rule = if args.confirm.is_some() { rule.of_each_of_two_looks() } else { rule };
    let granularity = match args.by {
        CheckBy::Arm => Granularity::Only(By::Arm),
        CheckBy::Cell => Granularity::Only(By::Cell),
        CheckBy::Both => Granularity::Both,
    };
    let gate_of = |run: &Baseline, analysis: &Analysis| {
        let base = Side { baseline: &base, path: baseline };
        let run = Side { baseline: run, path: directory };
        Ok::<_, Failure>(decide(&compared(base, run, analysis, metric, granularity)?, rule))
    };
    let mut gate = gate_of(&measured, &first.analysis)?;
    if gate.outcome == GateStatus::Inconclusive
        && let Some(experiment) = &args.confirm
    {
        match confirm(args, directory, experiment, &first)? {
            Some((run, analysis)) => {
                notes.push("fresh seeds were run and tested together with the first ones".to_owned());
                gate = gate_of(&run, &analysis)?;
            }
            None => notes.push("no chain uses random draws, so fresh seeds can't confirm anything".to_owned()),
        }
    }
    let baseline = baseline.display().to_string();
    let leading = gate.leading().filter(|_| gate.outcome != GateStatus::Pass);
    let worst = leading.and_then(|unit| worst_text(&first.analysis, unit, metric));
    let (experiment, metric) = (&*first.design.name, metric.name());
    let about = About { experiment, baseline: &baseline, metric, notes: &notes, worst: worst.as_ref() };
    announce(args, directory, &gate, &about)?;
    Ok(match (gate.outcome, args.inconclusive) {
        (GateStatus::Pass, _) | (GateStatus::Inconclusive, Inconclusive::Pass | Inconclusive::Warn) => ExitCode::Ok,
        (GateStatus::Fail, _) | (GateStatus::Inconclusive, Inconclusive::Fail) => ExitCode::GateFailed,
        (GateStatus::Inconclusive, Inconclusive::Code) => ExitCode::Inconclusive,
    })
}

/// Runs the experiment with seeds after those of the run, and puts both together.
/// `None` where no chain draws.
fn confirm(
    args: &CheckArgs,
    run: &Path,
    experiment: &Path,
    first: &Results,
) -> Result<Option<(Baseline, Analysis)>, Failure> {
    let Some(last) = first.design.trials.iter().filter_map(|trial| trial.seed.map(Seed::get)).max() else {
        return Ok(None);
    };
    let directory = run.join(CONFIRMATION);
    run::run_fresh(experiment, &directory, last + 1)?;
    let fresh = Results::from(RunDir::new(directory).read(trust(args.custody))?);
    Ok(Some(pooled(first, fresh)))
}
