//! Owns the arguments of the commands that read runs: `report`, `merge`, `compare`, `recommend`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::parsers::{figure_width_mm, metric, share};
use crate::analysis::Limits;
use crate::metrics::Metric;
use crate::run_dir::RESULTS;

/// How a run's files are read.
#[derive(Clone, Copy, Debug, Args)]
pub struct Custody {
    /// Read records, plan and manifest even if they were changed after they were written. The results
    /// say so.
    #[arg(long)]
    pub trust: bool,
}

/// How a run's result is printed.
#[derive(Clone, Copy, Debug, Args)]
pub struct Printed {
    /// Print the answer as a JSON object (as in answer.json) instead of the summary.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = LS_AFTER_HELP)]
pub struct LsArgs {
    /// The folder that the runs lie in, or that of one run.
    #[arg(value_name = "DIR", default_value = RESULTS)]
    pub directory: PathBuf,
    /// Print a JSON object.
    #[arg(long)]
    pub json: bool,
}

const LS_AFTER_HELP: &str = "\
Each run has its name, what made it, its state, its trials and when it was last written to; below it
are the first words of its answer. States:
  finished       nothing is left to do
  interrupted    it was stopped or killed; the same command continues from there
  incomplete     it ended, and trials failed or are missing
  running        a process is at work in it
  unreadable     a file in it can't be read

Examples:
  moe-sweep ls                 the runs in results
  moe-sweep ls --json          for a program";

#[derive(Debug, Args)]
#[command(after_help = OPEN_AFTER_HELP)]
pub struct OpenArgs {
    /// A run, a study or a diagnosis: its folder, or its name in results/ [default: the latest].
    #[arg(value_name = "RUN")]
    pub directory: Option<PathBuf>,
}

const OPEN_AFTER_HELP: &str = "\
Prints the page's path and address, and opens nothing, in a remote shell (SSH) and where there is no
display.

Environment:
  BROWSER    the program that opens it, in a remote shell too";

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The run: its folder, such as results/temperature, or its name in results/.
    #[arg(value_name = "RUN")]
    pub directory: PathBuf,
    /// Open the page when it is written; see `open`.
    #[arg(long, conflicts_with = "json")]
    pub open: bool,
    #[command(flatten)]
    pub printed: Printed,
    #[command(flatten)]
    pub custody: Custody,
    #[command(flatten)]
    pub paper: Paper,
}

/// Figures for a paper, in addition to the report's. They are made only if one of these is given.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Figures for a paper (written to DIR/paper)")]
pub struct Paper {
    /// The width of each figure, such as 85mm or 3.35in. Panels are stacked to fit, and text is 6 to 8 pt.
    #[arg(long, value_name = "LENGTH", value_parser = figure_width_mm)]
    pub figure_width: Option<f64>,
    /// Leave out title, subtitle and footer; write them into the paper's caption.
    #[arg(long)]
    pub no_title: bool,
}

#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The shards' runs: folders, such as results/temperature/shard-*, or names in results/.
    #[arg(value_name = "RUN", required = true)]
    pub directories: Vec<PathBuf>,
    /// Write the merged run to this folder. What an earlier merge put there is kept.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Merge even if the shards ran on different kinds of CPU. The results say so.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT,…")]
    pub allow: Vec<MergeAllowed>,
    #[command(flatten)]
    pub printed: Printed,
    #[command(flatten)]
    pub custody: Custody,
}

/// What the merged runs may differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MergeAllowed {
    /// CPUs.
    Hardware,
}

#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The run to compare with: its folder, or its name in results/.
    #[arg(value_name = "A")]
    pub base: PathBuf,
    /// The other run.
    #[arg(value_name = "B")]
    pub other: PathBuf,
    /// The metric to compare: a column of cells.csv.
    #[arg(long, value_name = "METRIC", default_value = "repetition_score", value_parser = metric(&Metric::ALL))]
    pub metric: Metric,
    /// Compare runs that differ in this. It may be the reason why their texts differ.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT,…")]
    pub allow: Vec<Allowed>,
    /// Print a JSON object.
    #[arg(long)]
    pub json: bool,
    /// Also write an HTML page.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    pub custody: Custody,
}

/// What two runs may differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Allowed {
    /// CPUs.
    Hardware,
    /// Generation settings: numerics, context, lengths.
    Settings,
    /// The engine's version and settings.
    Engine,
    /// Model files with the same name.
    Models,
    /// Chains with the same name.
    Chains,
}

#[derive(Debug, Args)]
#[command(after_help = RECOMMEND_AFTER_HELP)]
pub struct RecommendArgs {
    /// The run: its folder, such as results/cause, or its name in results/.
    #[arg(value_name = "RUN")]
    pub directory: PathBuf,
    /// The largest share of texts that may loop.
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, value_parser = share)]
    pub max_p_loop: f64,
    /// The largest mean of the metric. A looping text scores near 1, so a lower limit than that of P(loop) needs more
    /// prompts: 36 for 0.1, if no text loops.
    #[arg(long, value_name = "SCORE", default_value_t = 0.2, value_parser = share)]
    pub max_score: f64,
    /// The metric that must stay below it. For languages without spaces, use covered_20_chars.
    #[arg(long, value_name = "METRIC", default_value = "repetition_score", value_parser = metric(&Limits::metrics()))]
    pub metric: Metric,
    /// Print a JSON object.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub custody: Custody,
}

const RECOMMEND_AFTER_HELP: &str = "\
A temperature passes if the 95 % intervals of both metrics lie below the limits. If only some
temperatures of a chain pass, wider intervals are used, because several were looked at. You need
enough prompts: with no loops seen, 17 prompts show P(loop) < 0.2 and 36 show a mean < 0.1; for some
of 8 temperatures, 23 and 49.

It prints the parameters for llama-server (POST /completion), Ollama (options), vLLM and an
OpenAI-style request. They switch off what a server adds by itself. Settings that a server
can't be given are listed.";
