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
    /// Take records, plan and manifest as they are, although they were changed after they were written; the results
    /// say so.
    #[arg(long)]
    pub trust: bool,
}

/// How a run's result is printed.
#[derive(Clone, Copy, Debug, Args)]
pub struct Printed {
    /// Print the answer as a JSON object, as answer.json has it, in the place of the summary.
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
    /// The run, the study or the diagnosis: its directory, or its name in results/ [default: the one that was written to last].
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
    /// The run: its directory, such as results/temperature, or its name there.
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

/// Figures for a paper, beside those of the page. None are made unless one of these is given.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Figures for a paper (written to DIR/paper)")]
pub struct Paper {
    /// How wide each figure is, such as 85mm or 3.35in: panels are stacked to fit, and text is 6 to 8 pt.
    #[arg(long, value_name = "LENGTH", value_parser = figure_width_mm)]
    pub figure_width: Option<f64>,
    /// Leave out title, subtitle and footer, for a caption to say.
    #[arg(long)]
    pub no_title: bool,
}

#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The runs: their directories, such as results/temperature/shard-*, or their names in results/.
    #[arg(value_name = "RUN", required = true)]
    pub directories: Vec<PathBuf>,
    /// Where the whole goes. What an earlier merge put there is kept and added to.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Put together what was measured on CPUs of different kinds; the results will say so.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT,…")]
    pub allow: Vec<MergeAllowed>,
    #[command(flatten)]
    pub printed: Printed,
    #[command(flatten)]
    pub custody: Custody,
}

/// What the runs that are merged need not have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MergeAllowed {
    /// CPUs.
    Hardware,
}

#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The run to compare with: its directory, or its name in results/.
    #[arg(value_name = "A")]
    pub base: PathBuf,
    /// The other run.
    #[arg(value_name = "B")]
    pub other: PathBuf,
    /// The metric that is compared: a column of cells.csv.
    #[arg(long, value_name = "METRIC", default_value = "repetition_score", value_parser = metric(&Metric::ALL))]
    pub metric: Metric,
    /// Compare runs of which these differ, which may be why their texts do.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT,…")]
    pub allow: Vec<Allowed>,
    /// Print a JSON object.
    #[arg(long)]
    pub json: bool,
    /// Write a page as well, to be opened in a browser.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    pub custody: Custody,
}

/// What two runs need not have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Allowed {
    /// CPUs.
    Hardware,
    /// Settings of generation: numerics, context, lengths.
    Settings,
    /// The engine's version and settings.
    Engine,
    /// Model files of the same names.
    Models,
    /// Chains of the same names.
    Chains,
}

#[derive(Debug, Args)]
#[command(after_help = RECOMMEND_AFTER_HELP)]
pub struct RecommendArgs {
    /// The run: its directory, such as results/cause, or its name there.
    #[arg(value_name = "RUN")]
    pub directory: PathBuf,
    /// The greatest share of texts that may loop.
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, value_parser = share)]
    pub max_p_loop: f64,
    /// The greatest mean of the metric. A loop scores near 1, so a lower limit than that of P(loop) takes more prompts:
    /// 36 for 0.1, if none loops.
    #[arg(long, value_name = "SCORE", default_value_t = 0.2, value_parser = share)]
    pub max_score: f64,
    /// The metric that must stay under it; for scripts without spaces, covered_20_chars.
    #[arg(long, value_name = "METRIC", default_value = "repetition_score", value_parser = metric(&Limits::metrics()))]
    pub metric: Metric,
    /// Print a JSON object.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub custody: Custody,
}

const RECOMMEND_AFTER_HELP: &str = "\
That all temperatures of a chain stay under is said where the 95 % intervals of both do at each;
that some do, by limits that allow for looking at all of them. That takes prompts: of those
without a loop, P(loop) is shown to be under 0.2 with 17, and a mean under 0.1 with 36, for a text
that loops may score 1; some of 8 temperatures with 23 and 49.

With the parameters for llama-server (POST /completion), Ollama (options), vLLM and an
OpenAI-style request: what a server applies of its own is switched off, and what of the chain
each can't be told is named.";
