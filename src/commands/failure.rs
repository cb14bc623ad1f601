//! The one place where an error becomes an exit code.
//!
//! Every module has an error type of its own, and here is a `From` for each: a command uses `?` and names no code. Owns
//! which fault is whose: the command line's (2), the experiment's, the model's or the folder's (96), ours (1).

use miette::Report;

use crate::exit_code::ExitCode;

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
}
