//! The families of models that can be trained, one file each.
//!
//! A family owns its shape, its forward pass and what llama.cpp must be told about it. Knows
//! nothing of training, texts or files.

mod deepseek;

use candle_core::{Result, Tensor, quantized::gguf_file::Value};
use clap::ValueEnum;

use crate::{
    layers::{LayerCache, Routing},
    weights::Weights,
};

/// A bundled model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Family {
    DeepseekTiny,
}

impl Family {
    pub const ALL: &[Self] = &[Self::DeepseekTiny];

    /// The name of the model and of its file.
    pub fn name(self) -> &'static str {
        match self {
            Self::DeepseekTiny => "deepseek-tiny",
        }
    }

    /// llama.cpp's name of the architecture.
    pub fn architecture(self) -> &'static str {
        match self {
            Self::DeepseekTiny => deepseek::ARCHITECTURE,
        }
    }

    /// The model made of `weights`, fresh or stored.
    pub fn build(self, weights: Weights, vocabulary: usize) -> Result<Box<dyn Model>> {
        match self {
            Self::DeepseekTiny => Ok(Box::new(deepseek::Deepseek::new(weights, vocabulary)?)),
        }
    }
}

/// A model that can be trained, asked and written down.
pub trait Model: Send + Sync {
    /// Logits for every position. `tokens` is (batch, length) and goes on where the cache ends.
    fn forward(&self, tokens: &Tensor, cache: &mut Cache) -> Result<Pass>;

    fn weights(&self) -> &Weights;

    /// What llama.cpp must know, the tokenizer aside.
    fn metadata(&self) -> Vec<(String, Value)>;

    /// The shape in words, for the model card.
    fn shape(&self) -> String;
}

/// What a forward pass gives.
pub struct Pass {
    /// (batch, length, vocabulary)
    pub logits: Tensor,
    /// One a layer that routes.
    pub routings: Vec<Routing>,
}

/// The keys and values of all layers.
#[derive(Default, Clone)]
pub struct Cache(pub Vec<LayerCache>);

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn the_cache_changes_nothing() {
        for family in Family::ALL {
            let model = family.build(Weights::fresh(3), 64).unwrap();
            let tokens = Tensor::new(&[[5u32, 9, 2, 9, 40, 63, 1]], &Device::Cpu).unwrap();
            let whole = model.forward(&tokens, &mut Cache::default()).unwrap().logits;
            let mut cache = Cache::default();
            let parts = [(0, 3), (3, 1), (4, 1), (5, 2)].map(|(start, length)| {
                model.forward(&tokens.narrow(1, start, length).unwrap(), &mut cache).unwrap().logits
            });
            let parts = Tensor::cat(&parts, 1).unwrap();
            let difference = (whole - parts).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(difference < 1e-5, "{}: {difference}", family.name());
        }
    }
}
