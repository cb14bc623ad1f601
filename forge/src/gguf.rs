//! Model files: a model and its tokenizer in one GGUF, written whole or not at all.

use std::{
    fs::{self, File},
    io::{BufReader, BufWriter},
    path::Path,
};

use anyhow::{Context, Result, bail};
use candle_core::quantized::{
    GgmlDType,
    gguf_file::{self, Content, Value},
};
use clap::ValueEnum;

use crate::{
    family::{Family, Model},
    tokenizer::Tokenizer,
    weights::Weights,
};

const ARCHITECTURE: &str = "general.architecture";

/// How the matrices are kept; norms, routers, biases and sinks are F32 in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    F16,
    F32,
}

impl Precision {
    fn dtype(self) -> GgmlDType {
        match self {
            Self::F16 => GgmlDType::F16,
            Self::F32 => GgmlDType::F32,
        }
    }

    /// llama.cpp's `general.file_type`.
    fn file_type(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
        }
    }
}

pub fn write(
    path: &Path,
    family: Family,
    model: &dyn Model,
    tokenizer: &Tokenizer,
    precision: Precision,
) -> Result<()> {
    let general = [
        (ARCHITECTURE, Value::String(family.architecture().to_owned())),
        ("general.name", Value::String(family.name().to_owned())),
        ("general.license", Value::String("MIT OR Apache-2.0".to_owned())),
        ("general.file_type", Value::U32(precision.file_type())),
    ]
    .map(|(key, value)| (key.to_owned(), value));
    let metadata: Vec<_> = general.into_iter().chain(model.metadata()).chain(tokenizer.metadata()).collect();
    let metadata: Vec<_> = metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
    let tensors = model.weights().tensors(precision.dtype())?;
    let tensors: Vec<_> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();

    let part = path.with_extension("gguf.part");
    let mut file = BufWriter::new(File::create(&part).with_context(|| format!("cannot write {}", part.display()))?);
    gguf_file::write(&mut file, &metadata, &tensors)?;
    file.into_inner()?.sync_all()?;
    fs::rename(&part, path).with_context(|| format!("cannot write {}", path.display()))
}

/// Any of the bundled models, as F32 whatever the file's precision.
pub fn read(path: &Path) -> Result<(Family, Box<dyn Model>, Tokenizer)> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut reader = BufReader::new(file);
    let content = Content::read(&mut reader).with_context(|| format!("{} is not a GGUF file", path.display()))?;
    let architecture = content.metadata.get(ARCHITECTURE).and_then(|value| value.to_string().ok());
    let Some(&family) = Family::ALL.iter().find(|family| architecture.is_some_and(|a| a == family.architecture()))
    else {
        bail!("{} is of the architecture {architecture:?}, which is none of ours", path.display());
    };
    let tokenizer = Tokenizer::read(&content)?;
    let model = family
        .build(Weights::stored(content, reader), tokenizer.size())
        .with_context(|| format!("{} is not a {}", path.display(), family.name()))?;
    Ok((family, model, tokenizer))
}
