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
mod parsers;
mod results;
mod run;
mod scoring;
mod suggest;

use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, Parser, Subcommand};

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
pub use results::{
    Allowed, CompareArgs, Custody, LsArgs, MergeAllowed, MergeArgs, OpenArgs, Paper, Printed, RecommendArgs, ReportArgs,
};
pub use run::{
    KernelsArg, LoadModeArg, Means, OverrideOptions, RunArgs, RunVariant, SamplersArg, ServerOptions, SharingArg,
};
pub use scoring::ScoreArgs;

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

const DIAGNOSE_CODES: &str = "\
Examples:
  moe-sweep diagnose model.gguf                          as llama-server runs it
  moe-sweep diagnose model.gguf --like ollama
  moe-sweep diagnose model.gguf --temperature 0.9 --repeat-penalty 1.3 --prompt-file mine.txt

Exit codes:
  0 one cause, its remedy confirmed on fresh prompts · 10 no text loops · 11 too few loop to find a cause
  12 nothing tried is shown to make it loop less · 13 a suspect that fresh prompts do not confirm · 14 two causes, confirmed
  15 a cause that takes two switches, confirmed";

const AFTER_HELP: &str = "\
Examples:
  moe-sweep diagnose model.gguf                  why does it loop, and what to change?
  moe-sweep plan experiments/temperature.toml    what would run, and how much of it is done
  moe-sweep power --prompts 24 --hypotheses 5    what 24 prompts can show, and how many would do
  moe-sweep run experiments/temperature.toml     run it, or resume it: finished trials are kept
  moe-sweep report results/temperature           its tables, plots and report anew, without a model
  moe-sweep score --lines answers.txt            score texts from anywhere
  moe-sweep explain L-PENALTY-ZERO               a cause that people report, its test and its remedy
  moe-sweep model fetch gpt-oss-20b              fetch a full-size model, once

Exit codes:
  0 ok · 1 internal error · 2 usage · 3 incomplete: some trials failed or are missing
  4 nothing selected · 5 inconclusive gate · 96 bad experiment or set-up, nothing was run · 100 gate failed
  130 interrupted, run again to resume";

const COMPLETIONS_AFTER_HELP: &str = "\
Examples:
  source <(moe-sweep completions bash)         in ~/.bashrc
  source <(moe-sweep completions zsh)          in ~/.zshrc, after compinit
  moe-sweep completions fish | source          in ~/.config/fish/config.fish

The script asks the program at each Tab. Load it anew in each shell, as above: one that an older
version printed may not fit.";

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
    /// Runs it as you run it, on prompts of several kinds. If it loops, one switch after the other is tried against that
    /// (samplers, penalties, temperature, template, BOS, attention, cache …), each only as long as it takes to decide;
    /// then pairs. What helps is put to the test of prompts that nothing was chosen by. Every stage is an experiment that
    /// `moe-sweep run` takes.
    #[command(after_help = DIAGNOSE_CODES)]
    Diagnose(Box<DiagnoseArgs>),
    /// Write an experiment file to begin with, which can be run as it is.
    Init(InitArgs),
    /// Print the JSON Schema of experiment files, by which an editor completes and checks their keys.
    #[command(after_help = SCHEMA_AFTER_HELP)]
    Schema,
    /// Show what an experiment would run, and run nothing.
    Plan(PlanArgs),
    /// Say what a design can see, and how many prompts would do, without an experiment.
    Power(PowerArgs),
    /// Run an experiment, or what is left of it, and write its outputs.
    Run(RunArgs),
    /// List the runs that are here: how far each has come, and the first words of its answer.
    #[command(visible_alias = "list")]
    Ls(LsArgs),
    /// Write a run's tables, plots and report anew from its journal, without a model.
    Report(ReportArgs),
    /// Open a run's page in the browser.
    Open(OpenArgs),
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
    /// Say what is known of a cause of loops: how it shows, how it is tested, what to change.
    Explain(ExplainArgs),
    /// List what llama.cpp can compute on here: the host, and GPUs that offload spares.
    Devices(DevicesArgs),
    /// List, inspect, fetch and check models.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Score texts from anywhere: a table on stdout, a row a text.
    Score(ScoreArgs),
    /// Print the script that makes a shell complete moe-sweep's commands, options, names and levels.
    #[command(after_help = COMPLETIONS_AFTER_HELP)]
    Completions { shell: Shell },
    /// Print the manual page, or write those of all commands into a folder.
    #[command(after_help = MAN_AFTER_HELP)]
    Man {
        /// The folder to write the pages to, one of each command.
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
    /// not a command.
    pub fn from_command_line() -> Self {
        Self::try_parse().unwrap_or_else(|error| {
            let words: Vec<_> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
            let error = suggest::with_what_was_meant(error, &Self::command(), &words);
            suggest::with_where_json_goes(error, &words).exit()
        })
    }
}
