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
    #[diagnostic(help("set --used to at most --experts"))]
    TooManyUsed { used: u32, experts: u32 },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Gguf(#[from] GgufError),
    #[error("{path} is one part of a split model")]
    #[diagnostic(help("join the parts into one file first, with llama.cpp's llama-gguf-split --merge"))]
    Split { path: PathBuf },
    #[error("{path} is already a mixture of experts: {found}")]
    #[diagnostic(help("give a dense model; `moe-sweep model inspect` says which kind a file is"))]
    Mixture { path: PathBuf, found: String },
    #[error("{path} has no general.architecture: it is not a language model")]
    #[diagnostic(help("name the GGUF file of a language model"))]
    NoArchitecture { path: PathBuf },
    #[error(
        "{path} has the architecture {architecture:?}, for which llama.cpp has no mixture of experts that computes \
         the same"
    )]
    #[diagnostic(help(
        "give a model of one of these architectures: {}; Mistral's and SmolLM's files have the first",
        KNOWN.join(", ")
    ))]
    Architecture { path: PathBuf, architecture: String },
    #[error(
        "{path} has the architecture {architecture:?}, for which llama.cpp has no graph with routing that computes \
         the same: of its mixtures with GELU, gemma4 normalises the values of attention, which {architecture} does \
         not, and grok normalises neither queries nor keys"
    )]
    #[diagnostic(help(
        "the copies would be a different model, so they would not be a control: give a model of one of these \
         architectures: {}",
        KNOWN.join(", ")
    ))]
    Gemma { path: PathBuf, architecture: String },
    #[error("{path} can't be upcycled as a dense {architecture} model: {problem}")]
    #[diagnostic(help("convert the model again with a current llama.cpp; llama.cpp's gguf-dump lists its tensors"))]
    Shape { path: PathBuf, architecture: String, problem: String },
    #[error("{path}: {tensor} is {tensor_type}, which llama.cpp can't quantise without an importance matrix")]
    #[diagnostic(help(
        "remove --noise, because exact copies need no quantiser; or give the same model in another type, such as Q8_0"
    ))]
    Unwritable { path: PathBuf, tensor: String, tensor_type: TensorType },
    #[error("{path}: {tensor} has a weight that is not a finite number")]
    #[diagnostic(help("the file is damaged: fetch or convert it again; `moe-sweep model verify` compares hashes"))]
    NotFinite { path: PathBuf, tensor: String },
    #[error("this build of moe-sweep has no llama.cpp, so it can't change quantised weights")]
    #[diagnostic(help(
        "remove --noise, because exact copies need no llama.cpp; or `cargo build --release` without \
         --no-default-features"
    ))]
    WithoutLlama,
    #[error("cannot read {path}")]
    #[diagnostic(help("has the file changed? run the same command again; `moe-sweep model verify` compares hashes"))]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} already exists")]
    #[diagnostic(help("choose another --out, or remove the file"))]
    Exists { path: PathBuf },
    #[error("the mixture would take more than 2^63 bytes")]
    #[diagnostic(help("give fewer --experts"))]
    TooLarge,
    #[error("cannot write {path}, which takes {bytes} bytes")]
    #[diagnostic(help(
        "check that the disk has space and that you may write there, or choose another --out; no partial file was left"
    ))]
    Write { path: PathBuf, bytes: u64, source: io::Error },
    #[error("interrupted: {path} was not written")]
    #[diagnostic(help("the same command starts from the beginning"))]
    Interrupted { path: PathBuf },
}
