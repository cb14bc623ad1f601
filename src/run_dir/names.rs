//! Owns what the files in a run's folder are called. Nobody else spells these names.

/// The experiment file, as it was given.
pub const EXPERIMENT: &str = "experiment.toml";
/// The design: what of an experiment and its plan the outputs need.
pub const PLAN: &str = "plan.json";
/// Where a sweep's numbers come from.
pub const MANIFEST: &str = "manifest.json";
/// Where a study's numbers come from.
pub const STUDY: &str = "mechanism.json";
/// The journal: every trial's outcome.
pub const JOURNAL: &str = "trials.jsonl";
/// What a diagnosis came to.
pub const DIAGNOSIS: &str = "diagnosis.json";
/// What the gate decided of a run.
pub const GATE: &str = "verdict.json";
/// The folder of figures.
pub const PLOTS: &str = "plots";
/// The folder of figures that were asked for as a paper needs them.
pub const PAPER: &str = "paper";
/// A run of fresh seeds, which a gate asked for, lies in this folder.
pub const CONFIRMATION: &str = "confirm";
/// The folder in which a study's traces lie while it runs, and the file in it that says so.
pub const SCRATCH: &str = ".scratch";
pub const SCRATCH_LOCK: &str = ".scratch/lock";
/// What a file is called while it is written begins and ends so; a killed process leaves it.
pub const TEMPORARY: (&str, &str) = (".moe-sweep-", ".tmp");

/// A table, or another output that is one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Output {
    /// One row per trial.
    Trials,
    /// One row per cell and metric.
    Cells,
    /// Where texts begin to repeat themselves.
    Onset,
    /// Thoughts and answers apart.
    Parts,
    /// What a sequential run saw after each prompt.
    Looks,
    /// What took the time.
    Timings,
    /// What the hypotheses came to.
    Verdicts,
    /// What it all comes to.
    Answer,
    /// The page.
    Report,
}

impl Output {
    pub const ALL: [Self; 9] = [
        Self::Trials,
        Self::Cells,
        Self::Onset,
        Self::Parts,
        Self::Looks,
        Self::Timings,
        Self::Verdicts,
        Self::Answer,
        Self::Report,
    ];

    pub fn file_name(self) -> &'static str {
        match self {
            Self::Trials => "trials.csv",
            Self::Cells => "cells.csv",
            Self::Onset => "onset.csv",
            Self::Parts => "parts.csv",
            Self::Looks => "sequential.csv",
            Self::Timings => "timings.csv",
            Self::Verdicts => "verdicts.json",
            Self::Answer => "answer.json",
            Self::Report => "report.html",
        }
    }
}

/// Lists everything that a run writes into its folder; `PLOTS` is a folder.
pub fn written() -> impl Iterator<Item = &'static str> {
    let others = [EXPERIMENT, PLAN, MANIFEST, STUDY, JOURNAL];
    others.into_iter().chain(Output::ALL.map(Output::file_name)).chain([GATE, PLOTS])
}
