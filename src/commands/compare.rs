//! `moe-sweep compare`: two runs, cell by cell.

use std::collections::BTreeMap;

use miette::miette;
use serde::Serialize;

use super::{Failure, print_json, tell, trust};
use crate::analysis::{self, Comparison};
use crate::check::{Facts, baseline_of};
use crate::cli::{Allowed, CompareArgs};
use crate::exit_code::ExitCode;
use crate::metrics::Metric;
use crate::report::comparison::{About, text};
use crate::results::Results;
use crate::run_dir::RunDir;

/// The comparison as `--json` writes it.
#[derive(Serialize)]
struct Answer<'a> {
    a: &'a str,
    b: &'a str,
    metric: Metric,
    #[serde(flatten)]
    comparison: &'a Comparison,
    notes: &'a [String],
}

/// # Errors
/// When a directory is no run's, or the runs differ in what `--allow` does not name.
pub fn compare(args: &CompareArgs) -> Result<ExitCode, Failure> {
    let metric = Metric::from_name(&args.metric).ok_or_else(|| {
        let names = Metric::ALL.map(Metric::name).join(", ");
        Failure::bad_setup(miette!(help = format!("use one of: {names}"), "unknown metric {:?}", args.metric))
    })?;
    let trust = trust(args.custody);
    let read = |directory: &_| Ok::<_, Failure>(Results::from(RunDir::new(directory).read(trust)?));
    let (a, b) = (read(&args.base)?, read(&args.other)?);
    let mut notes = unlike(&baseline_of(&a).facts, &baseline_of(&b).facts, &args.allow)?;
    for (name, run) in [("A", &a), ("B", &b)] {
        notes.extend(run.custody.iter().map(|note| format!("{name}: {note}")));
    }
    let comparison = analysis::compare(&a.analysis, &b.analysis, metric);
    let [a, b] = [&args.base, &args.other].map(|directory| directory.display().to_string());
    if args.json {
        return print_json(&Answer { a: &a, b: &b, metric, comparison: &comparison, notes: &notes });
    }
    tell(&text(&comparison, About { a: &a, b: &b, metric: metric.name(), notes: &notes }))
}

/// What differs and was allowed to.
///
/// # Errors
/// For what differs and was not.
fn unlike(a: &Facts, b: &Facts, allowed: &[Allowed]) -> Result<Vec<String>, Failure> {
    let shared = |a: &BTreeMap<String, String>, b: &BTreeMap<String, String>| {
        a.iter()
            .filter(|(id, value)| b.get(*id).is_some_and(|other| other != *value))
            .map(|(id, _)| id.clone())
            .collect::<Vec<_>>()
    };
    let found = [
        (
            Allowed::Hardware,
            "hardware",
            (a.cpus != b.cpus).then(|| format!("CPU: {} and {}", a.cpus.join(", "), b.cpus.join(", "))),
        ),
        (Allowed::Settings, "settings", (a.generate != b.generate).then(|| "[generate], numerics included".to_owned())),
        (
            Allowed::Engine,
            "engine",
            (a.engines != b.engines).then(|| format!("engine: {} and {}", a.engines.join(", "), b.engines.join(", "))),
        ),
        (
            Allowed::Models,
            "models",
            Some(shared(&a.models, &b.models))
                .filter(|ids| !ids.is_empty())
                .map(|ids| format!("model files called {}", ids.join(", "))),
        ),
        (
            Allowed::Chains,
            "chains",
            Some(shared(&a.chains, &b.chains))
                .filter(|ids| !ids.is_empty())
                .map(|ids| format!("chains called {}", ids.join(", "))),
        ),
    ];
    let differing = found.into_iter().filter_map(|(what, name, how)| Some((what, name, how?)));
    let (fine, refused): (Vec<_>, Vec<_>) = differing.partition(|(what, ..)| allowed.contains(what));
    if refused.is_empty() {
        return Ok(fine.into_iter().map(|(_, _, how)| format!("differs: {how}")).collect());
    }
    let names: Vec<_> = refused.iter().map(|(_, name, _)| *name).collect();
    let list: Vec<_> = refused.iter().map(|(_, _, how)| format!("  {how}")).collect();
    Err(Failure::bad_setup(miette!(
        help = format!("if that is what you want to compare: --allow {}", names.join(",")),
        "the runs differ in more than their texts:\n{}",
        list.join("\n")
    )))
}
