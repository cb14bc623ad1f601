//! Owns why a model is not upcycled, and what to do instead.

use std::io;
use std::path::PathBuf;

use miette::Diagnostic;

use super::recipe::KNOWN;
use crate::model::gguf::{GgufError, TensorType};

/// Why no mixture was made. Nothing is left of it then.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum UpcycleError {
    #[error("a token can't use {used} of {experts} experts")]
    #[diagnostic(help("give --used a number up to --experts"))]
    TooManyUsed { used: u32, experts: u32 },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Gguf(#[from] GgufError),
    #[error("{path} is one part of a split model")]
    #[diagnostic(help("join the parts first, into one file: llama-gguf-split --merge of llama.cpp does it"))]
    Split { path: PathBuf },
    #[error("{path} is a mixture already: {found}")]
    #[diagnostic(help("give a dense model; `moe-sweep model inspect` says of a file which it is"))]
    Mixture { path: PathBuf, found: String },
    #[error("{path} has no general.architecture: it is no language model")]
    #[diagnostic(help("name the GGUF file of a language model"))]
    NoArchitecture { path: PathBuf },
    #[error("{path} has the architecture {architecture:?}, of which llama.cpp has no mixture that computes the same")]
    #[diagnostic(help(
        "give a model of one of these architectures: {}; Mistral's and SmolLM's files are of the first",
        KNOWN.join(", ")
    ))]
    Architecture { path: PathBuf, architecture: String },
    #[error(
        "{path} has the architecture {architecture:?}, and llama.cpp has no graph that routes such blocks and computes \
         the same: of its mixtures with GELU, gemma4 normalises attention's values, which {architecture} does not, \
         and grok normalises neither queries nor keys"
    )]
    #[diagnostic(help(
        "the copies would be another model, and no control: give a model of one of these architectures: {}",
        KNOWN.join(", ")
    ))]
    Gemma { path: PathBuf, architecture: String },
    #[error("{path} is no dense {architecture} model that can be upcycled: {problem}")]
    #[diagnostic(help(
        "convert the model again with a llama.cpp of today; what its tensors are, gguf-dump of llama.cpp says"
    ))]
    Shape { path: PathBuf, architecture: String, problem: String },
    #[error("{path}: {tensor} is {tensor_type}, which llama.cpp can't write anew without an importance matrix")]
    #[diagnostic(help(
        "leave --noise out: copies need no quantiser; or give the same model in another type, such as Q8_0"
    ))]
    Unwritable { path: PathBuf, tensor: String, tensor_type: TensorType },
    #[error("{path}: {tensor} has a weight that is no finite number")]
    #[diagnostic(help("the file is damaged: fetch or convert it again; `moe-sweep model verify` compares hashes"))]
    NotFinite { path: PathBuf, tensor: String },
    #[error("this build of moe-sweep has no llama.cpp, which changes quantised weights")]
    #[diagnostic(help(
        "leave --noise out: copies need no llama.cpp; or `cargo build --release` without --no-default-features"
    ))]
    WithoutLlama,
    #[error("cannot read {path}")]
    #[diagnostic(help(
        "has it changed meanwhile? run the same command again; `moe-sweep model verify` compares hashes"
    ))]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is there already")]
    #[diagnostic(help("give another --out, or remove the file"))]
    Exists { path: PathBuf },
    #[error("the mixture would take more than 2^63 bytes")]
    #[diagnostic(help("give fewer --experts"))]
    TooLarge,
    #[error("cannot write {path}, which takes {bytes} bytes")]
    #[diagnostic(help(
        "is there room on the disk, and may you write there? nothing was left half-written; --out names another place"
    ))]
    Write { path: PathBuf, bytes: u64, source: io::Error },
    #[error("interrupted: {path} was not written")]
    #[diagnostic(help("the same command begins again"))]
    Interrupted { path: PathBuf },
}
