//! Causal self-attention with rotary positions, and its cache.

use candle_core::{Result, Tensor};

use super::{Bias, Linear, Rope, Sight, causal::causal_softmax};
use crate::weights::{Init, Precision, Weights};

pub struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    sinks: Option<Tensor>,
    shape: AttentionShape,
}

#[derive(Debug, Clone, Copy)]
pub struct AttentionShape {
    pub width: usize,
    pub heads: usize,
    /// Heads of keys and values; each serves equally many heads, neighbours (Ainslie 2023).
    pub kv_heads: usize,
    pub head_width: usize,
    /// The number of layers: their sum should not grow with it.
    pub depth: usize,
    pub bias: Bias,
    pub sight: Sight,
    pub sinks: Sinks,
}

/// Whether every head has a sink beside the positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sinks {
    Without,
    With,
}

/// Keys and values of the positions seen so far, (batch, heads of keys, length, head width).
pub type LayerCache = Option<(Tensor, Tensor)>;

impl Attention {
    pub fn new(weights: &mut Weights, layer: &str, shape: AttentionShape) -> Result<Self> {
        let AttentionShape { width, heads, kv_heads, head_width, depth, bias, .. } = shape;
        let (inner, inner_kv) = (heads * head_width, kv_heads * head_width);
        let std_out = (inner as f64).powf(-0.5) / (2.0 * depth as f64).sqrt();
        let mut part = |name: &str, shape, std| {
            Linear::new(weights, &format!("{layer}.{name}"), shape, Init::Noise(std), Precision::Free, bias)
        };
        let std = (width as f64).powf(-0.5);
        let query = part("attn_q", (inner, width), std)?;
        let key = part("attn_k", (inner_kv, width), std)?;
        let value = part("attn_v", (inner_kv, width), std)?;
        let output = part("attn_output", (width, inner), std_out)?;
        let sinks = match shape.sinks {
            Sinks::Without => None,
            Sinks::With => {
                Some(weights.single(format!("{layer}.attn_sinks.weight"), heads, Init::Zeros, Precision::Full)?)
            }
        };
        Ok(Self { query, key, value, output, sinks, shape })
    }

    /// `x` is (batch, length, width).
    pub fn forward(&self, x: &Tensor, rope: &Rope, cache: &mut LayerCache) -> Result<Tensor> {
        let (batch, length, width) = x.dims3()?;
        let AttentionShape { heads, kv_heads, head_width, sight, .. } = self.shape;
        let flat = x.reshape((batch * length, width))?;
        let split = |part: &Linear, heads| {
            part.forward(&flat)?.reshape((batch, length, heads, head_width))?.transpose(1, 2)?.contiguous()
        };
        let start = cache.as_ref().map_or(Ok(0), |(keys, _)| keys.dim(2))?;
        let query = rope.forward(&split(&self.query, heads)?, start)?;
        let mut key = rope.forward(&split(&self.key, kv_heads)?, start)?;
        let mut value = split(&self.value, kv_heads)?;
        if let Some((keys, values)) = cache.take() {
            key = Tensor::cat(&[keys, key], 2)?;
            value = Tensor::cat(&[values, value], 2)?;
        }
        // The heads that share a key are rows of one product.
        let columns = key.dim(2)?;
        let rows = heads / kv_heads * length;
        let scores = query.reshape((batch, kv_heads, rows, head_width))?.matmul(&key.t()?)?;
        let scores = scores.reshape((batch, heads, length, columns))?;
        let scale = (head_width as f32).powf(-0.5);
        let shares = causal_softmax(&scores, scale, sight, self.sinks.as_ref())?;
        let mixed = shares.reshape((batch, kv_heads, rows, columns))?.matmul(&value)?;
        *cache = Some((key, value));
        let mixed = mixed.reshape((batch, heads, length, head_width))?.transpose(1, 2)?;
        let joined = mixed.reshape((batch * length, heads * head_width))?;
        self.output.forward(&joined)?.reshape((batch, length, width))
    }
}
