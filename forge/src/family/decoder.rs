//! The decoder that all families are: attention and feed-forward, each behind a norm and beside
//! what it is added to. A family says only what is its own.

use candle_core::{Result, Tensor, quantized::gguf_file::Value};

use super::{Cache, Model, Pass};
use crate::{
    layers::{
        Attention, AttentionShape, Bias, Linear, RmsNorm, Rope, RopeStyle, Routed, RoutedShape, Routing, Swiglu,
        SwigluShape,
    },
    weights::{Init, Precision, Weights},
};

/// What a family is.
pub struct Spec {
    /// llama.cpp's name of the architecture.
    pub architecture: &'static str,
    pub width: usize,
    pub layers: usize,
    /// Positions.
    pub context: usize,
    pub epsilon: f32,
    pub norm_bias: Bias,
    /// The name of the norm before the feed-forward part.
    pub feed_norm: &'static str,
    pub rope: RopeStyle,
    pub rope_base: f32,
    pub attention: fn(layer: usize) -> AttentionShape,
    pub feed: fn(layer: usize) -> FeedShape,
    pub output_bias: Bias,
    /// llama.cpp's `feed_forward_length`.
    pub feed_forward_length: usize,
    /// What else llama.cpp must know, without the architecture's name in front.
    pub numbers: &'static [(&'static str, usize)],
    pub reals: &'static [(&'static str, f32)],
    /// Layers and experts in words.
    pub words: String,
}

/// The feed-forward part of one layer.
pub enum FeedShape {
    Dense(SwigluShape),
    Experts { routed: RoutedShape, shared: Option<SwigluShape> },
}

pub struct Decoder {
    spec: Spec,
    weights: Weights,
    vocabulary: usize,
    rope: Rope,
    embedding: Tensor,
    layers: Vec<Layer>,
    norm: RmsNorm,
    output: Linear,
}

struct Layer {
    attention_norm: RmsNorm,
    attention: Attention,
    feed_norm: RmsNorm,
    feed: Feed,
}

enum Feed {
    Dense(Swiglu),
    Experts { routed: Routed, shared: Option<Swiglu> },
}

impl Decoder {
    pub fn new(spec: Spec, mut weights: Weights, vocabulary: usize) -> Result<Self> {
        let w = &mut weights;
        let Spec { width, epsilon, norm_bias, .. } = spec;
        let table = (vocabulary, width);
        let noise = Init::Noise(0.02);
        let embedding = w.single("token_embd.weight".to_owned(), table, noise, Precision::Free)?;
        let layers = (0..spec.layers).map(|number| Layer::new(w, &spec, number)).collect::<Result<_>>()?;
        let norm = RmsNorm::new(w, "output_norm", width, epsilon, norm_bias)?;
        let output = Linear::new(w, "output", table, noise, Precision::Free, spec.output_bias)?;
        let rope = Rope::new(spec.rope, (spec.attention)(0).head_width, spec.rope_base, spec.context);
        Ok(Self { spec, weights, vocabulary, rope, embedding, layers, norm, output })
    }
}

impl Layer {
    fn new(weights: &mut Weights, spec: &Spec, number: usize) -> Result<Self> {
        let name = format!("blk.{number}");
        let norm = |weights: &mut Weights, part: &str| {
            RmsNorm::new(weights, &format!("{name}.{part}"), spec.width, spec.epsilon, spec.norm_bias)
        };
        let attention_norm = norm(weights, "attn_norm")?;
        let attention = Attention::new(weights, &name, (spec.attention)(number))?;
        let feed_norm = norm(weights, spec.feed_norm)?;
        let feed = match (spec.feed)(number) {
            FeedShape::Dense(shape) => Feed::Dense(Swiglu::new(weights, &name, "", shape)?),
            FeedShape::Experts { routed, shared } => Feed::Experts {
                routed: Routed::new(weights, &name, routed)?,
                shared: shared.map(|shape| Swiglu::new(weights, &name, "_shexp", shape)).transpose()?,
            },
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
                let mixed = match shared {
                    Some(shared) => (mixed + shared.forward(x)?)?,
                    None => mixed,
                };
                Ok((mixed, Some(routing)))
            }
        }
    }
}

impl Model for Decoder {
    fn forward(&self, tokens: &Tensor, cache: &mut Cache) -> Result<Pass> {
        let (batch, length) = tokens.dims2()?;
        let width = self.spec.width;
        cache.0.resize_with(self.layers.len(), || None);
        let mut x = self.embedding.index_select(&tokens.flatten_all()?, 0)?.reshape((batch, length, width))?;
        let mut routings = Vec::new();
        for (layer, cache) in self.layers.iter().zip(&mut cache.0) {
            x = (layer.attention.forward(&layer.attention_norm.forward(&x)?, &self.rope, cache)? + x)?;
            let flat = layer.feed_norm.forward(&x)?.reshape((batch * length, width))?;
            let (fed, routing) = layer.feed.forward(&flat)?;
            x = (fed.reshape((batch, length, width))? + x)?;
            routings.extend(routing);
        }
        let flat = self.norm.forward(&x)?.reshape((batch * length, width))?;
        let logits = self.output.forward(&flat)?.reshape((batch, length, self.vocabulary))?;
        Ok(Pass { logits, routings })
    }

    fn weights(&self) -> &Weights {
        &self.weights
    }

    fn metadata(&self) -> Vec<(String, Value)> {
        let Spec { architecture, width, context, epsilon, rope_base, feed_forward_length, numbers, reals, .. } =
            self.spec;
        let AttentionShape { heads, kv_heads, head_width, .. } = (self.spec.attention)(0);
        let common = [
            ("vocab_size", self.vocabulary),
            ("context_length", context),
            ("embedding_length", width),
            ("block_count", self.layers.len()),
            ("feed_forward_length", feed_forward_length),
            ("attention.head_count", heads),
            ("attention.head_count_kv", kv_heads),
            ("rope.dimension_count", head_width),
        ];
        let numbers = common.iter().chain(numbers).map(|&(key, value)| (key, Value::U32(value as u32)));
        let common = [("attention.layer_norm_rms_epsilon", epsilon), ("rope.freq_base", rope_base)];
        let reals = common.iter().chain(reals).map(|&(key, value)| (key, Value::F32(value)));
        numbers.chain(reals).map(|(key, value)| (format!("{architecture}.{key}"), value)).collect()
    }

    fn shape(&self) -> String {
        let Spec { width, context, ref words, .. } = self.spec;
        format!("width {width}, {words}, vocabulary {}, context {context}", self.vocabulary)
    }
}
