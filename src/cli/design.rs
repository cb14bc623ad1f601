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
    /// of a trend, that of levels that do nothing].
    #[arg(long, value_name = "SD", value_parser = above_0)]
    pub sd: Option<f64>,
    /// A run to take it from, by its directory or its name in results/: what it saw for the hypothesis of the same name, else
    /// for one of the same test and metric.
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
For each hypothesis it says what the prompts can decide: the least p, the effect that would be
found, the prompts that would do. docs/planning.md has the formulas.

Example:
  moe-sweep plan experiments/cause.toml --from results/temperature";

#[derive(Debug, Args)]
#[command(after_help = POWER_AFTER_HELP)]
pub struct PowerArgs {
    /// Prompts of the design.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = count)]
    pub prompts: usize,
    /// Texts of each prompt in an arm: seeds.
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = count)]
    pub texts: usize,
    /// Hypotheses that are tested together.
    #[arg(long, value_name = "M", default_value_t = 1, value_parser = count)]
    pub hypotheses: usize,
    /// The probability of any wrong verdict by chance, over all hypotheses.
    #[arg(long, value_name = "P", default_value_t = 0.05, value_parser = alpha)]
    pub alpha: f64,
    /// The probability with which an effect is to be found.
    #[arg(long, value_name = "P", default_value_t = 0.8, value_parser = power)]
    pub power: f64,
    /// How much prompts differ: the standard deviation of their mean differences between two arms.
    #[arg(long, value_name = "SD", default_value_t = 0.3, value_parser = above_0)]
    pub sd: f64,
    /// How much a prompt's texts resemble each other: the share of their variance between prompts.
    #[arg(long, value_name = "SHARE", default_value_t = 0.3, value_parser = share)]
    pub icc: f64,
    /// What one more prompt costs, in texts: for the best number of texts a prompt.
    #[arg(long, value_name = "TEXTS", default_value_t = 1.0, value_parser = above_0)]
    pub cost_ratio: f64,
    /// Mean differences that are to be found.
    #[arg(long, value_name = "SIZE,…", value_delimiter = ',', default_value = "0.1,0.3", value_parser = above_0)]
    pub effect: Vec<f64>,
    /// The margin of an equivalence, or of a gate.
    #[arg(long, value_name = "SCORE", default_value_t = 0.05, value_parser = above_0)]
    pub margin: f64,
    /// The share of texts that loop in one arm …
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share)]
    pub from_rate: f64,
    /// … and in the other.
    #[arg(long, value_name = "SHARE", default_value_t = 0.3, value_parser = share)]
    pub to_rate: f64,
    /// How much the loops of a prompt's two texts go together: 0 asks for most prompts.
    #[arg(long, value_name = "PHI", default_value_t = 0.0, allow_negative_numbers = true, value_parser = correlation)]
    pub correlation: f64,
    /// Print a JSON object.
    #[arg(long)]
    pub json: bool,
}

const POWER_AFTER_HELP: &str = "\
The prompt is the unit: signs of whole prompts are turned, and more texts only make a prompt's
mean more exact. Up to 16 prompts that test is weaker than Student's t, and is simulated.
docs/planning.md has the formulas, and how far they hold for scores that loop; `moe-sweep plan`
says the same of an experiment.

Examples:
  moe-sweep power --prompts 24 --hypotheses 5      what 24 prompts show of five claims
  moe-sweep power --sd 0.15 --margin 0.02          how many prompts a gate of 0.02 takes
  moe-sweep power --texts 8 --icc 0.6 --json       for a program";
