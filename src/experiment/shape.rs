//! Owns what is known of a model without its file: the `shape` of a `[[model]]`, for plans of models that are not here.

use super::spanned::Spanned;
use schemars::JsonSchema;
use serde::Deserialize;

use super::error::Problems;

/// The widths and counts of a model, as its authors publish them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelShape {
    pub layers: u32,
    /// The width of the residual stream.
    pub embedding: u32,
    pub heads: u32,
    /// Heads of keys and values.
    pub kv_heads: u32,
    /// Numbers of a head's key, and of its value.
    pub head_width: u32,
    pub vocabulary: u32,
    /// The width of feed-forward blocks that every token goes through; 0 where there are none.
    #[serde(default)]
    pub feed_forward: u32,
    /// Routed experts of a layer; 0 for a dense model.
    #[serde(default)]
    pub experts: u32,
    /// Of these, those that compute a token.
    #[serde(default)]
    pub experts_used: u32,
    /// The width of one routed expert.
    #[serde(default)]
    pub expert_feed_forward: u32,
    /// Layers without routed experts.
    #[serde(default)]
    pub dense_layers: u32,
    /// Tokens that layers with a window look back, where there are such layers.
    pub sliding_window: Option<u32>,
    /// Weights in all.
    pub parameters: u64,
    /// The size of the file in bytes, as far as it can be derived; the model's `size_bytes`, where stated, is exact.
    pub about_bytes: Option<u64>,
}

impl ModelShape {
    /// Counts the weights of all routed experts: three matrices each.
    pub fn expert_parameters(&self) -> u64 {
        let each = [3, self.embedding, self.expert_feed_forward];
        let all = [self.experts, self.layers.saturating_sub(self.dense_layers)];
        each.into_iter().chain(all).fold(1, |product: u64, n| product.saturating_mul(n.into()))
    }
}

/// Tells whether a shape can be one; `size_bytes` is what its model's table states.
pub(super) fn check_shape(stated: &Spanned<ModelShape>, size_bytes: Option<u64>, problems: &mut Problems) {
    let (span, shape) = (stated.span(), stated.get_ref());
    let positive = [
        ("layers", shape.layers),
        ("embedding", shape.embedding),
        ("heads", shape.heads),
        ("kv_heads", shape.kv_heads),
        ("head_width", shape.head_width),
        ("vocabulary", shape.vocabulary),
    ];
    if let Some((key, _)) = positive.into_iter().find(|(_, n)| *n == 0) {
        problems.add(span, format!("a model has no shape with {key} = 0"), "state it as its authors publish it");
    } else if shape.experts_used > shape.experts || (shape.experts > 0) != (shape.experts_used > 0) {
        let message = format!("{} experts, of which {} are used, are no shape", shape.experts, shape.experts_used);
        problems.add(span, message, "state both, or none for a dense model");
    } else if shape.expert_parameters() > shape.parameters {
        let (experts, all) = (shape.expert_parameters(), shape.parameters);
        let message = format!("its experts alone have {experts} parameters, and parameters = {all} is less");
        problems.add(span, message, "correct the widths or the parameters");
    } else if shape.about_bytes.or(size_bytes).is_none() {
        problems.add(span, "a shape without the size of its file", "add about_bytes to it, or size_bytes to the model");
    }
}
