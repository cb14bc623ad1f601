//! Looks at the table of tensors: how far what matters most was rounded, and whether scales are there.

use std::collections::{BTreeMap, BTreeSet};

use super::Examination;
use crate::domain::FindingId;
use crate::model::anatomy::{Anatomy, is_expert};
use crate::model::gguf::{Gguf, Tensor, TensorType};

/// Bits of a weight below which a tensor that all tokens go through is told, and a whole model.
const LEAST_OF_A_TENSOR: f64 = 4.0;
const LEAST_OF_ALL: f64 = 3.0;
/// Names that are listed.
const LISTED: usize = 3;

pub(super) fn examine(gguf: &Gguf, anatomy: &Anatomy, found: &mut Examination) {
    let router = |name: &str| name.starts_with("blk.") && name.ends_with(".ffn_gate_inp.weight");
    let again = "quantise it again, but not these tensors: llama-quantize --tensor-type";
    few_bits(gguf, router, found, FindingId::RouterBits, &format!("{again} ffn_gate_inp=f32"));
    let embedding = |name: &str| name == "token_embd.weight";
    few_bits(
        gguf,
        embedding,
        found,
        FindingId::EmbeddingBits,
        "quantise it again with llama-quantize --token-embedding-type q6_k",
    );
    let output = |name: &str| name == "output.weight";
    few_bits(
        gguf,
        output,
        found,
        FindingId::OutputBits,
        "quantise it again with llama-quantize --output-tensor-type q6_k",
    );
    let (bytes, n_weights) = (anatomy.weights.bytes, anatomy.parameters.total);
    if let Some(bits) = bits(bytes, n_weights).filter(|&bits| bits < LEAST_OF_ALL) {
        found.add(
            FindingId::WeightsBits,
            "general.file_type",
            format!("{bits:.2} bits per weight over all {} tensors", gguf.tensors.len()),
            "compare it with a larger file of the same model, Q4_K_M or more: put both in model = [\"…\", \"…\"] of \
             [grid]",
        );
    }
    scales(gguf, found);
}

fn bits(bytes: u64, elements: u64) -> Option<f64> {
    (elements > 0).then(|| bytes as f64 * 8.0 / elements as f64)
}

/// Quantised tensors, a name of which `is_meant`, with too few bits: one finding for all of them.
fn few_bits(gguf: &Gguf, is_meant: impl Fn(&str) -> bool, found: &mut Examination, id: FindingId, remedy: &str) {
    let meant: Vec<&Tensor> = gguf.tensors.iter().filter(|tensor| is_meant(&tensor.name)).collect();
    let is_coarse = |tensor: &&Tensor| {
        let quantised = tensor.tensor_type.block_elements() > 1;
        quantised && bits(tensor.bytes, tensor.elements).is_some_and(|bits| bits < LEAST_OF_A_TENSOR)
    };
    let coarse: Vec<&Tensor> = meant.iter().copied().filter(is_coarse).collect();
    let worst =
        coarse.iter().copied().min_by_key(|tensor| (tensor.bytes as u128 * 1_000) / u128::from(tensor.elements.max(1)));
    let Some(worst) = worst else { return };
    let bits = bits(worst.bytes, worst.elements).unwrap_or(0.0);
    let others = match meant.len() {
        1 => String::new(),
        all => format!("; {} of {all} such tensors have fewer than {LEAST_OF_A_TENSOR} bits", coarse.len()),
    };
    found.add(id, worst.name.clone(), format!("{}, {bits:.2} bits per weight{others}", worst.tensor_type), remedy);
}

/// Experts of one type that have their scales, and others of it that have not.
fn scales(gguf: &Gguf, found: &mut Examination) {
    let names: BTreeSet<&str> = gguf.tensors.iter().map(|tensor| &*tensor.name).collect();
    let mut by_type: BTreeMap<TensorType, (usize, Vec<String>)> = BTreeMap::new();
    let experts =
        gguf.tensors.iter().filter(|tensor| is_expert(&tensor.name) && tensor.tensor_type.block_elements() > 1);
    for (tensor, stem) in experts.filter_map(|tensor| Some((tensor, tensor.name.strip_suffix(".weight")?))) {
        let scale = format!("{stem}.scale");
        let (n_scaled, absent) = by_type.entry(tensor.tensor_type).or_default();
        if names.contains(&*scale) { *n_scaled += 1 } else { absent.push(scale) }
    }
    for (tensor_type, (n_scaled, absent)) in by_type.into_iter().filter(|(_, (n, absent))| *n > 0 && !absent.is_empty())
    {
        let listed = absent.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
        let more = match absent.len().saturating_sub(LISTED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        found.add(
            FindingId::ScalesInPart,
            listed + &more,
            format!("absent, although {n_scaled} other expert tensors in {tensor_type} have a scale"),
            "convert the model again, or fetch the file again from its source",
        );
    }
}
