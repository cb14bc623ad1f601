//! Describes a model that is not here, from its shape: the part of an anatomy that memory and time follow from.

use super::{Anatomy, Attention, Experts, KvHeads, LayerBytes, Parameters, Tokenizer, Weights};
use crate::experiment::ModelShape;

impl Anatomy {
    /// Describes a model of this shape whose file has `file_bytes`. The same number of bits is taken for every weight; what
    /// no shape tells (its tokenizer, its types) is empty.
    pub fn of_shape(shape: &ModelShape, file_bytes: u64) -> Self {
        let expert = shape.expert_parameters();
        let share = |n: u64| (file_bytes as f64 * n as f64 / shape.parameters.max(1) as f64) as u64;
        let (expert_bytes, layers) = (share(expert).min(file_bytes), shape.layers);
        let other_bytes = file_bytes - expert_bytes;
        let embedding = u64::from(shape.vocabulary) * u64::from(shape.embedding);
        let routed = |layer: u32| layer >= shape.dense_layers;
        let n_routed = u64::from(layers.saturating_sub(shape.dense_layers)).max(1);
        let by_layer = (0..layers).map(|layer| LayerBytes {
            layer,
            expert_bytes: if routed(layer) { expert_bytes / n_routed } else { 0 },
            other_bytes: other_bytes / u64::from(layers.max(1)),
        });
        let known = |n: u32| Some(u64::from(n)).filter(|&n| n > 0);
        let used = expert.saturating_mul(shape.experts_used.into()).checked_div(shape.experts.into()).unwrap_or(0);
        Self {
            upcycled: None,
            architecture: String::new(),
            name: None,
            quantisation: None,
            file_bytes,
            files: 1,
            layers: known(layers),
            embedding_length: known(shape.embedding),
            feed_forward_length: known(shape.feed_forward),
            context_length: None,
            vocabulary_size: known(shape.vocabulary),
            attention: Attention {
                heads: known(shape.heads),
                kv_heads: Some(KvHeads::Same(shape.kv_heads.into())),
                key_length: known(shape.head_width),
                value_length: known(shape.head_width),
                latent: false,
                sliding_window: shape.sliding_window.map(u64::from),
            },
            experts: known(shape.experts).map(|count| Experts {
                count,
                used: known(shape.experts_used),
                shared: None,
                feed_forward_length: known(shape.expert_feed_forward),
            }),
            tokenizer: Tokenizer { model: None, bos_id: None, add_bos: None, chat_template: None },
            parameters: Parameters {
                total: shape.parameters,
                active: Some(shape.parameters.saturating_sub(expert).saturating_add(used)),
                expert,
            },
            weights: Weights {
                bytes: file_bytes,
                expert_bytes,
                other_bytes,
                embedding_bytes: share(embedding).min(other_bytes),
                types: vec![],
                by_layer: by_layer.collect(),
            },
        }
    }
}
