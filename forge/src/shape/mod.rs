//! Files with the shape of well-known models and random weights, to measure speed with.
//!
//! Owns the widths, taken from the models' published `config.json`. Random weights have no
//! opinion on text: such a file says nothing about repetition.

mod file;
mod spec;

use std::path::Path;

use anyhow::{Result, ensure};
use clap::ValueEnum;

use crate::{corpus::Corpus, tokenizer::Tokenizer};

pub use spec::{Content, Spec, TensorSpec};

/// Tokens that are learned; the rest of the vocabulary is filler.
const LEARNED_TOKENS: usize = 1024;
const TOKENIZER_DOCUMENTS: usize = 400;

/// Whose shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Likeness {
    /// DeepSeek-MoE-16B
    Deepseek,
    /// GPT-OSS-20B
    GptOss,
}

impl Likeness {
    /// # Errors
    /// With fewer than two layers: a first one may be unlike the others.
    pub fn spec(self, layers: usize) -> Result<Spec> {
        ensure!(layers >= 2, "{layers} layers are too few: give --layers 2 or more");
        Ok(match self {
            Self::Deepseek => spec::deepseek(layers),
            Self::GptOss => spec::gpt_oss(layers),
        })
    }
}

/// Writes `spec` with the weights of `seed`: a tensor at a time, a few MB of memory.
///
/// # Errors
/// When the file can't be written.
pub fn write(path: &Path, spec: &Spec, seed: u64) -> Result<()> {
    let documents: Vec<_> = Corpus::bundled()?.documents(seed).take(TOKENIZER_DOCUMENTS).collect();
    let tokenizer =
        Tokenizer::train(documents.into_iter(), LEARNED_TOKENS.min(spec.vocabulary))?.filled(spec.vocabulary)?;
    let metadata: Vec<_> = spec.metadata.iter().cloned().chain(tokenizer.metadata()).collect();
    file::write(path, &metadata, &spec.tensors, seed)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use candle_core::{Device, quantized::gguf_file};

    use super::*;

    #[test]
    fn what_is_written_is_read_with_its_spread() {
        let tensors = vec![
            TensorSpec { name: "a.weight".to_owned(), dims: vec![64, 33], content: Content::Noise { std: 0.5 } },
            TensorSpec { name: "b.bias".to_owned(), dims: vec![7], content: Content::Constant(1.0) },
        ];
        let spec = Spec { vocabulary: 1100, metadata: vec![], tensors };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gguf");
        write(&path, &spec, 1).unwrap();

        let mut file = File::open(&path).unwrap();
        let content = gguf_file::Content::read(&mut file).unwrap();
        assert_eq!(content.metadata["tokenizer.ggml.tokens"].to_vec().unwrap().len(), 1100);
        let mut values = |name: &str| {
            let tensor = content.tensor(&mut file, name, &Device::Cpu).unwrap().dequantize(&Device::Cpu).unwrap();
            tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        let noise = values("a.weight");
        assert_eq!(noise.len(), 64 * 33);
        let variance = noise.iter().map(|x| x * x).sum::<f32>() / noise.len() as f32;
        assert!((variance.sqrt() - 0.5).abs() < 0.03, "{}", variance.sqrt());
        assert_eq!(values("b.bias"), [1.0; 7]);
    }

    #[test]
    fn the_same_seed_writes_the_same_file() {
        let tensors =
            vec![TensorSpec { name: "a".to_owned(), dims: vec![32, 2], content: Content::Noise { std: 1.0 } }];
        let spec = Spec { vocabulary: 1100, metadata: vec![], tensors };
        let folder = tempfile::tempdir().unwrap();
        let bytes = |seed| {
            let path = folder.path().join("x.gguf");
            write(&path, &spec, seed).unwrap();
            std::fs::read(&path).unwrap()
        };
        let first = bytes(1);
        assert!(first == bytes(1) && first != bytes(2));
    }

    #[test]
    fn one_layer_is_too_few() {
        assert!(Likeness::Deepseek.spec(1).is_err());
    }
}
