//! Owns sampler chains: llama.cpp's samplers in order, with their parameters.

/// One of llama.cpp's samplers.
///
/// Parameter names and meanings are those of `llama_sampler_init_*` in llama.cpp's `include/llama.h`. Samplers that
/// draw use the job's seed.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Temperature { t: f32 },
    TemperatureExt { t: f32, delta: f32, exponent: f32 },
    TopK { k: i32 },
    TopP { p: f32, min_keep: usize },
    MinP { p: f32, min_keep: usize },
    Typical { p: f32, min_keep: usize },
    TopNSigma { n: f32 },
    Xtc { p: f32, threshold: f32, min_keep: usize },
    Penalties { last_n: i32, repeat: f32, frequency: f32, presence: f32 },
    Dry { multiplier: f32, base: f32, allowed_length: i32, last_n: i32, sequence_breakers: Vec<String> },
    LogitBias { biases: Vec<TokenBias> },
    Grammar { grammar: String, root: String },
    Infill,
    Greedy,
    Dist,
    Mirostat { tau: f32, eta: f32, m: i32 },
    MirostatV2 { tau: f32, eta: f32 },
    AdaptiveP { target: f32, decay: f32 },
}

/// An addition to one token's logit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenBias {
    pub token: i32,
    pub bias: f32,
}
