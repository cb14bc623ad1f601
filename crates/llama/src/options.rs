//! Owns the parameters of llama.cpp's contexts that a caller chooses: their values, and what each of them sets.
//!
//! Must not know what a context needs whatever is chosen: `context` has that.

use llama_cpp_2::context::params::{KvCacheType, LlamaContextParams, RopeScalingType};
use llama_cpp_sys_2 as sys;

use crate::device::devices;

/// What is chosen of a context's parameters. The default is llama.cpp's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ContextOptions {
    pub op_offload: OpOffload,
    pub flash_attention: FlashAttention,
    pub kv_k: CacheType,
    pub kv_v: CacheType,
    pub ubatch: Ubatch,
    pub swa_full: SwaFull,
    pub rope: Rope,
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

/// A type of numbers that a cache can hold (`--cache-type-k`, `--cache-type-v`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheType {
    F32,
    /// llama.cpp's default.
    #[default]
    F16,
    Bf16,
    Q8_0,
    Q5_1,
    Q5_0,
    Q4_1,
    Q4_0,
    Iq4Nl,
}

/// How many tokens are computed at once at most (`--ubatch-size`); in invariant numerics 3 at least, and no less than rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ubatch(pub u32);

/// llama.cpp's default.
impl Default for Ubatch {
    fn default() -> Self {
        Self(512)
    }
}

/// How much of a text is kept for layers with a sliding window (`--swa-full`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SwaFull {
    /// All of it, the library's default.
    #[default]
    Full,
    /// The window, llama-server's default: a sequence can't be cut then.
    Window,
}

/// How the angles of rotary position encoding are scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Rope {
    /// As the model's file says.
    #[default]
    Model,
    None,
    /// Positions are divided by so much (`--rope-scaling linear --rope-scale`).
    Linear(f32),
    /// For a context so many times as long (`--rope-scaling yarn --rope-scale`).
    Yarn(f32),
    /// Another base of the frequencies (`--rope-freq-base`), and no scaling.
    Base(f32),
}

impl From<CacheType> for KvCacheType {
    fn from(cache_type: CacheType) -> Self {
        match cache_type {
            CacheType::F32 => Self::F32,
            CacheType::F16 => Self::F16,
            CacheType::Bf16 => Self::BF16,
            CacheType::Q8_0 => Self::Q8_0,
            CacheType::Q5_1 => Self::Q5_1,
            CacheType::Q5_0 => Self::Q5_0,
            CacheType::Q4_1 => Self::Q4_1,
            CacheType::Q4_0 => Self::Q4_0,
            CacheType::Iq4Nl => Self::IQ4_NL,
        }
    }
}

impl Rope {
    fn set(self, params: LlamaContextParams) -> LlamaContextParams {
        match self {
            Self::Model => params,
            Self::None => params.with_rope_scaling_type(RopeScalingType::None),
            Self::Linear(factor) => {
                params.with_rope_scaling_type(RopeScalingType::Linear).with_rope_freq_scale(1.0 / factor)
            }
            Self::Yarn(factor) => {
                params.with_rope_scaling_type(RopeScalingType::Yarn).with_rope_freq_scale(1.0 / factor)
            }
            Self::Base(base) => params.with_rope_scaling_type(RopeScalingType::None).with_rope_freq_base(base),
        }
    }
}

impl ContextOptions {
    /// The parameters with what is chosen.
    pub(crate) fn set(self, params: LlamaContextParams) -> LlamaContextParams {
        let Self { op_offload, flash_attention, kv_k, kv_v, ubatch, swa_full, rope } = self;
        let flash_attention = match flash_attention {
            FlashAttention::Auto => trusted(),
            FlashAttention::On => sys::LLAMA_FLASH_ATTN_TYPE_ENABLED,
            FlashAttention::Off => sys::LLAMA_FLASH_ATTN_TYPE_DISABLED,
        };
        let n_batch = params.n_batch();
        rope.set(params)
            .with_op_offload(op_offload == OpOffload::On)
            .with_flash_attention_policy(flash_attention)
            .with_n_ubatch(ubatch.0.min(n_batch))
            .with_type_k(kv_k.into())
            .with_type_v(kv_v.into())
            .with_swa_full(swa_full == SwaFull::Full)
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
