//! Owns the arguments of `plan` and `power`: what a design would run, and what it can show.

use std::path::PathBuf;

use clap::Args;

use super::parsers::{above_0, alpha, correlation, count, power, share};
use super::results::Custody;
use super::run::RunVariant;

#[derive(Debug, Args)]
#[command(after_help = PLAN_AFTER_HELP)]
pub struct PlanArgs {
    /// The experiment file.
    pub experiment: PathBuf,
    /// How much prompts differ: the standard deviation of their mean differences [default: 0.3;
    /// for a trend, that of levels without an effect].
    #[arg(long, value_name = "SD", value_parser = above_0)]
    pub sd: Option<f64>,
    /// Take it from this run (a folder, or a name in results/): from the hypothesis of the same name, otherwise from one
    /// with the same test and metric.
    #[arg(long, value_name = "RUN")]
    pub from: Option<PathBuf>,
    /// Print a JSON object.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub custody: Custody,
    #[command(flatten)]
    pub variant: RunVariant,
}

const PLAN_AFTER_HELP: &str = "\
For each hypothesis it prints what the prompts can decide: the smallest possible p, the effect that
would be found, and how many prompts are enough. docs/planning.md has the formulas.

Example:
  moe-sweep plan experiments/cause.toml --from results/temperature";

#[derive(Debug, Args)]
#[command(after_help = POWER_AFTER_HELP)]
pub struct PowerArgs {
    /// Number of prompts.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = count)]
    pub prompts: usize,
    /// Texts per prompt in each arm (seeds).
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = count)]
    pub texts: usize,
    /// Hypotheses tested together.
    #[arg(long, value_name = "M", default_value_t = 1, value_parser = count)]
    pub hypotheses: usize,
    /// The probability of any wrong verdict by chance, over all hypotheses.
    #[arg(long, value_name = "P", default_value_t = 0.05, value_parser = alpha)]
    pub alpha: f64,
    /// The probability of finding an effect that is there.
    #[arg(long, value_name = "P", default_value_t = 0.8, value_parser = power)]
    pub power: f64,
    /// How much prompts differ: the standard deviation of their mean differences between two arms.
    #[arg(long, value_name = "SD", default_value_t = 0.3, value_parser = above_0)]
    pub sd: f64,
    /// How similar the texts of one prompt are: the share of the variance that lies between prompts.
    #[arg(long, value_name = "SHARE", default_value_t = 0.3, value_parser = share)]
    pub icc: f64,
    /// What one more prompt costs, in texts. Used for the best number of texts per prompt.
    #[arg(long, value_name = "TEXTS", default_value_t = 1.0, value_parser = above_0)]
    pub cost_ratio: f64,
    /// Mean differences to find.
    #[arg(long, value_name = "SIZE,…", value_delimiter = ',', default_value = "0.1,0.3", value_parser = above_0)]
    pub effect: Vec<f64>,
    /// The margin of an equivalence test or a gate.
    #[arg(long, value_name = "SCORE", default_value_t = 0.05, value_parser = above_0)]
    pub margin: f64,
    /// The share of texts that loop in one arm …
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share)]
    pub from_rate: f64,
    /// … and in the other.
    #[arg(long, value_name = "SHARE", default_value_t = 0.3, value_parser = share)]
    pub to_rate: f64,
    /// How strongly the loops of a prompt's two texts are correlated. 0 needs the most prompts.
    #[arg(long, value_name = "PHI", default_value_t = 0.0, allow_negative_numbers = true, value_parser = correlation)]
    pub correlation: f64,
    /// Print a JSON object.
    #[arg(long)]
    pub json: bool,
}

const POWER_AFTER_HELP: &str = "\
The prompt is the unit of the test (a sign-flip test over prompts); more texts only make a prompt's
mean more exact. Up to 16 prompts the power is simulated, because the test is weaker than Student's
t there. docs/planning.md has the formulas and their limits for scores of looping texts.
`moe-sweep plan` prints the same for an experiment.

Examples:
  moe-sweep power --prompts 24 --hypotheses 5      what can 24 prompts show about five claims?
  moe-sweep power --sd 0.15 --margin 0.02          how many prompts does a gate of 0.02 need?
  moe-sweep power --texts 8 --icc 0.6 --json       for a program";
