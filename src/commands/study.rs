//! `moe-sweep run` and `moe-sweep plan` of a study: a divergence or routing experiment.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Failure;
use super::files::Maker;
use super::folder::{refuse_foreign, write_whole};
use super::load::LoadedStudy;
use super::study_setup::{self, ReadyStudy, arm_files};
use crate::cli::{PlanArgs, RunArgs};
use crate::exit_code::ExitCode;
use crate::hardware::Hardware;
use crate::message::say_soon;
use crate::report::study::{About, Results, outline, results};
use crate::signals::Watch;
use crate::study::{self, FILE_NAME, Scratch, StudyError, Workplace};

/// What an interruption says: there is no journal.
const STOPPED: &str = "interrupted: the same command computes the experiment anew";

/// What a run has besides its options.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    pub watch: &'a Watch,
    pub threads: u32,
    /// Where quantised files are kept.
    pub cache: &'a Path,
}

/// Runs the study; its exit code and what to say of it.
///
/// # Errors
/// When it can't be run, or a model fails.
pub fn run(args: &RunArgs, loaded: LoadedStudy, means: Means<'_>) -> Result<(ExitCode, String), Failure> {
    match conduct(args, loaded, means) {
        Err(Failure { code: ExitCode::Interrupted, .. }) => {
            say_soon(STOPPED);
            Ok((ExitCode::Interrupted, String::new()))
        }
        done => done.map(|said| (ExitCode::Ok, said)),
    }
}

fn conduct(args: &RunArgs, loaded: LoadedStudy, Means { watch, threads, cache }: Means<'_>) -> Result<String, Failure> {
    let ReadyStudy { study, surveyed, text, executable, directory } =
        study_setup::set_up(&args.experiment, &args.place, loaded)?;
    study_setup::refuse_sweep(&directory)?;
    refuse_foreign(&directory, &text)?;
    let scratch = Scratch::open(&directory).map_err(StudyError::from)?;
    let maker = Maker { executable: &executable, cache, threads, watch };
    let files = arm_files(&maker, &study, &surveyed)?;
    watch.cleanly();
    let stall_timeout = Duration::from_secs(u64::from(args.stall_timeout.get()));
    let place = Workplace { executable: &executable, interrupted: watch.asked(), stall_timeout, threads };
    let run = study::Run { study: &study, surveyed: &surveyed, files: &files, place, scratch: &scratch };
    let findings = study::conduct(&run)?;
    let cpu = Hardware::survey().cpu;
    let shown = directory.display().to_string();
    let about = About { study: &study, surveyed: &surveyed, directory: &shown, cpu: cpu.as_deref() };
    let results = results(&findings, about)?;
    scratch.clear().map_err(StudyError::from)?;
    // Files are replaced whole, so there is nothing to end cleanly.
    watch.at_once(STOPPED);
    write(&directory, &results, &text, &study::json(&study, &surveyed, &files))?;
    Ok(format!("{}report:  {}\n", results.summary, directory.join("report.html").display()))
}

/// The experiment and where the numbers come from are written with the tables, so that they never stand beside those of
/// another run.
fn write(directory: &Path, results: &Results, experiment: &str, provenance: &[u8]) -> Result<(), Failure> {
    for table in &results.tables {
        write_whole(&directory.join(table.name), &table.csv)?;
    }
    for figure in &results.figures {
        let plot: PathBuf = directory.join("plots").join(&figure.name);
        let png = figure.png()?;
        write_whole(&plot.with_extension("svg"), figure.svg.as_bytes())?;
        write_whole(&plot.with_extension("png"), &png)?;
    }
    write_whole(&directory.join("experiment.toml"), experiment.as_bytes())?;
    write_whole(&directory.join(FILE_NAME), provenance)?;
    write_whole(&directory.join("report.html"), results.page.as_bytes())
}

/// What would run.
///
/// # Errors
/// When it can't be run.
pub fn plan(args: &PlanArgs, loaded: LoadedStudy) -> Result<String, Failure> {
    let ready = study_setup::set_up(&args.experiment, &args.place, loaded)?;
    Ok(outline(&ready.study, &ready.surveyed, &ready.directory.display().to_string()))
}
