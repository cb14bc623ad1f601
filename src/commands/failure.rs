//! Is the one place where an error becomes an exit code.
//!
//! Every module has an error type of its own, and here is a `From` for each: a command uses `?` and names no code. Owns
//! which fault is whose: the command line's (2), the experiment's, the model's or the folder's (96), ours (1).

use std::io;
use std::path::Path;

use miette::{Report, miette};

use super::variant::VariantError;
use crate::causes::UnknownCause;
use crate::check::{CheckError, UnlikeRuns};
use crate::diagnosis::NoLevel;
use crate::exit_code::ExitCode::{self, BadSetup, Incomplete, Internal, Interrupted, NothingSelected, Usage};
use crate::model::hub::HubError;
use crate::model::packages::{IndexError, PackageError};
use crate::model::upcycle::UpcycleError;
use crate::model::{HeaderError, NotHere, UnknownModel, VerifyError};
use crate::prepare::{ArmFileError, LoadError, PrepareError, UnfitStudy};
use crate::report::plot::PlotError;
use crate::report::power::ImpossibleDesign;
use crate::run_dir::{MergeError, RunDirError};
use crate::signals::WatchError;
use crate::stages::StageError;
use crate::stats::StatsError;
use crate::study::{SessionError, StudyError};
use crate::sweep::SweepError;
use crate::texts::{TextError, Unreadable};
use crate::worker::DevicesError;

/// Why a command ends early: what to say, and the exit code.
#[derive(Debug)]
pub struct Failure {
    pub code: ExitCode,
    pub report: Report,
}

impl Failure {
    pub(super) fn internal(report: impl Into<Report>) -> Self {
        Self { code: Internal, report: report.into() }
    }

    pub(super) fn usage(report: impl Into<Report>) -> Self {
        Self { code: Usage, report: report.into() }
    }

    pub(super) fn bad_setup(report: impl Into<Report>) -> Self {
        Self { code: BadSetup, report: report.into() }
    }

    /// A run that another command needs has ended with `code`.
    pub(super) fn unfinished(directory: &Path, code: ExitCode) -> Self {
        let help = "run the same command to continue";
        Self { code, report: miette!(help = help, "{} did not finish", directory.display()) }
    }

    pub(super) fn no_step_summary(path: &Path, error: &io::Error) -> Self {
        Self::internal(miette!("cannot append to $GITHUB_STEP_SUMMARY, {}: {error}", path.display()))
    }
}

/// The exit code of an error.
trait Code {
    fn code(&self) -> ExitCode;
}

/// A line an error: what it is shown as, and which of its kinds ends with which code.
macro_rules! codes {
    ($($error:ty, $report:expr, $($kind:pat => $code:expr),+;)*) => {
        $(impl Code for $error {
            fn code(&self) -> ExitCode {
                match self { $($kind => $code),+ }
            }
        }

        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self { code: error.code(), report: $report(error) }
            }
        })*
    };
}

codes! {
    // Faults of what was typed.
    VariantError, Report::new, VariantError::Undetected(_) => BadSetup, _ => Usage;
    ImpossibleDesign, Report::new, _ => Usage;
    UnknownCause, Report::new, _ => Usage;
    UnknownModel, Report::new, _ => Usage;
    UnfitStudy, Report::new, UnfitStudy::ForSweeps { .. } => Usage, _ => BadSetup;
    // Faults of an experiment, a model or a folder.
    CheckError, Report::new, _ => BadSetup;
    DevicesError, Report::new, DevicesError::Spawn { .. } => Internal, DevicesError::Unlisted(_) | DevicesError::Kernels(_) => BadSetup;
    HeaderError, Report::new, _ => BadSetup;
    // A full disk is a fault of the machine.
    HubError, Report::new, HubError::Io { .. } => Internal, _ => BadSetup;
    IndexError, Report::new, error => if error.is_of_command_line() { Usage } else { BadSetup };
    LoadError, Report::new, _ => BadSetup;
    NotHere, Report::new, _ => BadSetup;
    PackageError, Report::new, error => if error.is_of_machine() { Internal } else { BadSetup };
    StatsError, Report::from_err, _ => BadSetup;
    TextError, Report::new, _ => BadSetup;
    UnlikeRuns, Report::new, _ => BadSetup;
    Unreadable, Report::new, _ => BadSetup;
    UpcycleError, Report::new,
        UpcycleError::TooManyUsed { .. } => Usage, UpcycleError::Interrupted { .. } => Interrupted,
        UpcycleError::Write { .. } => Internal, _ => BadSetup;
    VerifyError, Report::new, _ => BadSetup;
    PrepareError, Report::new,
        PrepareError::RunDir(error) => error.code(), PrepareError::Study(error) => error.code(),
        PrepareError::OwnChain { .. } => Usage, PrepareError::EmptyShard { .. } => NothingSelected,
        PrepareError::Executable(_) => Internal, _ => BadSetup;
    ArmFileError, Report::new, ArmFileError::Interrupted => Interrupted, _ => BadSetup;
    RunDirError, Report::new, RunDirError::Write { .. } | RunDirError::Append(_) => Internal, _ => BadSetup;
    MergeError, Report::new, MergeError::RunDir(error) => error.code(), _ => BadSetup;
    NoLevel, Report::new, _ => Usage;
    StageError, Report::new,
        StageError::Prepare(error) => error.code(), StageError::Sweep(error) => error.code(),
        StageError::RunDir(error) => error.code(), StageError::Create { .. } => BadSetup,
        StageError::Failed { .. } => Incomplete, StageError::Interrupted => Interrupted;
    // What happens while it runs.
    SweepError, Report::new,
        SweepError::RunDir(error) => error.code(), SweepError::Run(_) => Internal,
        SweepError::Unreachable(_) | SweepError::OutOfMemory(_) | SweepError::Crashed { .. } => Incomplete;
    StudyError, Report::new,
        StudyError::Interrupted => Interrupted, StudyError::Scratch(_) => BadSetup,
        StudyError::Session(SessionError::OutOfMemory { .. }) => Incomplete,
        _ => Internal;
    PlotError, Report::from_err, _ => Internal;
    quick_junit::SerializeError, Report::from_err, _ => Internal;
    WatchError, Report::from_err, _ => Internal;
}
