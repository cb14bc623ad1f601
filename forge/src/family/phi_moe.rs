//! Phi-3.5-MoE: norms and attention with biases, grouped heads, and the chosen experts' weights made
//! to add up to one.
//!
//! llama.cpp's architecture `phimoe` (src/models/phimoe.cpp, whose graph is that of phi3.cpp): its
//! norms are root-mean-square ones with a bias.

use super::decoder::{FeedShape, Spec};
use crate::layers::{Activation, AttentionShape, Bias, Gating, RopeStyle, RoutedShape, Sight, Sinks};

const WIDTH: usize = 256;
const HEADS: usize = 4;
const KV_HEADS: usize = 2;
const HEAD_WIDTH: usize = WIDTH / HEADS;
const LAYERS: usize = 3;
const EXPERTS: usize = 8;
const EXPERTS_USED: usize = 2;
const EXPERT_HIDDEN: usize = 256;

pub fn spec() -> Spec {
    Spec {
        architecture: "phimoe",
        width: WIDTH,
        layers: LAYERS,
        context: 1024,
        epsilon: 1e-5,
        norm_bias: Bias::With,
        feed_norm: "ffn_norm",
        rope: RopeStyle::Neox,
        rope_base: 10_000.0,
        attention: |_| AttentionShape {
            width: WIDTH,
            heads: HEADS,
            kv_heads: KV_HEADS,
            head_width: HEAD_WIDTH,
            depth: LAYERS,
            bias: Bias::With,
            sight: Sight::All,
            sinks: Sinks::Without,
        },
        feed: |_| FeedShape::Experts {
            routed: RoutedShape {
                experts: EXPERTS,
                used: EXPERTS_USED,
                width: WIDTH,
                hidden: EXPERT_HIDDEN,
                depth: LAYERS,
                gating: Gating::RenormalisedSoftmax,
                activation: Activation::Silu,
                bias: Bias::Without,
            },
            shared: None,
        },
        output_bias: Bias::With,
        feed_forward_length: EXPERT_HIDDEN,
        numbers: &[("expert_count", EXPERTS), ("expert_used_count", EXPERTS_USED)],
        reals: &[],
        words: format!(
            "{HEADS} heads of {HEAD_WIDTH} ({KV_HEADS} for keys and values), {LAYERS} layers, {EXPERTS} experts of \
             {EXPERT_HIDDEN}, {EXPERTS_USED} used"
        ),
    }
}
