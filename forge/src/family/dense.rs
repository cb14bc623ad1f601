//! A model without experts, as large as what deepseek-tiny uses of itself for one token: the control
//! that tells whether repetition has anything to do with experts.
//!
//! llama.cpp's architecture `llama` (src/models/llama.cpp).

use super::decoder::{FeedShape, Spec};
use crate::layers::{Activation, AttentionShape, Bias, RopeStyle, Sight, Sinks, SwigluShape};

const WIDTH: usize = 256;
const HEADS: usize = 4;
const HEAD_WIDTH: usize = WIDTH / HEADS;
const LAYERS: usize = 3;
/// Of deepseek-tiny's layers one has 768, the others three experts of 256 at a time.
const HIDDEN: usize = 768;

pub fn spec() -> Spec {
    Spec {
        architecture: "llama",
        width: WIDTH,
        layers: LAYERS,
        context: 1024,
        epsilon: 1e-6,
        norm_bias: Bias::Without,
        feed_norm: "ffn_norm",
        rope: RopeStyle::Norm,
        rope_base: 10_000.0,
        attention: |_| AttentionShape {
            width: WIDTH,
            heads: HEADS,
            kv_heads: HEADS,
            head_width: HEAD_WIDTH,
            depth: LAYERS,
            bias: Bias::Without,
            sight: Sight::All,
            sinks: Sinks::Without,
        },
        feed: |_| {
            FeedShape::Dense(SwigluShape {
                width: WIDTH,
                hidden: HIDDEN,
                depth: LAYERS,
                activation: Activation::Silu,
                bias: Bias::Without,
            })
        },
        output_bias: Bias::Without,
        feed_forward_length: HIDDEN,
        numbers: &[],
        reals: &[],
        words: format!("{HEADS} heads of {HEAD_WIDTH}, {LAYERS} layers, all dense of {HIDDEN}"),
    }
}
