//! The families of models that can be trained, one file each.
//!
//! A family owns its shape and what llama.cpp must be told about it; the forward pass is the
//! decoder's, which all share. Knows nothing of training, texts or files.

mod decoder;
mod deepseek;
mod dense;
mod gpt_oss;
mod phi_moe;

use candle_core::{Result, Tensor, quantized::gguf_file::Value};
use clap::ValueEnum;

use crate::{
    layers::{LayerCache, Routing},
    weights::Weights,
};
use decoder::{Decoder, Spec};

/// A bundled model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Family {
    /// A dense first layer, then 2 of 8 experts beside a shared one
    DeepseekTiny,
    /// 2 of 8 experts in every layer, weighted to add up to one; biases in norms and attention
    PhiMoeTiny,
    /// 2 of 8 experts in every layer; attention sinks and windows, biases everywhere
    GptOssTiny,
    /// No experts: the control, with as many parameters as deepseek-tiny uses for one token
    DenseTiny,
}

impl Family {
    pub const ALL: &[Self] = &[Self::DeepseekTiny, Self::PhiMoeTiny, Self::GptOssTiny, Self::DenseTiny];

    /// The name of the model and of its file.
    pub fn name(self) -> &'static str {
        match self {
            Self::DeepseekTiny => "deepseek-tiny",
            Self::PhiMoeTiny => "phi-moe-tiny",
            Self::GptOssTiny => "gpt-oss-tiny",
            Self::DenseTiny => "dense-tiny",
        }
    }

    /// The full-size model that it is shaped after, or what it is instead.
    pub fn stands_for(self) -> &'static str {
        match self {
            Self::DeepseekTiny => "DeepSeek-MoE-16B",
            Self::PhiMoeTiny => "Phi-3.5-MoE",
            Self::GptOssTiny => "GPT-OSS",
            Self::DenseTiny => "dense models",
        }
    }

    /// llama.cpp's name of the architecture.
    pub fn architecture(self) -> &'static str {
        self.spec().architecture
    }

    /// The model made of `weights`, fresh or stored.
    pub fn build(self, weights: Weights, vocabulary: usize) -> Result<Box<dyn Model>> {
        Ok(Box::new(Decoder::new(self.spec(), weights, vocabulary)?))
    }

    fn spec(self) -> Spec {
        match self {
            Self::DeepseekTiny => deepseek::spec(),
            Self::PhiMoeTiny => phi_moe::spec(),
            Self::GptOssTiny => gpt_oss::spec(),
            Self::DenseTiny => dense::spec(),
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
            // Longer than any window, and cut before, at and after its end.
            let tokens: Vec<u32> = (0..200).map(|i| (i * i * 7 + i) % 64).collect();
            let tokens = Tensor::new(tokens.as_slice(), &Device::Cpu).unwrap().unsqueeze(0).unwrap();
            let whole = model.forward(&tokens, &mut Cache::default()).unwrap().logits;
            let mut cache = Cache::default();
            let parts =
                [(0, 3), (3, 59), (62, 1), (63, 1), (64, 1), (65, 1), (66, 70), (136, 64)].map(|(start, length)| {
                    model.forward(&tokens.narrow(1, start, length).unwrap(), &mut cache).unwrap().logits
                });
            let parts = Tensor::cat(&parts, 1).unwrap();
            let difference = (whole - parts).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(difference < 1e-5, "{}: {difference}", family.name());
        }
    }
}
