//! DeepSeek-MoE: a dense first layer, then routed experts beside a shared one.
//!
//! llama.cpp's architecture `deepseek` (src/models/deepseek.cpp).

use super::decoder::{FeedShape, Spec};
use crate::layers::{Activation, AttentionShape, Bias, Gating, RopeStyle, RoutedShape, Sight, Sinks, SwigluShape};

const WIDTH: usize = 256;
const HEADS: usize = 4;
const HEAD_WIDTH: usize = WIDTH / HEADS;
const LAYERS: usize = 3;
const DENSE_LAYERS: usize = 1;
const DENSE_HIDDEN: usize = 768;
const EXPERTS: usize = 8;
const EXPERTS_USED: usize = 2;
const EXPERTS_SHARED: usize = 1;
const EXPERT_HIDDEN: usize = 256;

pub fn spec() -> Spec {
    Spec {
        architecture: "deepseek",
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
        feed,
        output_bias: Bias::Without,
        feed_forward_length: DENSE_HIDDEN,
        numbers: &[
            ("leading_dense_block_count", DENSE_LAYERS),
            ("expert_count", EXPERTS),
            ("expert_used_count", EXPERTS_USED),
            ("expert_shared_count", EXPERTS_SHARED),
            ("expert_feed_forward_length", EXPERT_HIDDEN),
        ],
        reals: &[("expert_weights_scale", 1.0)],
        words: format!(
            "{HEADS} heads of {HEAD_WIDTH}, {LAYERS} layers ({DENSE_LAYERS} dense of {DENSE_HIDDEN}), {EXPERTS} experts \
             of {EXPERT_HIDDEN}, {EXPERTS_USED} used, {EXPERTS_SHARED} shared"
        ),
    }
}

fn feed(layer: usize) -> FeedShape {
    let swiglu =
        |hidden| SwigluShape { width: WIDTH, hidden, depth: LAYERS, activation: Activation::Silu, bias: Bias::Without };
    if layer < DENSE_LAYERS {
        return FeedShape::Dense(swiglu(DENSE_HIDDEN));
    }
    let routed = RoutedShape {
        experts: EXPERTS,
        used: EXPERTS_USED,
        width: WIDTH,
        hidden: EXPERT_HIDDEN,
        depth: LAYERS,
        gating: Gating::Softmax,
        activation: Activation::Silu,
        bias: Bias::Without,
    };
    FeedShape::Experts { routed, shared: Some(swiglu(EXPERT_HIDDEN * EXPERTS_SHARED)) }
}
