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
    /// The run: its folder, or its name in results/ [default: NAME].
    #[arg(long, value_name = "RUN")]
    pub from: Option<PathBuf>,
    #[command(flatten)]
    pub custody: Custody,
}

#[derive(Debug, Args)]
#[command(after_help = CHECK_AFTER_HELP)]
pub struct CheckArgs {
    /// The run: its folder, or its name in results/.
    #[arg(value_name = "RUN")]
    pub directory: PathBuf,
    /// The baseline: a file that `baseline save` wrote, or its name in results/baselines/.
    #[arg(long, value_name = "BASELINE")]
    pub baseline: PathBuf,
    /// The metric that must not become worse.
    #[arg(long, value_name = "METRIC", default_value = "repetition_score", value_parser = metric(&Baseline::GATED))]
    pub metric: Metric,
    /// The largest increase to tolerate.
    #[arg(long, value_name = "SCORE", default_value_t = 0.05, value_parser = above_0)]
    pub margin: f64,
    /// The probability of failing, or of passing, by chance.
    #[arg(long, value_name = "P", default_value_t = 0.05, value_parser = alpha)]
    pub alpha: f64,
    /// Decide for each model and chain over all its temperatures (arm), for each cell, or for both: then every arm must
    /// pass, and any cell can fail.
    #[arg(long, value_enum, default_value = "both")]
    pub by: CheckBy,
    /// What to do if the result is inconclusive.
    #[arg(long, value_enum, default_value = "code")]
    pub inconclusive: Inconclusive,
    /// If the result is inconclusive, run this experiment with fresh seeds into RUN/confirm and
    /// decide from both runs. Each look uses half of alpha.
    #[arg(long, value_name = "EXPERIMENT")]
    pub confirm: Option<PathBuf>,
    /// Print the outcome as a JSON object instead of words.
    #[arg(long)]
    pub json: bool,
    /// Write the outcome as JSON to this file [default: RUN/verdict.json].
    #[arg(long, value_name = "FILE")]
    pub json_out: Option<PathBuf>,
    /// Also write an HTML page.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Also write a JUnit report.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    #[command(flatten)]
    pub custody: Custody,
}

const CHECK_AFTER_HELP: &str = "\
Fails only if a score is shown to be worse by more than the margin, and passes only if every
score is shown not to be. In GitHub Actions ($GITHUB_ACTIONS) it writes annotations, and a summary
to $GITHUB_STEP_SUMMARY. docs/ci.md has a workflow and the gate's error rates.

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
