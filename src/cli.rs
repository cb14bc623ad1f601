//! The command line: what can be typed, and what `--help` teaches.
//!
//! The only place that knows clap. Owns no behaviour.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Finds out why a mixture-of-experts model repeats itself.
///
/// An experiment file names the factors: model, sampler chain, temperature,
/// expert offload, quantisation, prompts, seeds. moe-sweep runs every combination in
/// llama.cpp, scores the repetition of each text, and writes tables and plots.
#[derive(Debug, Parser)]
#[command(name = "moe-sweep", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  moe-sweep plan experiments/temperature.toml    what would run, and how much of it is done
  moe-sweep power --prompts 24 --hypotheses 5    what 24 prompts can show, and how many would do
  moe-sweep run experiments/temperature.toml     run it, or resume it: finished trials are kept
  moe-sweep report results/temperature           its tables, plots and report anew, without a model
  moe-sweep score --lines answers.txt            score texts from anywhere
  moe-sweep model fetch gpt-oss-20b              fetch a full-size model, once

Exit codes:
  0 ok · 1 internal error · 2 usage · 3 incomplete: some trials failed or are missing
  4 nothing selected · 5 inconclusive gate · 96 bad experiment or set-up, nothing was run · 100 gate failed
  130 interrupted, run again to resume";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what an experiment would run, and run nothing.
    Plan(PlanArgs),
    /// Say what a design can see, and how many prompts would do, without an experiment.
    Power(PowerArgs),
    /// Run an experiment, or what is left of it, and write its outputs.
    Run(RunArgs),
    /// Write a run's tables, plots and report anew from its journal, without a model.
    Report(ReportArgs),
    /// Put the runs of an experiment's shards together, as if one machine had run it.
    Merge(MergeArgs),
    /// Say up to which temperature a run's models stay clean, or which chain is at fault.
    Recommend(RecommendArgs),
    /// Compare two runs, cell by cell, paired by prompt.
    Compare(CompareArgs),
    /// Save what a run scored, for `check`.
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Check a run against a baseline: exit 0, 100 if it is worse, 5 if that can't be told.
    Check(CheckArgs),
    /// List what llama.cpp can compute on here: the host, and GPUs that offload spares.
    Devices(DevicesArgs),
    /// List, inspect, fetch and check models.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Score texts from anywhere: a table on stdout, a row a text.
    Score(ScoreArgs),
    /// Print a shell's completion script.
    ///
    /// For bash: moe-sweep completions bash > ~/.local/share/bash-completion/completions/moe-sweep
    Completions { shell: Shell },
    /// Print the manual page: moe-sweep man | man -l -
    Man,
    /// Serve one model to a parent process.
    #[command(hide = true)]
    Worker,
}

#[derive(Debug, Args)]
#[command(after_help = DEVICES_AFTER_HELP)]
pub struct DevicesArgs {
    /// Print a JSON object, bytes exact.
    #[arg(long)]
    pub json: bool,
}

const DEVICES_AFTER_HELP: &str = "\
Weights go to the GPUs listed; the experts that `offload` names stay on the host. Where none is
listed, offload moves nothing, and the last line says what to do.

Environment:
  GGML_VK_VISIBLE_DEVICES=0   use this Vulkan driver, even one that runs on the CPU (lavapipe)
  CUDA_VISIBLE_DEVICES=0      use this CUDA device";

#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// List the models that an experiment can name, and which of them are here.
    List(ModelListArgs),
    /// Show what a model is: experts, shape, tokenizer, bytes, memory.
    Inspect(ModelInspectArgs),
    /// Fetch models from the Hugging Face hub into its cache.
    Fetch(ModelFetchArgs),
    /// Compare models with their SHA-256.
    Verify(ModelVerifyArgs),
}

/// Which models are known.
#[derive(Debug, Args)]
pub struct Known {
    /// An experiment file, whose own models are known as well.
    ///
    /// Without it: the models of the nearest models/catalog.toml.
    #[arg(long, value_name = "FILE")]
    pub experiment: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ModelListArgs {
    #[command(flatten)]
    pub known: Known,
    /// Print a JSON list.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = INSPECT_AFTER_HELP)]
pub struct ModelInspectArgs {
    /// A GGUF file, of a split set the first part; or a model's name.
    #[arg(value_name = "FILE|ID")]
    pub model: String,
    #[command(flatten)]
    pub known: Known,
    /// Tokens of context for each text, for the estimate of memory.
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..))]
    pub context: u32,
    /// Print a JSON object, bytes exact.
    #[arg(long)]
    pub json: bool,
}

const INSPECT_AFTER_HELP: &str = "\
Reads the file's header and no weights. Experts are the tensors that `offload`
moves: those of routed experts, not the shared ones nor the router. Memory is an
estimate from above: cache and buffers of llama.cpp, weights as in the file.";

#[derive(Debug, Args)]
#[command(after_help = FETCH_AFTER_HELP)]
pub struct ModelFetchArgs {
    /// The models' names.
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    #[command(flatten)]
    pub known: Known,
    /// Use no network: say where the models are, or that they are not here.
    #[arg(long)]
    pub offline: bool,
    /// Fetch again what is cached.
    #[arg(long, conflicts_with = "offline")]
    pub force: bool,
}

const FETCH_AFTER_HELP: &str = "\
What breaks off goes on from where it was: run the same command again. Each
model's path is printed on stdout when all of it is there and its hash is right.

Environment, as for the hub's own clients:
  HF_TOKEN         for models whose licence must be accepted, and private ones
  HF_HUB_CACHE     where files go [default: $HF_HOME/hub, or ~/.cache/huggingface/hub]
  HF_ENDPOINT      a mirror of the hub
  HF_HUB_OFFLINE   1: as --offline";

#[derive(Debug, Args)]
pub struct ModelVerifyArgs {
    /// The models' names.
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub ids: Vec<String>,
    #[command(flatten)]
    pub known: Known,
    /// All models that are here.
    #[arg(long, conflicts_with = "ids")]
    pub all: bool,
}

#[derive(Debug, Args)]
#[command(after_help = PLAN_AFTER_HELP)]
pub struct PlanArgs {
    /// The experiment file.
    pub experiment: PathBuf,
    #[command(flatten)]
    pub variant: RunVariant,
    /// How much prompts differ: the standard deviation of their mean differences [default: 0.3;
    /// of a trend, that of levels that do nothing].
    #[arg(long, value_name = "SD", value_parser = above_0)]
    pub sd: Option<f64>,
    /// A run's directory to take it from: what it saw for the hypothesis of the same name, else
    /// for one of the same test and metric.
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
    #[command(flatten)]
    pub custody: Custody,
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

#[derive(Debug, Args)]
pub struct RunArgs {
    /// The experiment file.
    pub experiment: PathBuf,
    #[command(flatten)]
    pub variant: RunVariant,
    /// Threads for llama.cpp [default: the cores that this process may use].
    ///
    /// More threads than free cores are slower by far.
    #[arg(long, value_name = "N", env = "MOE_SWEEP_THREADS")]
    pub threads: Option<NonZeroU32>,
    /// Contexts that decode side by side, the threads shared out among them
    /// [default: one a core for small models, one in all for large ones].
    #[arg(long, value_name = "N", env = "MOE_SWEEP_LANES")]
    pub lanes: Option<NonZeroU32>,
    /// Texts decoded together in a lane, at most 255
    /// [default: 64, or all of a prompt if they are more, as far as memory allows].
    ///
    /// Changes the speed and, with numerics = "invariant", nothing else.
    #[arg(long, value_name = "N", env = "MOE_SWEEP_BATCH", value_parser = clap::value_parser!(u32).range(1..=255))]
    pub batch: Option<u32>,
    /// Which samplers choose the tokens. The tokens are the same; `llama` is slower.
    #[arg(long, value_enum, default_value = "fast", env = "MOE_SWEEP_SAMPLERS")]
    pub samplers: SamplersArg,
    /// Which texts share evaluations. The tokens are the same; all but `trie` are slower.
    #[arg(long, value_enum, default_value = "trie", hide = true)]
    pub sharing: SharingArg,
    /// Give a model that shows no sign of life for so many seconds up.
    #[arg(long, value_name = "SECONDS", env = "MOE_SWEEP_STALL_TIMEOUT", default_value = "600")]
    pub stall_timeout: NonZeroU32,
    /// Wait so many seconds for memory, where a model finds too little, before the run ends as incomplete.
    ///
    /// The model is loaded again after 1, 5, 30, 30 … seconds, for half as many texts together each time.
    #[arg(long, value_name = "SECONDS", env = "MOE_SWEEP_WAIT_FOR_MEMORY", default_value = "100")]
    pub wait_for_memory: u32,
    /// Where files made for `quant` are kept [default: the user's cache directory, moe-sweep].
    #[arg(long, value_name = "DIR", env = "MOE_SWEEP_CACHE")]
    pub cache: Option<PathBuf>,
    /// Try trials again that an earlier run recorded as failed.
    #[arg(long)]
    pub retry_failed: bool,
    #[command(flatten)]
    pub custody: Custody,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// A run's directory, such as results/temperature.
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    #[command(flatten)]
    pub custody: Custody,
}

#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The runs' directories, such as results/temperature/shard-*.
    #[arg(value_name = "DIR", required = true)]
    pub directories: Vec<PathBuf>,
    /// Where the whole goes. What an earlier merge put there is kept and added to.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Put together what was measured on CPUs of different kinds; the results will say so.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT,…")]
    pub allow: Vec<MergeAllowed>,
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
    /// The run's directory to compare with.
    #[arg(value_name = "A")]
    pub base: PathBuf,
    /// The other run's.
    #[arg(value_name = "B")]
    pub other: PathBuf,
    /// The metric that is compared: a column of cells.csv.
    #[arg(long, value_name = "METRIC", default_value = "repetition_score")]
    pub metric: String,
    /// Compare runs of which these differ, which may be why their texts do.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT,…")]
    pub allow: Vec<Allowed>,
    /// Print a JSON object.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub custody: Custody,
}

/// How a run's files are read.
#[derive(Clone, Copy, Debug, Args)]
pub struct Custody {
    /// Take records, plan and manifest as they are, although they were changed after they were written; the results
    /// say so.
    #[arg(long)]
    pub trust: bool,
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

#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// Save a run's scores as results/baselines/NAME.json.
    Save(BaselineSaveArgs),
}

#[derive(Debug, Args)]
pub struct BaselineSaveArgs {
    /// The baseline's name, or a path that ends in .json.
    pub name: String,
    /// The run's directory [default: results/NAME].
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
    #[command(flatten)]
    pub custody: Custody,
}

#[derive(Debug, Args)]
#[command(after_help = CHECK_AFTER_HELP)]
pub struct CheckArgs {
    /// The run's directory.
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// A file that `baseline save` wrote.
    #[arg(long, value_name = "FILE")]
    pub baseline: PathBuf,
    /// What must not become worse.
    #[arg(long, value_name = "METRIC", default_value = "repetition_score")]
    pub metric: String,
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
    /// Where neither is shown, run this experiment with fresh seeds into DIR/confirm, and
    /// decide over both. Each look takes half of alpha.
    #[arg(long, value_name = "EXPERIMENT")]
    pub confirm: Option<PathBuf>,
    /// Where the outcome goes as JSON [default: DIR/verdict.json].
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
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

Exit codes: 0 pass · 5 inconclusive · 96 nothing that can be compared · 100 fail";

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

fn above_0(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if number > 0.0 && number.is_finite() { Ok(number) } else { Err("give a number above 0".to_owned()) }
}

fn count(text: &str) -> Result<usize, String> {
    let number: u32 = text.parse().map_err(|error| format!("{error}"))?;
    if number > 0 { Ok(number as usize) } else { Err("give a whole number from 1 on".to_owned()) }
}

fn power(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if (0.5..=0.99).contains(&number) {
        Ok(number)
    } else {
        Err("give a number from 0.5 to 0.99, such as 0.8".to_owned())
    }
}

fn correlation(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if (-1.0..=1.0).contains(&number) { Ok(number) } else { Err("give a number from -1 to 1".to_owned()) }
}

fn alpha(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if number > 0.0 && number < 0.5 { Ok(number) } else { Err("give a number such as 0.05".to_owned()) }
}

#[derive(Debug, Args)]
#[command(after_help = RECOMMEND_AFTER_HELP)]
pub struct RecommendArgs {
    /// A run's directory, such as results/cause.
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// The greatest share of texts that may loop.
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, value_parser = share)]
    pub max_p_loop: f64,
    /// The greatest mean of the metric. A loop scores near 1, so a lower limit than that of P(loop) takes more prompts:
    /// 36 for 0.1, if none loops.
    #[arg(long, value_name = "SCORE", default_value_t = 0.2, value_parser = share)]
    pub max_score: f64,
    /// The metric that must stay under it; for scripts without spaces, covered_20_chars.
    #[arg(long, value_name = "METRIC", default_value = "repetition_score")]
    pub metric: String,
    /// Print a JSON object.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub custody: Custody,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("give a number from 0 to 1".to_owned()) }
}

const RECOMMEND_AFTER_HELP: &str = "\
That all temperatures of a chain stay under is said where the 95 % intervals of both do at each;
that some do, by limits that allow for looking at all of them. That takes prompts: of those
without a loop, P(loop) is shown to be under 0.2 with 17, and a mean under 0.1 with 36, for a text
that loops may score 1; some of 8 temperatures with 23 and 49.

With the parameters for llama-server (POST /completion), Ollama (options), vLLM and an
OpenAI-style request: what a server applies of its own is switched off, and what of the chain
each can't be told is named.";

/// Whose samplers.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SamplersArg {
    /// moe-sweep's own, for the chains that they cover.
    Fast,
    /// llama.cpp's, for comparison.
    Llama,
}

/// What is evaluated once for several texts; for `make bench`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SharingArg {
    None,
    Prompt,
    Trie,
}

#[derive(Debug, Args)]
#[command(after_help = SCORE_AFTER_HELP)]
pub struct ScoreArgs {
    /// Files to score, each one text unless an option or its name says otherwise; `-` is stdin.
    #[arg(value_name = "FILE", default_value = "-")]
    pub inputs: Vec<PathBuf>,
    /// Take each line as a text.
    #[arg(long, conflicts_with_all = ["jsonl", "field"])]
    pub lines: bool,
    /// Take each line as a JSON object, as for a file named *.jsonl.
    ///
    /// It must have a text and may have an `id` and, beside the text, `tokens`:
    /// the list of its token ids, which the metrics of tokens need.
    #[arg(long)]
    pub jsonl: bool,
    /// Where a JSON line has its text: a key, or a path such as /choices/0/text [default: text].
    ///
    /// Implies --jsonl.
    #[arg(long, value_name = "NAME")]
    pub field: Option<String>,
    /// Score the first K words and tokens only.
    ///
    /// Most metrics grow with length: compare texts at equal ones. A text with fewer
    /// lacks the metrics.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    pub first: Option<u32>,
    /// Print a JSON object a line instead of CSV.
    #[arg(long)]
    pub json: bool,
}

const SCORE_AFTER_HELP: &str = "\
Examples:
  moe-sweep score answer.txt                     one text
  moe-sweep score --lines answers.txt            a text a line
  moe-sweep score --field output answers.jsonl   a text a JSON line, under \"output\"
  curl -s … | moe-sweep score --json             whatever comes in is one text

Columns (docs/metrics.md has the definitions and their sources):
  repetition_score      share of the word trigrams that repeat an earlier one;
                        0 for fewer than three words
  seq_rep_N_words       the same for N-grams of words; of tokens: seq_rep_N_tokens
  tail_period           tokens in one turn of the cycle in which the text ends
  tail_copies           turns of that cycle, the last one perhaps partial
  tail_onset            index of the cycle's first token
  tail_share            share of the tokens that the cycle covers; 0 without one
  simctg_rep_N_percent  rep-N as SimCTG's script has it; simctg_diversity
  holtzman_repetition   1 or 0: Holtzman's flag; vllm_loop: vLLM's stop rule;
                        loop_30_20: a 30-gram that occurs 20 times
  rep_w_tokens          share of tokens among the 16 before them; rep_r_tokens:
                        in bigrams that occur more than once
  mattr_words, mtld_words, ead_words, zipf_words    variety of words
  compression_ratio     raw bytes over deflate's
  loop                  1 or 0: the text, its thought or its answer ends in three copies
                        or more of one unit; recovered: it was in a loop and got out
  empty_answer          1 or 0: nothing but white space, thought aside
  repeat_4_chars        share of 4-grams of characters that repeat an earlier one
  covered_20_chars      share of characters in a block of 20 that stands earlier as well
  recycled              share of the last 200 words' 8-grams that stand earlier
  tail_*_chars          the cycle at the end, of characters; _masked: digits made alike
  gemini_cli_loop, ollama_repeats    1 or 0: would these programs have ended the text
unseen_by names what can't see whether a text repeats itself: words (too few, or a script
without spaces: repetition_score is blind to it), characters, both.
A metric that a text does not have is empty (null in JSON).";

/// Where a run's files are, and which of an experiment's repetitions it is.
#[derive(Debug, Args)]
pub struct RunVariant {
    /// The run's directory [default: results/ and the experiment's name].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Add N to every seed: fresh texts of the same design. Chains without a draw have none.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed_offset: u32,
    /// Of N machines' parts the Kth, counted from 1; or auto: which one Slurm's array or a
    /// Kubernetes Indexed Job says that this is.
    ///
    /// Every machine divides the plan in the same way: whole prompts, few models a shard.
    /// Results go to results/NAME/shard-K-of-N; `moe-sweep merge` puts them together.
    /// auto reads SLURM_ARRAY_TASK_ID, _MIN, _STEP and _COUNT, or JOB_COMPLETION_INDEX and
    /// MOE_SWEEP_SHARDS, the number of shards.
    #[arg(long, value_name = "K/N|auto")]
    pub shard: Option<String>,
    #[command(flatten)]
    pub server: ServerOptions,
}

/// Asking a server in place of loading the grid's models.
#[derive(Debug, Args)]
#[command(next_help_heading = "A server in place of the models' files")]
pub struct ServerOptions {
    /// Ask the server at this address for the texts of every model of the grid.
    ///
    /// For more settings, and to have files and servers in one run, describe
    /// it in the experiment file, as a server of its own (docs/servers.md).
    #[arg(long, value_name = "URL", requires = "api")]
    pub server: Option<String>,
    /// The API that it speaks: openai, llama-server, ollama or shimmy.
    #[arg(long, value_name = "API", requires = "server")]
    pub api: Option<String>,
    /// What the server calls the model [default: as the experiment does].
    #[arg(long, value_name = "NAME", requires = "server")]
    pub served_as: Option<String>,
    /// The chain that the server runs whatever it is asked; of a request it takes the temperature.
    #[arg(long, value_name = "CHAIN", requires = "server")]
    pub own_chain: Option<String>,
    /// The environment variable that holds the server's key.
    #[arg(long, value_name = "VARIABLE", requires = "server")]
    pub key_env: Option<String>,
}

impl RunArgs {
    /// `run EXPERIMENT --out DIRECTORY --seed-offset N`, everything else as by default.
    pub fn repetition(experiment: &Path, directory: &Path, seed_offset: u32) -> Self {
        let seed_offset = seed_offset.to_string();
        let line = [
            "moe-sweep".as_ref(),
            "run".as_ref(),
            experiment.as_os_str(),
            "--out".as_ref(),
            directory.as_os_str(),
            "--seed-offset".as_ref(),
            seed_offset.as_ref(),
        ];
        match Cli::parse_from(line).command {
            Command::Run(args) => args,
            _ => unreachable!("the line says run"),
        }
    }
}

impl Cli {
    /// What was typed; exits with 2, or with 0 after `--help`, when that is
    /// not a command.
    pub fn from_command_line() -> Self {
        Self::parse()
    }
}

/// The completion script of a shell.
pub fn completions(shell: Shell, out: &mut impl std::io::Write) {
    clap_complete::generate(shell, &mut Cli::command(), "moe-sweep", out);
}

/// The manual page, as troff.
///
/// # Errors
/// When `out` can't be written.
pub fn manual(out: &mut impl std::io::Write) -> std::io::Result<()> {
    clap_mangen::Man::new(Cli::command()).render(out)
}
