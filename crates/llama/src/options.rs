//! Owns the parameters of llama.cpp's contexts that a caller chooses: their values, and what each of them sets.
//!
//! Must not know what a context needs whatever is chosen: `context` has that.

use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_sys_2 as sys;

use crate::device::devices;

/// What is chosen of a context's parameters. The default is llama.cpp's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContextOptions {
    pub op_offload: OpOffload,
    pub flash_attention: FlashAttention,
}

/// Whether llama.cpp computes products of large batches on the accelerator where the weights are on the host, by
/// copying them (`--no-op-offload`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OpOffload {
    /// llama.cpp's default.
    #[default]
    On,
    Off,
}

/// Whether attention is computed in one fused pass over the cache (`--flash-attn`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlashAttention {
    /// llama.cpp's own choice, but off on Vulkan, where Mesa 22 crashes with it on long prompts.
    #[default]
    Auto,
    On,
    Off,
}

impl ContextOptions {
    /// The parameters with what is chosen.
    pub(crate) fn set(self, params: LlamaContextParams) -> LlamaContextParams {
        let Self { op_offload, flash_attention } = self;
        let flash_attention = match flash_attention {
            FlashAttention::Auto => trusted(),
            FlashAttention::On => sys::LLAMA_FLASH_ATTN_TYPE_ENABLED,
            FlashAttention::Off => sys::LLAMA_FLASH_ATTN_TYPE_DISABLED,
        };
        params.with_op_offload(op_offload == OpOffload::On).with_flash_attention_policy(flash_attention)
    }
}

/// llama.cpp's own choice; off on Vulkan, where Mesa 22 crashes with it on long prompts (docs/offload.md).
fn trusted() -> sys::llama_flash_attn_type {
    if devices().iter().any(|device| device.backend == "Vulkan") {
        sys::LLAMA_FLASH_ATTN_TYPE_DISABLED
    } else {
        sys::LLAMA_FLASH_ATTN_TYPE_AUTO
    }
}
