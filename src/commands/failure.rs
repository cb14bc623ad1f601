//! The one place where an error becomes an exit code.
//!
//! Every module has an error type of its own, and here is a `From` for each: a command uses `?` and names no code. Owns
//! which fault is whose: the command line's (2), the experiment's, the model's or the folder's (96), ours (1).

use miette::Report;

use super::study_setup::{ArmFileError, UnfitStudy};
use super::survey::SurveyError;
use crate::exit_code::ExitCode;
use crate::report::plot::PlotError;
use crate::study::{SessionError, StudyError};

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

    pub(super) fn incomplete(report: impl Into<Report>) -> Self {
        Self { code: ExitCode::Incomplete, report: report.into() }
    }

    pub(super) fn interrupted(report: impl Into<Report>) -> Self {
        Self { code: ExitCode::Interrupted, report: report.into() }
    }

    pub(super) fn usage(report: impl Into<Report>) -> Self {
        Self { code: ExitCode::Usage, report: report.into() }
    }

    pub(super) fn bad_setup(report: impl Into<Report>) -> Self {
        Self { code: ExitCode::BadSetup, report: report.into() }
    }
}

impl From<SurveyError> for Failure {
    fn from(error: SurveyError) -> Self {
        Self::bad_setup(error)
    }
}

impl From<UnfitStudy> for Failure {
    fn from(error: UnfitStudy) -> Self {
        match error {
            UnfitStudy::ForSweeps { .. } => Self::usage(error),
            UnfitStudy::SeedOffset { .. }
            | UnfitStudy::Opaque { .. }
            | UnfitStudy::Dense { .. }
            | UnfitStudy::Sweep { .. } => Self::bad_setup(error),
        }
    }
}

impl From<ArmFileError> for Failure {
    fn from(error: ArmFileError) -> Self {
        match error {
            ArmFileError::Interrupted => Self::interrupted(error),
            ArmFileError::File(_) | ArmFileError::Header(_) | ArmFileError::Memory(_) => Self::bad_setup(error),
        }
    }
}

impl From<StudyError> for Failure {
    fn from(error: StudyError) -> Self {
        match error {
            StudyError::Interrupted => Self::interrupted(error),
            StudyError::Scratch(_) => Self::bad_setup(error),
            StudyError::Session(SessionError::OutOfMemory { .. }) => Self::incomplete(error),
            _ => Self::internal(error),
        }
    }
}

impl From<PlotError> for Failure {
    fn from(error: PlotError) -> Self {
        Self::internal(Report::from_err(error))
    }
}
