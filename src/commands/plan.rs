//! Is `moe-sweep plan`, which shows what would run.

use std::path::PathBuf;

use miette::miette;

use super::variant::{overrides, spec};
use super::{Failure, and_next, study, tell, trust};
use crate::analysis::{Outlook, Spread, outlooks};
use crate::cli::PlanArgs;
use crate::domain::TrialId;
use crate::engine::Limits;
use crate::exit_code::ExitCode;
use crate::experiment::Hypothesis;
use crate::hardware::{available_memory_bytes, usable_cores};
use crate::plan::Design;
use crate::prepare::{self, load_study};
use crate::report::next::{Planned, after_plan};
use crate::report::plan::{Shown, describe};
use crate::report::planning::{self, About};
use crate::results::Results;
use crate::run_dir::{RunDir, found};
use crate::screen::Lines;

pub fn plan(args: &PlanArgs) -> Result<ExitCode, Failure> {
    if let Some(loaded) = load_study(&args.experiment, &overrides(&args.variant)?)? {
        if args.from.is_some() || args.sd.is_some() {
            return Err(Failure::usage(miette!(
                help = "leave out --sd and --from",
                "{} has no hypotheses",
                args.experiment.display()
            )));
        }
        return tell(study::plan(args, loaded)?);
    }
    let trust = trust(args.custody);
    let planned = prepare::plan(&spec(&args.experiment, &args.variant)?)?;
    let directory = &planned.directory;
    let manifest = directory.manifest(trust)?.map(|(manifest, _)| manifest);
    let journal = directory.records(trust)?;
    let limits = Limits { threads: usable_cores(), lanes: None, batch: None, memory_bytes: available_memory_bytes() };
    // An earlier run is the better measure.
    let made = |id: &TrialId| journal.records.contains_key(id);
    let span = if manifest.is_none() { planned.duration(limits, made) } else { None };
    let shown = Shown {
        experiment: &args.experiment,
        absent: planned.absent.iter().map(|absent| &absent.model).collect(),
        design: &planned.design,
        plan: &planned.plan,
        anatomies: &planned.anatomies,
        examinations: &planned.examinations,
        directory: directory.path(),
        journal: &journal,
        manifest: manifest.as_ref(),
        span,
        limits,
        claims: claims(args, &planned.design)?,
    };
    let (run, absent) = (directory.path(), shown.absent.first().map(|model| &*model.id));
    let left = shown.plan.trials().filter(|trial| !journal.records.contains_key(&trial.id)).count();
    let next = after_plan(Planned { experiment: &args.experiment, run, absent, left });
    let told = tell(and_next(describe(shown), Some(next)))?;
    planned.all_here()?;
    Ok(told)
}

/// What the design can decide of its hypotheses.
fn claims(args: &PlanArgs, design: &Design) -> Result<Lines, Failure> {
    let trust = trust(args.custody);
    let read = |from: &PathBuf| Ok::<_, Failure>(Results::from(RunDir::new(found(from)).read(trust)?));
    let earlier = args.from.as_ref().map(read).transpose()?;
    let seen = |hypothesis: &Hypothesis| {
        let earlier = earlier.as_ref()?;
        Spread::seen(hypothesis, &earlier.design.hypotheses, &earlier.analysis.trials)
    };
    let outlooks: Vec<Outlook> = outlooks(design, args.sd, seen)?;
    let from = args.from.as_ref().map(|directory| directory.display().to_string());
    Ok(planning::text(&outlooks, About { alpha: design.settings.alpha, from: from.as_deref() }))
}
