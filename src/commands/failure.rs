//! The one place where an error becomes an exit code.
//!
//! Every module has an error type of its own, and here is a `From` for each: a command uses `?` and names no code. Owns
//! which fault is whose: the command line's (2), the experiment's, the model's or the folder's (96), ours (1).

use std::io;
use std::path::Path;

use miette::{Report, miette};

use super::variant::VariantError;
use crate::analysis::MetricError;
use crate::check::{CheckError, UnlikeRuns};
use crate::exit_code::ExitCode;
use crate::model::hub::HubError;
use crate::model::{HeaderError, NotHere, UnknownModel, VerifyError};
use crate::prepare::{ArmFileError, FileError, LoadError, MemoryError, PrepareError, SurveyError, UnfitStudy};
use crate::report::plot::PlotError;
use crate::report::power::ImpossibleDesign;
use crate::run_dir::{MergeError, RunDirError};
use crate::signals::WatchError;
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
        Self { code: ExitCode::Internal, report: report.into() }
    }

    pub(super) fn usage(report: impl Into<Report>) -> Self {
        Self { code: ExitCode::Usage, report: report.into() }
    }

    pub(super) fn bad_setup(report: impl Into<Report>) -> Self {
        Self { code: ExitCode::BadSetup, report: report.into() }
    }

    /// A run that another command needs has ended with `code`.
    pub(super) fn unfinished(directory: &Path, code: ExitCode) -> Self {
        let help = "the same command goes on from where it stopped";
        Self { code, report: miette!(help = help, "{} did not come to its end", directory.display()) }
    }

    pub(super) fn no_step_summary(path: &Path, error: &io::Error) -> Self {
        Self::internal(miette!("cannot append to $GITHUB_STEP_SUMMARY, {}: {error}", path.display()))
    }
}

/// Errors that always have the same code.
macro_rules! codes {
    ($($error:ty => $code:ident),* $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self { code: ExitCode::$code, report: error.into() }
            }
        })*
    };
}

codes! {
    FileError => BadSetup,
    HeaderError => BadSetup,
    ImpossibleDesign => Usage,
    LoadError => BadSetup,
    MemoryError => BadSetup,
    MetricError => Usage,
    NotHere => BadSetup,
    SurveyError => BadSetup,
    TextError => BadSetup,
    UnknownModel => Usage,
    UnlikeRuns => BadSetup,
    Unreadable => BadSetup,
    VariantError => Usage,
    VerifyError => BadSetup,
}

/// The same of errors that have no help.
macro_rules! plain_codes {
    ($($error:ty => $code:ident),* $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self { code: ExitCode::$code, report: Report::from_err(error) }
            }
        })*
    };
}

plain_codes! {
    quick_junit::SerializeError => Internal,
    PlotError => Internal,
    StatsError => BadSetup,
    WatchError => Internal,
}

impl From<RunDirError> for Failure {
    fn from(error: RunDirError) -> Self {
        let code = match error {
            RunDirError::Write { .. } | RunDirError::Append(_) => ExitCode::Internal,
            _ => ExitCode::BadSetup,
        };
        Self { code, report: error.into() }
    }
}

impl From<PrepareError> for Failure {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::RunDir(error) => error.into(),
            PrepareError::EmptyShard { .. } => Self { code: ExitCode::NothingSelected, report: error.into() },
            PrepareError::Executable(_) => Self::internal(error),
            PrepareError::Study(UnfitStudy::ForSweeps { .. }) | PrepareError::OwnChain { .. } => Self::usage(error),
            error => Self::bad_setup(error),
        }
    }
}

impl From<SweepError> for Failure {
    fn from(error: SweepError) -> Self {
        match error {
            SweepError::RunDir(error) => error.into(),
            SweepError::Run(_) => Self::internal(error),
            SweepError::Unreachable(_) | SweepError::OutOfMemory(_) => {
                Self { code: ExitCode::Incomplete, report: error.into() }
            }
        }
    }
}

impl From<MergeError> for Failure {
    fn from(error: MergeError) -> Self {
        match error {
            MergeError::RunDir(error) => error.into(),
            error => Self::bad_setup(error),
        }
    }
}

impl From<CheckError> for Failure {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::NotGated { .. } => Self::usage(error),
            error => Self::bad_setup(error),
        }
    }
}

impl From<ArmFileError> for Failure {
    fn from(error: ArmFileError) -> Self {
        match error {
            ArmFileError::Interrupted => Self { code: ExitCode::Interrupted, report: error.into() },
            ArmFileError::File(_) | ArmFileError::Header(_) | ArmFileError::Memory(_) => Self::bad_setup(error),
        }
    }
}

impl From<StudyError> for Failure {
    fn from(error: StudyError) -> Self {
        let code = match error {
            StudyError::Interrupted => ExitCode::Interrupted,
            StudyError::Scratch(_) => ExitCode::BadSetup,
            StudyError::Session(SessionError::OutOfMemory { .. }) => ExitCode::Incomplete,
            _ => ExitCode::Internal,
        };
        Self { code, report: error.into() }
    }
}

impl From<HubError> for Failure {
    fn from(error: HubError) -> Self {
        match error {
            // A full disk is a fault of the machine.
            HubError::Io { .. } => Self::internal(error),
            _ => Self::bad_setup(error),
        }
    }
}

impl From<DevicesError> for Failure {
    fn from(error: DevicesError) -> Self {
        match error {
            DevicesError::Spawn { .. } => Self::internal(error),
            DevicesError::Unlisted(_) => Self::bad_setup(error),
        }
    }
}
