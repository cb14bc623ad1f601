//! Says why an experiment can't be run.

use std::io;
use std::path::PathBuf;

use miette::Diagnostic;

use super::files::FileError;
use super::fit::MemoryError;
use super::read::LoadError;
use super::survey::SurveyError;
use crate::experiment::Kind;
use crate::plan::{PlanError, Shard};
use crate::run_dir::RunDirError;

#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum PrepareError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Load(#[from] LoadError),
    #[error("{file}: {why}", file = file.display())]
    #[diagnostic(help("choose a smaller --seed-offset"))]
    SeedOffset { file: PathBuf, why: String },
    #[error("--own-chain {chain}: the experiment has no such chain")]
    #[diagnostic(help("use one of: {}", known.join(", ")))]
    OwnChain { chain: String, known: Vec<String> },
    #[error(
        "{file}: {shard} can't be run, because [sequential] decides after each prompt whether to continue, and a \
         shard lacks the texts of the others",
        file = file.display()
    )]
    #[diagnostic(help("run all of it, without --shard; or remove [sequential] to generate all texts"))]
    ShardOfSequential { file: PathBuf, shard: Shard },
    #[error("{shard} has no trials")]
    #[diagnostic(help("there are more shards than prompts: use fewer shards"))]
    EmptyShard { shard: Shard },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Misfits(Misfits),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Study(#[from] UnfitStudy),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Survey(#[from] SurveyError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Files(#[from] FileError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Memory(#[from] MemoryError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    RunDir(#[from] RunDirError),
    #[error("cannot find the path of the running program: {0}")]
    Executable(io::Error),
}

/// Everything that keeps an experiment from being run on its models.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{path} can't be run on these models", path = path.display())]
pub struct Misfits {
    pub path: PathBuf,
    #[related]
    pub errors: Vec<Misfit>,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error(transparent)]
pub struct Misfit(pub PlanError);

/// Why a study can't be run as it was asked for.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum UnfitStudy {
    #[error("{option} is for sweeps, but {} is of the kind {kind}", file.display())]
    #[diagnostic(help("remove it"))]
    ForSweeps { option: &'static str, file: PathBuf, kind: Kind },
    #[error("the model {model} does not show its logits and experts")]
    #[diagnostic(help(
        "name the GGUF file of a model: only llama.cpp inside moe-sweep gives access to logits and experts"
    ))]
    Opaque { model: String },
    #[error("the model {model} is dense: it has no experts and no routing")]
    #[diagnostic(help("remove it from [grid] model: routing is for mixture-of-experts models"))]
    Dense { model: String },
}
