//! DeepSeek-MoE: a dense first layer, then routed experts beside a shared one.
//!
//! llama.cpp's architecture `deepseek` (src/models/deepseek.cpp).

use candle_core::{Result, Tensor, quantized::gguf_file::Value};

use super::{Cache, Model, Pass};
use crate::{
    layers::{Attention, RmsNorm, Rope, Routed, RoutedShape, Routing, Swiglu, linear},
    weights::{Init, Precision, Weights},
};

pub const ARCHITECTURE: &str = "deepseek";

const WIDTH: usize = 256;
const HEADS: usize = 4;
const LAYERS: usize = 3;
const DENSE_LAYERS: usize = 1;
const DENSE_HIDDEN: usize = 768;
const EXPERTS: usize = 8;
const EXPERTS_USED: usize = 2;
const EXPERTS_SHARED: usize = 1;
const EXPERT_HIDDEN: usize = 256;
const CONTEXT: usize = 1024;
const ROPE_BASE: f32 = 10_000.0;
const EPSILON: f32 = 1e-6;

pub struct Deepseek {
    weights: Weights,
    vocabulary: usize,
    rope: Rope,
    embedding: Tensor,
    layers: Vec<Layer>,
    norm: RmsNorm,
    output: Tensor,
}

struct Layer {
    attention_norm: RmsNorm,
    attention: Attention,
    feed_norm: RmsNorm,
    feed: Feed,
}

enum Feed {
    Dense(Swiglu),
    Experts { routed: Routed, shared: Swiglu },
}

impl Deepseek {
    pub fn new(mut weights: Weights, vocabulary: usize) -> Result<Self> {
        let w = &mut weights;
        let table = |w: &mut Weights, name: &str| {
            w.single(format!("{name}.weight"), (vocabulary, WIDTH), Init::Noise(0.02), Precision::Free)
        };
        let embedding = table(w, "token_embd")?;
        let layers = (0..LAYERS).map(|number| Layer::new(w, number)).collect::<Result<_>>()?;
        let norm = RmsNorm::new(w, "output_norm", WIDTH, EPSILON)?;
        let output = table(w, "output")?;
        let rope = Rope::new(WIDTH / HEADS, ROPE_BASE, CONTEXT);
        Ok(Self { weights, vocabulary, rope, embedding, layers, norm, output })
    }
}

impl Layer {
    fn new(weights: &mut Weights, number: usize) -> Result<Self> {
        let name = format!("blk.{number}");
        let attention_norm = RmsNorm::new(weights, &format!("{name}.attn_norm"), WIDTH, EPSILON)?;
        let attention = Attention::new(weights, &name, WIDTH, HEADS, LAYERS)?;
        let feed_norm = RmsNorm::new(weights, &format!("{name}.ffn_norm"), WIDTH, EPSILON)?;
        let feed = if number < DENSE_LAYERS {
            Feed::Dense(Swiglu::new(weights, &name, "", WIDTH, DENSE_HIDDEN, LAYERS)?)
        } else {
            let shape = RoutedShape {
                experts: EXPERTS,
                used: EXPERTS_USED,
                width: WIDTH,
                hidden: EXPERT_HIDDEN,
                depth: LAYERS,
            };
            Feed::Experts {
                routed: Routed::new(weights, &name, shape)?,
                shared: Swiglu::new(weights, &name, "_shexp", WIDTH, EXPERT_HIDDEN * EXPERTS_SHARED, LAYERS)?,
            }
        };
        Ok(Self { attention_norm, attention, feed_norm, feed })
    }
}

impl Feed {
    /// `x` is (tokens, width).
    fn forward(&self, x: &Tensor) -> Result<(Tensor, Option<Routing>)> {
        match self {
            Self::Dense(dense) => Ok((dense.forward(x)?, None)),
            Self::Experts { routed, shared } => {
                let (mixed, routing) = routed.forward(x)?;
                Ok(((mixed + shared.forward(x)?)?, Some(routing)))
            }
        }
    }
}

impl Model for Deepseek {
    fn forward(&self, tokens: &Tensor, cache: &mut Cache) -> Result<Pass> {
        let (batch, length) = tokens.dims2()?;
        cache.0.resize_with(LAYERS, || None);
        let mut x = self.embedding.index_select(&tokens.flatten_all()?, 0)?.reshape((batch, length, WIDTH))?;
        let mut routings = Vec::new();
        for (layer, cache) in self.layers.iter().zip(&mut cache.0) {
            x = (layer.attention.forward(&layer.attention_norm.forward(&x)?, &self.rope, cache)? + x)?;
            let flat = layer.feed_norm.forward(&x)?.reshape((batch * length, WIDTH))?;
            let (fed, routing) = layer.feed.forward(&flat)?;
            x = (fed.reshape((batch, length, WIDTH))? + x)?;
            routings.extend(routing);
        }
        let flat = self.norm.forward(&x)?.reshape((batch * length, WIDTH))?;
        let logits = linear(&flat, &self.output)?.reshape((batch, length, self.vocabulary))?;
        Ok(Pass { logits, routings })
    }

    fn weights(&self) -> &Weights {
        &self.weights
    }

    fn metadata(&self) -> Vec<(String, Value)> {
        let numbers = [
            ("vocab_size", self.vocabulary),
            ("context_length", CONTEXT),
            ("embedding_length", WIDTH),
            ("block_count", LAYERS),
            ("feed_forward_length", DENSE_HIDDEN),
            ("attention.head_count", HEADS),
            ("attention.head_count_kv", HEADS),
            ("rope.dimension_count", WIDTH / HEADS),
            ("leading_dense_block_count", DENSE_LAYERS),
            ("expert_count", EXPERTS),
            ("expert_used_count", EXPERTS_USED),
            ("expert_shared_count", EXPERTS_SHARED),
            ("expert_feed_forward_length", EXPERT_HIDDEN),
        ]
        .map(|(key, value)| (key, Value::U32(value as u32)));
        let reals = [
            ("attention.layer_norm_rms_epsilon", EPSILON),
            ("rope.freq_base", ROPE_BASE),
            ("expert_weights_scale", 1.0),
        ]
        .map(|(key, value)| (key, Value::F32(value)));
        numbers.into_iter().chain(reals).map(|(key, value)| (format!("{ARCHITECTURE}.{key}"), value)).collect()
    }

    fn shape(&self) -> String {
        format!(
            "width {WIDTH}, {HEADS} heads of {}, {LAYERS} layers ({DENSE_LAYERS} dense of {DENSE_HIDDEN}), \
             {EXPERTS} experts of {EXPERT_HIDDEN}, {EXPERTS_USED} used, {EXPERTS_SHARED} shared, \
             vocabulary {}, context {CONTEXT}",
            WIDTH / HEADS,
            self.vocabulary,
        )
    }
}
