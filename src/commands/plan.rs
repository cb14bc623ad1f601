//! Is `moe-sweep plan`, which shows what would run.

use std::path::PathBuf;

use miette::miette;

use super::variant::{overrides, spec};
use super::{Failure, print_json, study, tell, trust};
use crate::analysis::{Outlook, Spread, outlooks};
use crate::cli::PlanArgs;
use crate::domain::TrialId;
use crate::engine::Limits;
use crate::exit_code::ExitCode;
use crate::experiment::Hypothesis;
use crate::hardware::{available_memory_bytes, usable_cores};
use crate::plan::Design;
use crate::prepare::{self, load_study};
use crate::report::plan::{Shown, describe};
use crate::report::plan_json::Written;
use crate::report::planning::{self, About};
use crate::results::Results;
use crate::run_dir::{RunDir, found};

pub fn plan(args: &PlanArgs) -> Result<ExitCode, Failure> {
    if let Some(loaded) = load_study(&args.experiment, &overrides(&args.variant)?)? {
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
    let planned = prepare::plan(&spec(&args.experiment, &args.variant)?)?;
    let directory = &planned.directory;
    let manifest = directory.manifest(trust)?.map(|(manifest, _)| manifest);
    let journal = directory.records(trust)?;
    let limits = Limits { threads: usable_cores(), lanes: None, batch: None, memory_bytes: available_memory_bytes() };
    // An earlier run is the better measure.
    let made = |id: &TrialId| journal.records.contains_key(id);
    let span = if manifest.is_none() { planned.duration(limits, made) } else { None };
    let outlooks = outlooks_of(args, &planned.design)?;
    let from = args.from.as_ref().map(|directory| directory.display().to_string());
    let claims = planning::text(&outlooks, About { alpha: planned.design.settings.alpha, from: from.as_deref() });
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
        claims: &claims,
    };
    let told = if args.json { print_json(&Written::of(&shown, &outlooks))? } else { tell(&describe(&shown))? };
    planned.all_here()?;
    Ok(told)
}

/// What the design can decide of its hypotheses.
fn outlooks_of(args: &PlanArgs, design: &Design) -> Result<Vec<Outlook>, Failure> {
    let trust = trust(args.custody);
    let read = |from: &PathBuf| Ok::<_, Failure>(Results::from(RunDir::new(found(from)).read(trust)?));
    let earlier = args.from.as_ref().map(read).transpose()?;
    let seen = |hypothesis: &Hypothesis| {
        let earlier = earlier.as_ref()?;
        Spread::seen(hypothesis, &earlier.design.hypotheses, &earlier.analysis.trials)
    };
    Ok(outlooks(design, args.sd, seen)?)
}
