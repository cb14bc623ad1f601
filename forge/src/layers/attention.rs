//! Causal self-attention with rotary positions, and its cache.

use candle_core::{Result, Tensor};

use super::{Rope, causal::causal_softmax, linear};
use crate::weights::{Init, Precision, Weights};

pub struct Attention {
    query: Tensor,
    key: Tensor,
    value: Tensor,
    output: Tensor,
    heads: usize,
}

/// Keys and values of the positions seen so far, (batch, heads, length, head width).
pub type LayerCache = Option<(Tensor, Tensor)>;

impl Attention {
    /// `depth` is the number of layers: their sum should not grow with it.
    pub fn new(weights: &mut Weights, layer: &str, width: usize, heads: usize, depth: usize) -> Result<Self> {
        let std = (width as f64).powf(-0.5);
        let mut square = |part: &str, std| {
            weights.single(format!("{layer}.{part}.weight"), (width, width), Init::Noise(std), Precision::Free)
        };
        Ok(Self {
            query: square("attn_q", std)?,
            key: square("attn_k", std)?,
            value: square("attn_v", std)?,
            output: square("attn_output", std / (2.0 * depth as f64).sqrt())?,
            heads,
        })
    }

    /// `x` is (batch, length, width).
    pub fn forward(&self, x: &Tensor, rope: &Rope, cache: &mut LayerCache) -> Result<Tensor> {
        let (batch, length, width) = x.dims3()?;
        let flat = x.reshape((batch * length, width))?;
        let split = |w| {
            linear(&flat, w)?.reshape((batch, length, self.heads, width / self.heads))?.transpose(1, 2)?.contiguous()
        };
        let start = cache.as_ref().map_or(Ok(0), |(keys, _)| keys.dim(2))?;
        let query = rope.forward(&split(&self.query)?, start)?;
        let mut key = rope.forward(&split(&self.key)?, start)?;
        let mut value = split(&self.value)?;
        if let Some((keys, values)) = cache.take() {
            key = Tensor::cat(&[keys, key], 2)?;
            value = Tensor::cat(&[values, value], 2)?;
        }
        let scale = ((width / self.heads) as f32).powf(-0.5);
        let mixed = causal_softmax(&query.matmul(&key.t()?)?, scale)?.matmul(&value)?;
        *cache = Some((key, value));
        linear(&mixed.transpose(1, 2)?.reshape((batch * length, width))?, &self.output)?.reshape((batch, length, width))
    }
}
