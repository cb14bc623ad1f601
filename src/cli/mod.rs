//! Owns the command line: what can be typed, and what `--help` teaches.
//!
//! The only place that knows clap. It has a file for each group of commands, and owns no behaviour.

mod complete;
mod design;
mod diagnose;
mod explain;
mod gate;
mod init;
mod manual;
mod model;
mod output;
mod parsers;
mod results;
mod run;
mod scoring;
mod suggest;

use std::env;
use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub use clap_complete::Shell;
pub use complete::{Named, answer_shell, completions};
pub use design::{PlanArgs, PowerArgs};
pub use diagnose::{DiagnoseArgs, EngineOptions, SamplerOptions};
pub use explain::ExplainArgs;
pub use gate::{BaselineCommand, BaselineSaveArgs, CheckArgs, CheckBy, Inconclusive};
pub use init::InitArgs;
pub use manual::manual;
pub use model::{
    DevicesArgs, Known, ModelCommand, ModelFetchArgs, ModelInspectArgs, ModelListArgs, ModelUpcycleArgs,
    ModelVerifyArgs,
};
pub use output::{ColorArg, OutputOptions};
pub use results::{
    Allowed, CompareArgs, Custody, LsArgs, MergeAllowed, MergeArgs, OpenArgs, Paper, Printed, RecommendArgs, ReportArgs,
};
pub use run::{
    KernelsArg, LoadModeArg, Means, OverrideOptions, RunArgs, RunVariant, SamplersArg, ServerOptions, SharingArg,
};
pub use scoring::ScoreArgs;

/// Finds out why a language model repeats itself: dense or mixture of experts, in a file or behind a server.
///
/// `diagnose` needs only the model. For an experiment of your own, list the settings to try in a TOML file: models,
/// sampler chains, temperatures, quantisations, prompts and more. `run` generates a text for every combination, scores how
/// much each text repeats itself, and writes the answer with tables, plots and a report.
#[derive(Debug, Parser)]
#[command(name = "moe-sweep", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub output: OutputOptions,
}

const DIAGNOSE_CODES: &str = "\
Examples:
  moe-sweep diagnose model.gguf                          as llama-server runs it
  moe-sweep diagnose model.gguf --like ollama
  moe-sweep diagnose model.gguf --temperature 0.9 --repeat-penalty 1.3 --prompt-file mine.txt

Exit codes:
  0 one cause, its remedy confirmed on fresh prompts · 10 no text loops · 11 too few loop to find a cause
  12 no change is shown to reduce the loops · 13 a suspect that fresh prompts do not confirm · 14 two causes, confirmed
  15 a cause that takes two changes together, confirmed";

const AFTER_HELP: &str = "\
Examples:
  moe-sweep diagnose model.gguf                  why does it loop, and what to change?
  moe-sweep plan experiments/temperature.toml    show what would run, and how much of it is done
  moe-sweep power --prompts 24 --hypotheses 5    what can 24 prompts show, and how many are enough?
  moe-sweep run experiments/temperature.toml     run it, or resume it: finished texts are kept
  moe-sweep report results/temperature           rebuild its tables, plots and report, without a model
  moe-sweep score --lines answers.txt            score texts from anywhere
  moe-sweep explain L-PENALTY-ZERO               what is this cause, and what to change?
  moe-sweep model fetch gpt-oss-20b              download a full-size model

Exit codes:
  0 ok · 1 internal error · 2 usage · 3 incomplete: some trials failed or are missing
  4 nothing to do · 5 inconclusive gate · 96 bad experiment or set-up, nothing was run · 100 gate failed
  130 interrupted, run again to resume";

const COMPLETIONS_AFTER_HELP: &str = "\
Examples:
  source <(moe-sweep completions bash)         in ~/.bashrc
  source <(moe-sweep completions zsh)          in ~/.zshrc, after compinit
  moe-sweep completions fish | source          in ~/.config/fish/config.fish

The script asks the program at each Tab. Load it in each new shell, as above: a saved script may not
fit another version.";

const SCHEMA_AFTER_HELP: &str = "\
Editors that read TOML by Taplo (Even Better TOML in VS Code, and others) take it from a line at the
beginning of the experiment file, with a path that starts from the file's folder:

  #:schema ./experiment.schema.json

Examples:
  moe-sweep schema > experiment.schema.json
  taplo lint --schema file://$PWD/experiment.schema.json mine.toml";

const MAN_AFTER_HELP: &str = "\
Examples:
  moe-sweep man | man -l -                       read the program's page
  moe-sweep man --out ~/.local/share/man/man1    then: man moe-sweep-run";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find out why a model loops, and what to change: one line in, the cause and the fix out.
    ///
    /// It first runs the model as you run it, on prompts of several kinds. If texts loop, it changes one setting at a time
    /// (samplers, penalties, temperature, template, BOS, attention, cache …) and tests each only until the result is
    /// clear. Then it tests pairs. The change that helps most is tested again on fresh prompts. Every stage is an
    /// experiment that `moe-sweep run` can repeat.
    #[command(after_help = DIAGNOSE_CODES)]
    Diagnose(Box<DiagnoseArgs>),
    /// Write an experiment file to begin with, which can be run as it is.
    Init(InitArgs),
    /// Print the JSON Schema of experiment files, by which an editor completes and checks their keys.
    #[command(after_help = SCHEMA_AFTER_HELP)]
    Schema,
    /// Show what an experiment would run, and run nothing.
    Plan(PlanArgs),
    /// Compute what a design can detect, and how many prompts it needs, without an experiment file.
    Power(PowerArgs),
    /// Run an experiment, or resume it, and write its results.
    Run(RunArgs),
    /// List the runs that are here: how far each has come, and the first words of its answer.
    #[command(visible_alias = "list")]
    Ls(LsArgs),
    /// Rebuild tables, plots and report from saved results, without a model.
    Report(ReportArgs),
    /// Open a run's page in the browser.
    Open(OpenArgs),
    /// Merge the shards of an experiment that ran on several machines.
    Merge(MergeArgs),
    /// Recommend a safe temperature, or name the sampler chain that causes the repetition.
    Recommend(RecommendArgs),
    /// Compare two runs, cell by cell, paired by prompt.
    Compare(CompareArgs),
    /// Save a run's scores for `check`.
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Check a run against a baseline: exit 0 if it is no worse, 100 if it is worse, 5 if the data can't decide.
    Check(CheckArgs),
    /// Explain a cause of loops: how it shows, how to test it, what to change.
    Explain(ExplainArgs),
    /// List what llama.cpp can compute on here: the CPU and the GPUs.
    Devices(DevicesArgs),
    /// List, inspect, fetch and verify models.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Score texts from anywhere: prints a table, one row per text.
    Score(ScoreArgs),
    /// Print the shell script that completes moe-sweep's commands, options, names and levels.
    #[command(after_help = COMPLETIONS_AFTER_HELP)]
    Completions { shell: Shell },
    /// Print the manual page, or write a page per command into a folder.
    #[command(after_help = MAN_AFTER_HELP)]
    Man {
        /// Write one page per command into this folder.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Serve one model to a parent process.
    #[command(hide = true)]
    Worker {
        /// Those of which the parent knows that they work here.
        #[arg(long)]
        kernels: Option<KernelsArg>,
    },
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
    /// not a command. `--version` says all of `long_version`, `-V` a few words.
    pub fn from_command_line(long_version: &'static str) -> Self {
        let mut command = Self::command().long_version(long_version);
        let typed = command.try_get_matches_from_mut(env::args_os());
        let parsed = typed.and_then(|matches| Self::from_arg_matches(&matches));
        parsed.unwrap_or_else(|error| {
            let words: Vec<_> = env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
            let error = suggest::with_what_was_meant(error.format(&mut command), &Self::command(), &words);
            suggest::with_where_json_goes(error, &words).exit()
        })
    }
}
