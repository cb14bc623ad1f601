//! Reads the routers' tensors out of llama.cpp's graph while it is computed.
//!
//! llama.cpp asks about every node of its graph (`cb_eval` of the context's
//! parameters); for those that are wanted it stops after the node and hands it
//! over. The names are those of `llm_graph_context::build_moe_ffn`
//! (llama-graph.cpp): `ffn_moe_topk-LAYER`, the selected experts, best first,
//! and `ffn_moe_probs-LAYER`, what the gating function makes of the router's
//! logits. The callback runs under C and must neither panic nor unwind.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_void};

use llama_cpp_sys_2 as sys;

use super::{Routed, RoutingShape};
use crate::Error;

const SELECTED: &str = "ffn_moe_topk-";
const PROBABILITIES: &str = "ffn_moe_probs-";

/// What the routers did in the last decode, or in its last part where
/// llama.cpp cut the batch up.
#[derive(Default)]
pub struct Capture {
    layers: BTreeMap<u32, Layer>,
    fault: Option<String>,
}

/// One layer's rows, in the order of the batch.
#[derive(Default)]
struct Layer {
    experts: Vec<Vec<u32>>,
    probabilities: Vec<Vec<f32>>,
}

/// Which of the two tensors.
#[derive(Clone, Copy)]
enum Wanted {
    Selected,
    Probabilities,
}

impl Capture {
    /// The callback; `user_data` must be a `*mut Capture` that nothing else
    /// refers to while llama.cpp computes.
    pub unsafe extern "C" fn on_node(tensor: *mut sys::ggml_tensor, ask: bool, user_data: *mut c_void) -> bool {
        // SAFETY: llama.cpp hands over a live node with a NUL-terminated name.
        let tensor = unsafe { &*tensor };
        // SAFETY: as above.
        let name = unsafe { CStr::from_ptr(tensor.name.as_ptr()) };
        let Some((wanted, layer)) = name.to_str().ok().and_then(wanted) else {
            // Asked: not wanted. Told: go on.
            return !ask;
        };
        if !ask {
            // SAFETY: the caller's promise.
            let capture = unsafe { &mut *user_data.cast::<Self>() };
            capture.take(wanted, layer, tensor);
        }
        true
    }

    fn take(&mut self, wanted: Wanted, layer: u32, tensor: &sys::ggml_tensor) {
        let layer = self.layers.entry(layer).or_default();
        match wanted {
            Wanted::Selected if tensor.type_ == sys::GGML_TYPE_I32 => {
                layer.experts = rows(tensor, |bytes| i32::from_le_bytes(bytes).unsigned_abs());
            }
            Wanted::Probabilities if tensor.type_ == sys::GGML_TYPE_F32 => {
                layer.probabilities = rows(tensor, f32::from_le_bytes);
                layer.probabilities.iter_mut().for_each(|row| normalise(row, tensor.op));
            }
            Wanted::Selected | Wanted::Probabilities => {
                self.fault = Some("the router's tensors have an unknown type".to_owned());
            }
        }
    }

    pub fn clear(&mut self) {
        self.layers.clear();
        self.fault = None;
    }

    /// What every layer did for the last token.
    pub fn last(&self) -> Result<(RoutingShape, Vec<Routed>), Error> {
        self.of(|layer| layer.experts.len().checked_sub(1))
    }

    /// What every layer did for the batch's `row`.
    pub fn row(&self, row: usize) -> Result<(RoutingShape, Vec<Routed>), Error> {
        self.of(|_| Some(row))
    }

    fn of(&self, row_of: impl Fn(&Layer) -> Option<usize>) -> Result<(RoutingShape, Vec<Routed>), Error> {
        if let Some(fault) = &self.fault {
            return Err(Error::Routing(fault.clone()));
        }
        let routed = |layer: &Layer| {
            let row = row_of(layer)?;
            let experts = layer.experts.get(row)?.clone();
            Some(Routed { experts, probabilities: layer.probabilities.get(row)?.clone() })
        };
        let all: Option<Vec<Routed>> = self.layers.values().map(routed).collect();
        let all = all.ok_or_else(|| Error::Routing("a layer was computed for other tokens".to_owned()))?;
        let Some(first) = all.first() else {
            return Err(Error::Routing("its graph has no routers: it has no experts".to_owned()));
        };
        let shape = |routed: &Routed| (routed.experts.len(), routed.probabilities.len());
        if all.iter().any(|routed| shape(routed) != shape(first)) {
            return Err(Error::Routing("its layers differ in their experts".to_owned()));
        }
        let (n_used, n_expert) = shape(first);
        let layers = self.layers.keys().copied().collect();
        Ok((RoutingShape { layers, n_expert: n_expert as u32, n_used: n_used as u32 }, all))
    }
}

fn wanted(name: &str) -> Option<(Wanted, u32)> {
    let of = |prefix, wanted| Some((wanted, name.strip_prefix(prefix)?.parse().ok()?));
    of(SELECTED, Wanted::Selected).or_else(|| of(PROBABILITIES, Wanted::Probabilities))
}

/// A tensor's rows, of numbers of four bytes. The selected experts are a view
/// of all experts in order, so rows need not follow each other.
fn rows<T>(tensor: &sys::ggml_tensor, from: impl Fn([u8; 4]) -> T) -> Vec<Vec<T>> {
    let [width, rows, ..] = tensor.ne.map(|n| usize::try_from(n).unwrap_or(0));
    let row = |row: usize| {
        let mut bytes = vec![0; width * 4];
        // SAFETY: within the tensor, which is computed and lives during the callback.
        unsafe { sys::ggml_backend_tensor_get(tensor, bytes.as_mut_ptr().cast(), row * tensor.nb[1], bytes.len()) };
        bytes.as_chunks::<4>().0.iter().map(|&bytes| from(bytes)).collect()
    };
    if width == 0 { vec![] } else { (0..rows).map(row).collect() }
}

/// Makes what the gating function gave sum to 1. A router without a gating
/// function before the selection (gpt-oss: softmax over the selected) hands
/// over logits: they get the softmax over all experts.
fn normalise(values: &mut [f32], op: sys::ggml_op) {
    match op {
        sys::GGML_OP_SOFT_MAX => return,
        // A sigmoid, or the root of a softplus: positive weights.
        sys::GGML_OP_UNARY | sys::GGML_OP_SQRT => {}
        _ => {
            let greatest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            values.iter_mut().for_each(|value| *value = (*value - greatest).exp());
        }
    }
    let sum: f32 = values.iter().sum();
    values.iter_mut().for_each(|value| *value /= sum);
}
