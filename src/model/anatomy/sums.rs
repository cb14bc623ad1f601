//! Sums parameters and bytes over tensors, of experts and of the rest.

use std::collections::BTreeMap;

use super::{Experts, LayerBytes, Parameters, TypeShare, Weights};
use crate::model::gguf::{Tensor, TensorType};

/// Whether a tensor is one of routed experts, by llama.cpp's own pattern for
/// `--cpu-moe` (`LLM_FFN_EXPS_REGEX` in its `common/common.h`):
/// `\.ffn_(up|down|gate|gate_up)_(ch|)exps`, anywhere in the name.
pub fn is_expert(tensor: &str) -> bool {
    tensor.match_indices(".ffn_").any(|(at, mark)| {
        let rest = &tensor[at + mark.len()..];
        ["up_", "down_", "gate_up_", "gate_"].iter().any(|kind| {
            rest.strip_prefix(kind).is_some_and(|rest| rest.starts_with("exps") || rest.starts_with("chexps"))
        })
    })
}

/// The layer that a tensor belongs to: N of `blk.N.…`.
fn layer_of(tensor: &str) -> Option<u32> {
    tensor.strip_prefix("blk.")?.split_once('.')?.0.parse().ok()
}

pub(super) fn parameters(tensors: &[Tensor], experts: Option<&Experts>) -> Parameters {
    let sum = |tensors: &mut dyn Iterator<Item = &Tensor>| {
        tensors.fold(0_u64, |sum, tensor| sum.saturating_add(tensor.elements))
    };
    let total = sum(&mut tensors.iter());
    let expert = sum(&mut tensors.iter().filter(|tensor| is_expert(&tensor.name)));
    let active = match experts {
        None => Some(total),
        // Experts of a layer are of one size, so the share of them is that of their weights.
        Some(experts) => experts.used.map(|used| {
            let used = u128::from(used.min(experts.count));
            let met = u128::from(expert) * used / u128::from(experts.count);
            total - expert + met as u64
        }),
    };
    Parameters { total, active, expert }
}

/// Products of a weight with an activation that one token takes: one for each of its active weights, but those of an
/// embedding that is only looked up, because the output has a matrix of its own. None where the active weights are not known.
pub fn products_per_token(tensors: &[Tensor], parameters: &Parameters) -> Option<u64> {
    let elements = |name: &str| tensors.iter().find(|tensor| tensor.name == name).map(|tensor| tensor.elements);
    let looked_up = elements("output.weight").and_then(|_| elements("token_embd.weight")).unwrap_or(0);
    Some(parameters.active?.saturating_sub(looked_up))
}

pub(super) fn weights(tensors: &[Tensor]) -> Weights {
    let mut types: BTreeMap<TensorType, TypeShare> = BTreeMap::new();
    let mut by_layer: BTreeMap<u32, LayerBytes> = BTreeMap::new();
    let mut weights =
        Weights { bytes: 0, expert_bytes: 0, other_bytes: 0, embedding_bytes: 0, types: vec![], by_layer: vec![] };
    for Tensor { name, tensor_type, elements, bytes, .. } in tensors {
        let share = types.entry(*tensor_type).or_insert(TypeShare {
            tensor_type: *tensor_type,
            tensors: 0,
            parameters: 0,
            bytes: 0,
        });
        share.tensors += 1;
        share.parameters = share.parameters.saturating_add(*elements);
        share.bytes = share.bytes.saturating_add(*bytes);
        let mut layer =
            layer_of(name).map(|layer| by_layer.entry(layer).or_insert(LayerBytes { layer, ..LayerBytes::default() }));
        let (all, of_layer) = if is_expert(name) {
            (&mut weights.expert_bytes, layer.as_mut().map(|layer| &mut layer.expert_bytes))
        } else {
            (&mut weights.other_bytes, layer.as_mut().map(|layer| &mut layer.other_bytes))
        };
        for sum in [Some(all), of_layer, Some(&mut weights.bytes)].into_iter().flatten() {
            *sum = sum.saturating_add(*bytes);
        }
        if name == "token_embd.weight" {
            weights.embedding_bytes = *bytes;
        }
    }
    weights.types = types.into_values().collect();
    weights.types.sort_by_key(|share| std::cmp::Reverse(share.bytes));
    weights.by_layer = by_layer.into_values().collect();
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, elements: u64) -> Tensor {
        Tensor {
            name: name.to_owned(),
            dims: vec![elements],
            tensor_type: TensorType::F32,
            elements,
            bytes: 4 * elements,
        }
    }

    #[test]
    fn an_embedding_is_multiplied_where_it_is_the_output_too() {
        let mut tensors = vec![tensor("token_embd.weight", 100), tensor("blk.0.ffn_up.weight", 30)];
        let products = |tensors: &[Tensor]| products_per_token(tensors, &parameters(tensors, None));
        assert_eq!(products(&tensors), Some(130));
        tensors.push(tensor("output.weight", 100));
        assert_eq!(products(&tensors), Some(130), "it is only looked up now, and the output is multiplied");
    }

    #[test]
    fn of_experts_those_are_multiplied_that_are_used() {
        let tensors = [tensor("blk.0.attn_q.weight", 10), tensor("blk.0.ffn_up_exps.weight", 80)];
        let experts = |used| Experts { count: 8, used, shared: None, feed_forward_length: None };
        let products = |used| products_per_token(&tensors, &parameters(&tensors, Some(&experts(used))));
        assert_eq!((products(Some(2)), products(None)), (Some(30), None));
    }
}
