//! Is `moe-sweep diagnose`: what was typed becomes a case, its stages are run, the diagnosis is shown and written.

mod case;

use std::path::PathBuf;

use super::options::means;
use super::variant::wanted;
use super::{Failure, print_json, tell};
use crate::cli::DiagnoseArgs;
use crate::diagnosis::{Ending, Session, diagnose as course};
use crate::exit_code::ExitCode;
use crate::hardware::usable_cores;
use crate::journal::FailedTrials;
use crate::message::say;
use crate::model::memory::Room;
use crate::prepare::{NOTHING_YET, PrepareOptions, default_cache};
use crate::progress::Progress;
use crate::report::diagnosis::{Report, stage_line};
use crate::run_dir::write_whole;
use crate::seal::Trust;
use crate::signals::Watch;

pub fn diagnose(args: &DiagnoseArgs) -> Result<ExitCode, Failure> {
    let watch = Watch::at_once_from_now(NOTHING_YET)?;
    let (case, frame) = case::case(args)?;
    let directory = args.out.clone().unwrap_or_else(|| PathBuf::from("results").join(&frame.name));
    let threads = args.threads.map_or_else(usable_cores, Into::into);
    let cache = default_cache();
    let mut progress = Progress::new();
    let mut session = Session {
        frame: &frame,
        directory: &directory,
        kernels: wanted(args.kernels),
        prepare: PrepareOptions {
            cache: &cache,
            threads,
            room: Room::LEAST,
            failed: FailedTrials::Keep,
            trust: Trust::Seals,
        },
        run: &|| means(threads),
        watch: &watch,
        on_stage: &mut |stage| say(&stage_line(stage)),
        on_event: &mut |event| progress.on_event(event),
        made: Vec::new(),
    };
    let diagnosis = course(&case, &mut |stage| session.answer(stage))?;
    drop(progress);
    let report = Report { case: &case, frame: &frame, directory: &directory, diagnosis: &diagnosis };
    for (name, contents) in report.files() {
        write_whole(&directory.join(name), contents.as_bytes())?;
    }
    if args.json { print_json(&report.json())? } else { tell(&report.screen())? };
    Ok(code(diagnosis.ending))
}

fn code(ending: Ending) -> ExitCode {
    match ending {
        Ending::Cause => ExitCode::Ok,
        Ending::TwoCauses => ExitCode::TwoCauses,
        Ending::NeedsBoth => ExitCode::NeedsBoth,
        Ending::NotConfirmed => ExitCode::NotConfirmed,
        Ending::NotReproduced => ExitCode::NotReproduced,
        Ending::TooRare => ExitCode::TooRare,
        Ending::LoopsWhatever => ExitCode::LoopsWhatever,
    }
}
