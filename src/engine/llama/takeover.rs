//! From how many tokens of a step on llama.cpp's devices compute with experts that are on
//! the host: the back ends are asked, as llama.cpp's scheduler asks them.

use llama_cpp_sys_2 as sys;

use super::device::devices;
use crate::domain::OpOffload;
use crate::engine::Takeover;

/// None where there is no device beside the host.
pub(super) fn takeover(op_offload: OpOffload) -> Option<Takeover> {
    let kinds = devices().into_iter().map(|device| device.kind);
    let others: Vec<_> = kinds
        .enumerate()
        .filter(|(_, kind)| kind.holds_weights())
        // SAFETY: `devices` lists llama.cpp's devices by this index.
        .map(|(index, _)| unsafe { sys::ggml_backend_dev_get(index) })
        .collect();
    if others.is_empty() {
        return None;
    }
    Some(match op_offload {
        OpOffload::Off => Takeover::Never,
        OpOffload::On => Takeover::found_by(|tokens| others.iter().any(|&device| takes(device, tokens))),
    })
}

/// Whether the device would compute a product of experts for so many tokens.
fn takes(device: sys::ggml_backend_dev_t, tokens: u32) -> bool {
    // SAFETY: plain data, and null is what a pointer may be in it. Back ends look at no more
    // than the operation and its shape: a row for each expert of each token.
    unsafe {
        let mut product: sys::ggml_tensor = std::mem::zeroed();
        product.op = sys::GGML_OP_MUL_MAT_ID;
        product.ne = [1, 1, i64::from(tokens), 1];
        sys::ggml_backend_dev_offload_op(device, &raw const product)
    }
}
