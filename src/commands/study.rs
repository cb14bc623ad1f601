//! Is `moe-sweep run` and `moe-sweep plan` of a study: a divergence or routing experiment.

use std::path::Path;
use std::time::Duration;

use miette::miette;

use super::Failure;
use super::options::{cache, threads};
use super::outputs::Told;
use super::variant::spec;
use crate::cli::{PlanArgs, RunArgs};
use crate::exit_code::ExitCode;
use crate::hardware::Hardware;
use crate::message::say_soon;
use crate::prepare::{LoadedStudy, NOTHING_YET, Quantiser, ReadyStudy, arm_files, prepare_study};
use crate::report::study::{About, Outputs, outline, outputs};
use crate::run_dir::{Output, RunDir};
use crate::signals::Watch;
use crate::study::{self, Scratch, StudyError, Workplace};

/// What an interruption says: there is no journal.
const STOPPED: &str = "interrupted: the same command computes the experiment anew";

/// Runs the study; returns its exit code and what to say of it.
///
/// # Errors
/// When it can't be run, or a model fails.
pub fn run(args: &RunArgs, loaded: LoadedStudy) -> Result<(ExitCode, Told), Failure> {
    refuse_json(args.printed.json, &args.experiment)?;
    match conduct(args, loaded) {
        Err(Failure { code: ExitCode::Interrupted, .. }) => {
            say_soon(STOPPED);
            Ok((ExitCode::Interrupted, Told::default()))
        }
        done => done.map(|text| (ExitCode::Ok, Told { text, json: vec![] })),
    }
}

/// A study comes to tables, and to no answer.
fn refuse_json(json: bool, experiment: &Path) -> Result<(), Failure> {
    if !json {
        return Ok(());
    }
    let help = "leave out --json, and read the tables in its folder";
    Err(Failure::usage(miette!(help = help, "{} is no sweep, and has no answer in JSON", experiment.display())))
}

fn conduct(args: &RunArgs, loaded: LoadedStudy) -> Result<String, Failure> {
    if args.minutes.is_some() {
        let help = "leave out --minutes; --limit N takes fewer prompts";
        let file = args.experiment.display();
        return Err(Failure::usage(miette!(
            help = help,
            "{file} is computed whole: there is nothing to continue from"
        )));
    }
    let watch = Watch::at_once_from_now(NOTHING_YET)?;
    let (cache, threads) = (cache(&args.means), threads(&args.means));
    let ReadyStudy { study, surveyed, text, executable, directory } =
        prepare_study(&spec(&args.experiment, &args.variant)?, loaded)?;
    directory.must_suit_study(&text)?;
    let scratch = Scratch::open(directory.path()).map_err(StudyError::from)?;
    let quantiser = Quantiser { executable: &executable, cache: &cache, threads, watch: &watch };
    let files = arm_files(&quantiser, &study, &surveyed)?;
    watch.cleanly();
    let stall_timeout = Duration::from_secs(u64::from(args.means.stall_timeout.get()));
    let place = Workplace { executable: &executable, interrupted: watch.asked(), stall_timeout, threads };
    let run = study::Run { study: &study, surveyed: &surveyed, files: &files, place, scratch: &scratch };
    let findings = study::conduct(&run)?;
    let cpu = Hardware::survey().cpu;
    let shown = directory.path().display().to_string();
    let about = About { study: &study, surveyed: &surveyed, directory: &shown, cpu: cpu.as_deref() };
    let outputs = outputs(&findings, about)?;
    scratch.clear().map_err(StudyError::from)?;
    // Files are replaced whole, so there is nothing to end cleanly.
    watch.at_once(STOPPED);
    write(&directory, &outputs, &text, &study::json(&study, &surveyed, &files))?;
    Ok(format!("{}report:  {}\n", outputs.summary, directory.output(Output::Report).display()))
}

/// The experiment and where the numbers come from are written with the tables, so that they never stand beside those of
/// another run.
fn write(directory: &RunDir, outputs: &Outputs, experiment: &str, provenance: &[u8]) -> Result<(), Failure> {
    for table in &outputs.tables {
        directory.write_table(table.name, &table.csv)?;
    }
    for figure in &outputs.figures {
        directory.write_plot(&figure.name, &figure.svg, &figure.png()?)?;
    }
    Ok(directory.write_study(experiment, provenance, &outputs.page)?)
}

/// Says what would run.
///
/// # Errors
/// When it can't be run.
pub fn plan(args: &PlanArgs, loaded: LoadedStudy) -> Result<String, Failure> {
    refuse_json(args.json, &args.experiment)?;
    let ready = prepare_study(&spec(&args.experiment, &args.variant)?, loaded)?;
    Ok(outline(&ready.study, &ready.surveyed, &ready.directory.path().display().to_string()))
}
