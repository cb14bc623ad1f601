//! `moe-sweep baseline save`, and reading what it wrote.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use miette::miette;

use super::finished::{Finished, read_run};
use super::folder::write_named;
use super::{Failure, tell, trust};
use crate::analysis::TrialResult;
use crate::check::{Baseline, Facts};
use crate::cli::BaselineSaveArgs;
use crate::exit_code::ExitCode;
use crate::manifest::Manifest;
use crate::message::say;
use crate::regular_file;

const DIRECTORY: &str = "results/baselines";

/// # Errors
/// When the run is not complete, or the file can't be written.
pub fn save(args: &BaselineSaveArgs) -> Result<ExitCode, Failure> {
    let (path, run) = places(args);
    let finished = read_run(&run, trust(args.custody))?;
    finished.custody.iter().for_each(|note| say(&format!("note: {note}")));
    let unscored =
        finished.analysis.trials.iter().filter(|trial| !matches!(trial.result, TrialResult::Scored { .. })).count();
    if unscored > 0 {
        return Err(Failure::bad_setup(miette!(
            help = "run its experiment to the end first: a baseline with gaps would compare nothing there",
            "{unscored} trials of {} failed or are missing",
            run.display()
        )));
    }
    let baseline = of_run(&finished);
    write_named(&path, &baseline.to_json(), "\"moe_sweep\"")?;
    tell(&format!("saved {} cells of {} to {}\n", baseline.cells.len(), run.display(), path.display()))
}

fn places(args: &BaselineSaveArgs) -> (PathBuf, PathBuf) {
    let is_path = Path::new(&args.name).extension().is_some_and(|extension| extension == "json");
    let path =
        if is_path { PathBuf::from(&args.name) } else { Path::new(DIRECTORY).join(format!("{}.json", args.name)) };
    let name = path.file_stem().unwrap_or_default().to_owned();
    (path, args.from.clone().unwrap_or_else(|| Path::new("results").join(name)))
}

/// A run in the form of a baseline.
pub fn of_run(finished: &Finished) -> Baseline {
    let Finished { design, manifest, analysis, .. } = finished;
    let facts = Facts {
        experiment: design.name.clone(),
        generate: design.generate,
        models: manifest.models.iter().map(|model| (model.key.model().to_owned(), model.blake3.clone())).collect(),
        chains: Facts::chains_of(design),
        prompts: Facts::prompts_of(design),
        moe_sweep: manifest.moe_sweep.clone(),
        engines: engines(manifest),
        cpus: cpus(manifest),
    };
    Baseline::new(facts, analysis)
}

fn engines(manifest: &Manifest) -> Vec<String> {
    manifest.models.iter().map(|model| model.engine.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}

fn cpus(manifest: &Manifest) -> Vec<String> {
    let cpus: BTreeSet<_> = manifest.runs.iter().filter_map(|run| run.hardware.cpu.clone()).collect();
    cpus.into_iter().collect()
}

/// # Errors
/// When there is no such file, or it is not a baseline as it was saved.
pub fn read(path: &Path) -> Result<Baseline, Failure> {
    let help = "save one with: moe-sweep baseline save NAME --from DIR";
    let json = regular_file::read(path)
        .map_err(|error| Failure::bad_setup(miette!(help = help, "cannot read {}: {error}", path.display())))?;
    Baseline::from_json(&json).map_err(|error| {
        let help =
            "take it from version control again, or save it anew from a run that you trust: moe-sweep baseline save";
        Failure::bad_setup(miette!(help = help, "cannot use the baseline {}: {error}", path.display()))
    })
}
