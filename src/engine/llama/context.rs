//! How a lane's context is set up.

use std::num::NonZeroU32;

use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_sys_2 as sys;

use super::device::devices;
use crate::engine::{EngineError, LoadSettings, Strategy};
use crate::experiment::Numerics;

/// llama.cpp's default physical batch.
const N_UBATCH: u32 = 512;

/// The parameters of one lane's context.
///
/// # Errors
/// When it would have more than 2^32 tokens.
pub(super) fn context_params(settings: &LoadSettings) -> Result<LlamaContextParams, EngineError> {
    let LoadSettings { context, .. } = *settings;
    let Strategy { rows, threads, .. } = settings.strategy;
    // One more sequence, for the parked prompt.
    let n_seq_max = rows + 1;
    let n_ctx = context.checked_mul(n_seq_max).and_then(NonZeroU32::new).ok_or_else(|| EngineError::Context {
        context,
        rows,
        reason: "more than 2^32 tokens in all".to_owned(),
    })?;
    // Room for a prompt, and for a token of every sequence: llama.cpp aborts
    // when it sets itself up for fewer outputs than sequences.
    let n_batch = context.max(n_seq_max);
    let n_threads = threads as i32;
    Ok(LlamaContextParams::default()
        .with_n_ctx(Some(n_ctx))
        .with_n_seq_max(n_seq_max)
        .with_n_batch(n_batch)
        .with_n_ubatch(N_UBATCH.min(n_batch))
        .with_n_threads(n_threads)
        .with_n_threads_batch(n_threads)
        .with_flash_attention_policy(flash_attention(settings.numerics))
        // Each sequence has a stream of its own: what else is decoded
        // beside it can't change its attention's sums.
        .with_kv_unified(false)
        .with_op_offload(settings.op_offload.into())
        .with_no_perf(true))
}

/// Off on Vulkan: Mesa 22 crashes with it on long prompts (docs/offload.md).
fn flash_attention(numerics: Numerics) -> sys::llama_flash_attn_type {
    let vulkan = || devices().iter().any(|device| device.backend == "Vulkan");
    match numerics {
        Numerics::Fast if !vulkan() => sys::LLAMA_FLASH_ATTN_TYPE_AUTO,
        Numerics::Fast | Numerics::Invariant => sys::LLAMA_FLASH_ATTN_TYPE_DISABLED,
    }
}

/// The same parameters for llama.cpp itself: llama-cpp-2 does not hand over those
/// it wraps.
pub(super) fn raw(params: &LlamaContextParams) -> sys::llama_context_params {
    // SAFETY: plain data, filled in by llama.cpp.
    let mut raw = unsafe { sys::llama_context_default_params() };
    raw.n_ctx = params.n_ctx().map_or(0, NonZeroU32::get);
    raw.n_seq_max = params.n_seq_max();
    raw.n_batch = params.n_batch();
    raw.n_ubatch = params.n_ubatch();
    raw.n_threads = params.n_threads();
    raw.n_threads_batch = params.n_threads_batch();
    raw.flash_attn_type = params.flash_attention_policy();
    raw.kv_unified = params.kv_unified();
    raw.no_perf = params.no_perf();
    raw.op_offload = params.op_offload();
    raw
}
