//! Owns the arguments of `baseline` and `check`: what a run is held against, and how strictly.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::parsers::{above_0, alpha, metric};
use super::results::Custody;
use crate::check::Baseline;
use crate::metrics::Metric;

#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// Save a run's scores as results/baselines/NAME.json.
    Save(BaselineSaveArgs),
    /// List the baselines in results/baselines.
    List,
}

#[derive(Debug, Args)]
pub struct BaselineSaveArgs {
    /// The baseline's name, or a path that ends in .json.
    pub name: String,
    /// The run: its directory, or its name in results/ [default: NAME].
    #[arg(long, value_name = "RUN")]
    pub from: Option<PathBuf>,
    #[command(flatten)]
    pub custody: Custody,
}

#[derive(Debug, Args)]
#[command(after_help = CHECK_AFTER_HELP)]
pub struct CheckArgs {
    /// The run: its directory, or its name in results/.
    #[arg(value_name = "RUN")]
    pub directory: PathBuf,
    /// The baseline: a file that `baseline save` wrote, or its name in results/baselines/.
    #[arg(long, value_name = "BASELINE")]
    pub baseline: PathBuf,
    /// What must not become worse.
    #[arg(long, value_name = "METRIC", default_value = "repetition_score", value_parser = metric(&Baseline::GATED))]
    pub metric: Metric,
    /// It may become worse by so much.
    #[arg(long, value_name = "SCORE", default_value_t = 0.05, value_parser = above_0)]
    pub margin: f64,
    /// The probability of failing, or of passing, by chance.
    #[arg(long, value_name = "P", default_value_t = 0.05, value_parser = alpha)]
    pub alpha: f64,
    /// Decide about each model and chain over its temperatures, about each cell, or both: then all of the former must
    /// pass, and any cell may fail.
    #[arg(long, value_enum, default_value = "both")]
    pub by: CheckBy,
    /// What to do where neither is shown.
    #[arg(long, value_enum, default_value = "code")]
    pub inconclusive: Inconclusive,
    /// Where neither is shown, run this experiment with fresh seeds into RUN/confirm, and
    /// decide over both. Each look takes half of alpha.
    #[arg(long, value_name = "EXPERIMENT")]
    pub confirm: Option<PathBuf>,
    /// Print the outcome as a JSON object, in the place of words.
    #[arg(long)]
    pub json: bool,
    /// Where the outcome goes as JSON [default: RUN/verdict.json].
    #[arg(long, value_name = "FILE")]
    pub json_out: Option<PathBuf>,
    /// Write a page as well, to be opened in a browser.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write a JUnit report as well.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    #[command(flatten)]
    pub custody: Custody,
}

const CHECK_AFTER_HELP: &str = "\
Fails only if a score is shown to be worse by more than the margin, and passes only if all
are shown not to be. In GitHub Actions ($GITHUB_ACTIONS) it writes annotations, and a summary
to $GITHUB_STEP_SUMMARY. docs/ci.md has a workflow, and how often it errs.

Exit codes:
  0 pass · 5 inconclusive · 96 nothing that can be compared · 100 fail";

/// What a gate decides about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckBy {
    Arm,
    Cell,
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Inconclusive {
    /// Exit 5.
    Code,
    /// Exit 0.
    Pass,
    /// Exit 0 with a warning.
    Warn,
    /// Exit 100.
    Fail,
}
