//! Is `moe-sweep diagnose`: what was typed becomes a case, its stages are run, the diagnosis is shown and written.

mod case;
mod given;
mod served;

use std::path::PathBuf;

use super::options::{cache, run_options, threads};
use super::variant::wanted;
use super::{Failure, print_json, tell};
use crate::cli::DiagnoseArgs;
use crate::diagnosis::{Case, Ending, Frame, Place, Stage, diagnose as course};
use crate::exit_code::ExitCode;
use crate::journal::FailedTrials;
use crate::message::say;
use crate::model::memory::Room;
use crate::prepare::{NOTHING_YET, PrepareOptions};
use crate::progress::Progress;
use crate::report::diagnosis::{Shown, Written, file_line, files, screen, stage_line};
use crate::run_dir::write_whole;
use crate::seal::Trust;
use crate::signals::Watch;
use crate::stages::{Budget, Session, Spent, unclaimed};

pub fn diagnose(args: &DiagnoseArgs) -> Result<ExitCode, Failure> {
    let watch = Watch::at_once_from_now(NOTHING_YET)?;
    let (case, frame) = case::case(args)?;
    let directory = args.out.clone().unwrap_or_else(|| folder(&case, &frame));
    let cache = cache(&args.means);
    let mut progress = Progress::new();
    let mut session = Session {
        frame: &frame,
        directory: &directory,
        kernels: wanted(args.kernels),
        prepare: PrepareOptions {
            cache: &cache,
            threads: threads(&args.means),
            room: Room { lanes: args.means.lanes.map_or(1, Into::into), ..Room::LEAST },
            failed: FailedTrials::Retry,
            trust: Trust::Seals,
        },
        run: &|| run_options(&args.means),
        watch: &watch,
        on_stage: &mut |stage| say(&stage_line(stage)),
        on_event: &mut |event| progress.on_event(event),
        spent: Spent::of(Budget { time: args.budget, texts: args.texts.map(usize::from) }),
        made: Vec::new(),
    };
    if case.about.place == Place::File {
        say(&file_line(&case.findings));
    }
    let diagnosis = course(&case, &mut |stage| session.answer(stage))?;
    drop(progress);
    let shown = Shown { case: &case, frame: &frame, directory: &directory, diagnosis: &diagnosis };
    for (name, contents) in files(&shown) {
        write_whole(&directory.join(name), contents.as_bytes())?;
    }
    if args.json {
        print_json(&Written::of(&shown))?
    } else {
        tell(screen(&shown))?
    };
    Ok(code(diagnosis.ending))
}

/// Where it goes where nobody says where: a folder for each way in which a model is run.
fn folder(case: &Case, frame: &Frame) -> PathBuf {
    let first = Stage::first(case);
    unclaimed(&PathBuf::from("results").join(&frame.name), &first.toml(frame), |folder| {
        folder.join(format!("{}.toml", first.name()))
    })
}

fn code(ending: Ending) -> ExitCode {
    match ending {
        Ending::Cause => ExitCode::Ok,
        Ending::NoRemedyHere => ExitCode::NoRemedyHere,
        Ending::Budget => ExitCode::BudgetSpent,
        Ending::TwoCauses => ExitCode::TwoCauses,
        Ending::NeedsBoth => ExitCode::NeedsBoth,
        Ending::NotConfirmed => ExitCode::NotConfirmed,
        Ending::NotReproduced => ExitCode::NotReproduced,
        Ending::TooRare => ExitCode::TooRare,
        Ending::LoopsWhatever => ExitCode::LoopsWhatever,
    }
}
