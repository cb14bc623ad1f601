//! One text from one prompt.

use anyhow::Result;
use candle_core::{Device, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::Chain;
use crate::{
    family::{Cache, Model},
    tokenizer::{BOS, EOS, Tokenizer},
};

/// Up to `length` tokens after `prompt`, fewer where the model ends the document.
pub fn generate(
    model: &dyn Model,
    tokenizer: &Tokenizer,
    prompt: &str,
    chain: Chain,
    temperature: f64,
    seed: u64,
    length: usize,
) -> Result<String> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut tokens = vec![BOS];
    tokens.extend(tokenizer.encode(prompt)?);
    let start = tokens.len();
    let mut cache = Cache::default();
    let mut new = tokens.clone();
    while tokens.len() < start + length {
        let input = Tensor::new(new.as_slice(), &Device::Cpu)?.unsqueeze(0)?;
        let logits = model.forward(&input, &mut cache)?.logits.get(0)?;
        let last = logits.get(new.len() - 1)?.to_vec1::<f32>()?;
        let next = chain.pick(&last, &tokens, temperature, &mut rng);
        if next == EOS {
            break;
        }
        tokens.push(next);
        new = vec![next];
    }
    Ok(tokenizer.decode(&tokens[start..])?)
}
