//! Holds a run beside its baseline: makes the units that a gate decides about, or says why there are none.

use std::path::{Path, PathBuf};

use miette::Diagnostic;

use super::{Baseline, BaselineError, By, Facts, Unit, differences, units};
use crate::analysis::Analysis;
use crate::metrics::Metric;

/// Why a gate can't decide.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum CheckError {
    #[error("cannot read {path}: {error}", path = path.display())]
    #[diagnostic(help("save one with: moe-sweep baseline save NAME --from DIR"))]
    NoBaseline { path: PathBuf, error: std::io::Error },
    #[error("cannot use the baseline {path}: {error}", path = path.display())]
    #[diagnostic(help(
        "restore it from version control, or save it again from a run that you trust: moe-sweep baseline save"
    ))]
    BadBaseline { path: PathBuf, error: BaselineError },
    #[error("{run} can't be compared with {baseline}:\n{list}", run = run.display(), baseline = baseline.display())]
    #[diagnostic(help(
        "run the baseline's experiment to the end, or save a new baseline if the change is intended: moe-sweep \
         baseline save"
    ))]
    Different {
        run: PathBuf,
        baseline: PathBuf,
        /// A line a difference.
        list: String,
    },
    #[error("the baseline does not contain the metric {}", metric.name())]
    #[diagnostic(help("choose another metric, or save the baseline again from its own run: moe-sweep baseline save"))]
    NotKept { metric: Metric },
}

/// Which units a gate looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    /// Units of one kind.
    Only(By),
    /// Arms, and their cells where an arm has several.
    Both,
}

/// One of the two that are compared, and where it is.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    pub baseline: &'a Baseline,
    /// The baseline's file, or the run's folder.
    pub path: &'a Path,
}

/// Makes what the gate decides about; `analysis` is the run's.
///
/// # Errors
/// When the two are not of the same experiment, or the baseline does not keep the metric.
pub fn compared(
    base: Side<'_>,
    run: Side<'_>,
    analysis: &Analysis,
    metric: Metric,
    granularity: Granularity,
) -> Result<Vec<Unit>, CheckError> {
    let found = differences(base.baseline, run.baseline);
    if !found.is_empty() {
        const SHOWN: usize = 20;
        let mut list: Vec<String> = found.iter().take(SHOWN).map(|difference| format!("  {difference}")).collect();
        if found.len() > SHOWN {
            list.push(format!("  and {} more", found.len() - SHOWN));
        }
        let (run, baseline) = (run.path.to_owned(), base.path.to_owned());
        return Err(CheckError::Different { run, baseline, list: list.join("\n") });
    }
    let by = |by| units(base.baseline, run.baseline, analysis, metric, by);
    let looked_at = match granularity {
        Granularity::Only(only) => by(only),
        Granularity::Both => by(By::Arm).zip(by(By::Cell)).map(|(arms, cells)| {
            // An arm of one temperature is its cell.
            let cells = if cells.len() > arms.len() { cells } else { vec![] };
            arms.into_iter().chain(cells).collect()
        }),
    };
    looked_at.ok_or(CheckError::NotKept { metric })
}

/// Says what differs that may differ, and is good to know.
pub fn notes(base: &Baseline, run: &Baseline) -> Vec<String> {
    let (theirs, ours) = (&base.facts, &run.facts);
    let changed = |what: &str, theirs: &[String], ours: &[String]| {
        (theirs != ours).then(|| format!("{what}: {} in the baseline, {} now", theirs.join(", "), ours.join(", ")))
    };
    let version = |facts: &Facts| vec![facts.moe_sweep.clone()];
    [
        changed("moe-sweep", &version(theirs), &version(ours)),
        changed("engine", &theirs.engines, &ours.engines),
        changed("CPU", &theirs.cpus, &ours.cpus),
    ]
    .into_iter()
    .flatten()
    .collect()
}
