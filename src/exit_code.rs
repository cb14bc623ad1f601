//! Owns the exit codes, which are documented here, in `--help` and in the README. Must not know which error ends with
//! which: `commands/failure.rs` says that.

/// What a finished command tells the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    Ok = 0,
    /// A fault of moe-sweep's, or of the machine while it ran: a full disk.
    Internal = 1,
    /// The command line is not understood: an option or a name that there is not, whatever it is of (a metric, a model,
    /// a chain). clap exits with this one itself.
    Usage = 2,
    /// Some trials failed or are missing, or the run ended before it tried them: a server is gone, memory is short, the
    /// engine dies whatever it is asked.
    Incomplete = 3,
    /// A shard without trials: there are more shards than prompts.
    NothingSelected = 4,
    /// A gate that can tell neither.
    Inconclusive = 5,
    /// `diagnose`: no text loops.
    NotReproduced = 10,
    /// `diagnose`: so few texts loop that no cause can be found by them.
    TooRare = 11,
    /// `diagnose`: nothing that was tried is shown to make it loop less.
    LoopsWhatever = 12,
    /// `diagnose`: a suspect was found, and fresh prompts do not confirm it.
    NotConfirmed = 13,
    /// `diagnose`: two causes, each with a part of the loops.
    TwoCauses = 14,
    /// `diagnose`: two switches together do what neither is shown to do.
    NeedsBoth = 15,
    /// `diagnose`: the budget was spent before there was an answer; the same command with a larger one goes on.
    BudgetSpent = 16,
    /// `diagnose`: a cause, its remedy confirmed, and no setting for it in the runtime that the model is run by.
    NoRemedyHere = 17,
    /// A bad experiment file, model or directory: nothing was run.
    BadSetup = 96,
    /// A gate's score is worse than its baseline.
    GateFailed = 100,
    /// Stopped by Ctrl-C, SIGTERM or a closed terminal; the same command resumes.
    Interrupted = 130,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
