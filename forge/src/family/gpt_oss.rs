//! gpt-oss: grouped heads with sinks, a sliding window in every other layer, biases everywhere,
//! and a softmax over the chosen experts only.
//!
//! llama.cpp's architecture `gpt-oss` (src/models/openai-moe.cpp). The file asks for no YaRN: its
//! rotation is the plain one over the whole context.

use super::decoder::{FeedShape, Spec};
use crate::layers::{Activation, AttentionShape, Bias, Gating, RopeStyle, RoutedShape, Sight, Sinks};

const WIDTH: usize = 256;
const HEADS: usize = 4;
const KV_HEADS: usize = 2;
const HEAD_WIDTH: usize = 64;
const LAYERS: usize = 3;
const EXPERTS: usize = 8;
const EXPERTS_USED: usize = 2;
const EXPERT_HIDDEN: usize = 256;
/// Positions that a layer with a window sees.
const WINDOW: usize = 64;
/// Every second layer sees everything, the first does not (llama.cpp's `load_swa_pattern(ml, 2)`).
const WINDOW_PATTERN: usize = 2;

pub fn spec() -> Spec {
    Spec {
        architecture: "gpt-oss",
        width: WIDTH,
        layers: LAYERS,
        context: 1024,
        epsilon: 1e-5,
        norm_bias: Bias::Without,
        feed_norm: "post_attention_norm",
        rope: RopeStyle::Neox,
        rope_base: 10_000.0,
        attention: |layer| AttentionShape {
            width: WIDTH,
            heads: HEADS,
            kv_heads: KV_HEADS,
            head_width: HEAD_WIDTH,
            depth: LAYERS,
            bias: Bias::With,
            sight: if layer % WINDOW_PATTERN < WINDOW_PATTERN - 1 { Sight::Window(WINDOW) } else { Sight::All },
            sinks: Sinks::With,
        },
        feed: |_| FeedShape::Experts {
            routed: RoutedShape {
                experts: EXPERTS,
                used: EXPERTS_USED,
                width: WIDTH,
                hidden: EXPERT_HIDDEN,
                depth: LAYERS,
                gating: Gating::SelectedSoftmax,
                activation: Activation::Clamped,
                bias: Bias::With,
            },
            shared: None,
        },
        output_bias: Bias::Without,
        feed_forward_length: EXPERT_HIDDEN,
        numbers: &[
            ("expert_feed_forward_length", EXPERT_HIDDEN),
            ("expert_count", EXPERTS),
            ("expert_used_count", EXPERTS_USED),
            ("attention.key_length", HEAD_WIDTH),
            ("attention.value_length", HEAD_WIDTH),
            ("attention.sliding_window", WINDOW),
            ("attention.sliding_window_pattern", WINDOW_PATTERN),
        ],
        reals: &[],
        words: format!(
            "{HEADS} heads of {HEAD_WIDTH} ({KV_HEADS} for keys and values) with sinks, {LAYERS} layers, a window of \
             {WINDOW} in every second from the first, {EXPERTS} experts of {EXPERT_HIDDEN}, {EXPERTS_USED} used"
        ),
    }
}
