//! Translates our words into the crate's, and the crate's into ours. It is data alone: nothing is decided here, but
//! that a step which is off is left out of a chain.

use crate::domain::{
    Bos, CacheFacts, CacheType, ChatForm, Eos, ExpertsUsed, FlashAttention, JSON_GRAMMAR, KeysAndValues, KvK, KvV,
    LoadKey, Memory, ModelFacts, Numerics, Offload, OpOffload, Overflow, OwnTemplate, Quant, ROOT, Repack,
    ResolvedChain, Rope, RopeScaling, Seed, Step, Stop, SwaFull, Temperature, Token, TokenBias, Ubatch,
};
use crate::engine::kernels::{Kernels, KernelsFinding};
use crate::engine::trace::{self, Follow, RoutingShape, TraceText, TraceWork, Traced};
use crate::engine::{
    Device, DeviceKind, EngineError, Group, Holding, Job, LoadMode, LoadSettings, Samplers, Sharing, Strategy, Work,
};
use crate::metrics::Markers;

/// The chain's steps without those that are off, in whose place llama.cpp would put an empty sampler.
pub fn chain(chain: &ResolvedChain) -> Vec<::llama::Step> {
    chain.0.iter().filter(|step| !step.is_off()).map(step).collect()
}

/// One step, off or not.
pub fn step(step: &Step<Temperature>) -> ::llama::Step {
    use ::llama::Step as Theirs;
    match step.clone() {
        Step::Temperature { t } => Theirs::Temperature { t: t.get() },
        Step::TemperatureExt { t, delta, exponent } => Theirs::TemperatureExt { t: t.get(), delta, exponent },
        Step::TopK { k } => Theirs::TopK { k },
        Step::TopP { p, min_keep } => Theirs::TopP { p, min_keep },
        Step::MinP { p, min_keep } => Theirs::MinP { p, min_keep },
        Step::Typical { p, min_keep } => Theirs::Typical { p, min_keep },
        Step::TopNSigma { n } => Theirs::TopNSigma { n },
        Step::Xtc { p, threshold, min_keep } => Theirs::Xtc { p, threshold, min_keep },
        Step::Penalties { last_n, repeat, frequency, presence } => {
            Theirs::Penalties { last_n, repeat, frequency, presence }
        }
        Step::Dry { multiplier, base, allowed_length, last_n, sequence_breakers } => {
            Theirs::Dry { multiplier, base, allowed_length, last_n, sequence_breakers }
        }
        Step::LogitBias { biases } => Theirs::LogitBias { biases: biases.into_iter().map(Into::into).collect() },
        Step::Grammar { grammar, root } => Theirs::Grammar { grammar, root },
        Step::Json => Theirs::Grammar { grammar: JSON_GRAMMAR.to_owned(), root: ROOT.to_owned() },
        Step::Infill => Theirs::Infill,
        Step::Greedy => Theirs::Greedy,
        Step::Dist => Theirs::Dist,
        Step::Mirostat { tau, eta, m } => Theirs::Mirostat { tau, eta, m },
        Step::MirostatV2 { tau, eta } => Theirs::MirostatV2 { tau, eta },
        Step::AdaptiveP { target, decay } => Theirs::AdaptiveP { target, decay },
        // A server's. Plans refuse it of a model's file; here it removes nothing.
        Step::Request(_) => Theirs::TopK { k: 0 },
    }
}

impl From<TokenBias> for ::llama::TokenBias {
    fn from(TokenBias { token, bias }: TokenBias) -> Self {
        Self { token, bias }
    }
}

/// None for the file as it is.
pub fn file_type(quant: Quant) -> Option<::llama::FileType> {
    use ::llama::FileType as Theirs;
    Some(match quant {
        Quant::Source => return None,
        Quant::F32 => Theirs::F32,
        Quant::F16 => Theirs::F16,
        Quant::BF16 => Theirs::BF16,
        Quant::Q8_0 => Theirs::Q8_0,
        Quant::Q6_K => Theirs::Q6_K,
        Quant::Q5_K_M => Theirs::Q5_K_M,
        Quant::Q5_K_S => Theirs::Q5_K_S,
        Quant::Q4_K_M => Theirs::Q4_K_M,
        Quant::Q4_K_S => Theirs::Q4_K_S,
        Quant::Q4_0 => Theirs::Q4_0,
        Quant::Q3_K_L => Theirs::Q3_K_L,
        Quant::Q3_K_M => Theirs::Q3_K_M,
        Quant::Q3_K_S => Theirs::Q3_K_S,
        Quant::Q2_K => Theirs::Q2_K,
        Quant::IQ4_XS => Theirs::IQ4_XS,
        Quant::MXFP4_MOE => Theirs::MXFP4_MOE,
    })
}

impl From<&LoadSettings> for ::llama::Settings {
    fn from(settings: &LoadSettings) -> Self {
        Self {
            experts: match settings.levels.offload() {
                Offload::None => ::llama::HostExperts::None,
                Offload::Layers(n) => ::llama::HostExperts::Layers(n),
                Offload::All => ::llama::HostExperts::All,
            },
            experts_used: match settings.levels.get() {
                ExpertsUsed::Model => None,
                ExpertsUsed::Number(n) => Some(*n),
            },
            repack: match settings.levels.get() {
                Repack::On => ::llama::Repack::On,
                Repack::Off => ::llama::Repack::Off,
            },
            options: options(&settings.levels),
            numerics: match settings.numerics {
                Numerics::Invariant => ::llama::Numerics::Invariant,
                Numerics::Fast => ::llama::Numerics::Fast,
            },
            context: settings.context,
            overflow: match *settings.levels.get() {
                Overflow::Refuse => ::llama::Overflow::Refuse,
                Overflow::Stop => ::llama::Overflow::Stop,
                Overflow::Shift(keep) => ::llama::Overflow::Shift { keep },
            },
            strategy: settings.strategy.into(),
            samplers: match settings.samplers {
                Samplers::Fast => ::llama::Samplers::Fast,
                Samplers::Llama => ::llama::Samplers::Llama,
            },
            sharing: match settings.sharing {
                Sharing::None => ::llama::Sharing::None,
                Sharing::Prompt => ::llama::Sharing::Prompt,
                Sharing::Trie => ::llama::Sharing::Trie,
            },
            load_mode: match settings.load_mode {
                LoadMode::Auto => ::llama::LoadMode::Auto,
                LoadMode::Mmap => ::llama::LoadMode::Mmap,
                LoadMode::None => ::llama::LoadMode::None,
            },
        }
    }
}

/// What is chosen of a context's parameters: a factor that is one of them has a line here.
fn options(levels: &LoadKey) -> ::llama::ContextOptions {
    use ::llama::options;
    ::llama::ContextOptions {
        op_offload: match levels.get() {
            OpOffload::On => options::OpOffload::On,
            OpOffload::Off => options::OpOffload::Off,
        },
        flash_attention: match levels.get() {
            FlashAttention::Auto => options::FlashAttention::Auto,
            FlashAttention::On => options::FlashAttention::On,
            FlashAttention::Off => options::FlashAttention::Off,
        },
        kv_k: levels.get::<KvK>().0.into(),
        kv_v: levels.get::<KvV>().0.into(),
        ubatch: options::Ubatch(levels.get::<Ubatch>().get()),
        swa_full: match levels.get() {
            SwaFull::Full => options::SwaFull::Full,
            SwaFull::Window => options::SwaFull::Window,
        },
        rope: match levels.get() {
            Rope::Model => options::Rope::Model,
            Rope::None => options::Rope::None,
            Rope::Linear(factor) => options::Rope::Linear(factor.get()),
            Rope::Yarn(factor) => options::Rope::Yarn(factor.get()),
            Rope::Base(base) => options::Rope::Base(base.get()),
        },
    }
}

impl From<CacheType> for ::llama::options::CacheType {
    fn from(cache_type: CacheType) -> Self {
        match cache_type {
            CacheType::F32 => Self::F32,
            CacheType::F16 => Self::F16,
            CacheType::BF16 => Self::Bf16,
            CacheType::Q8_0 => Self::Q8_0,
            CacheType::Q5_1 => Self::Q5_1,
            CacheType::Q5_0 => Self::Q5_0,
            CacheType::Q4_1 => Self::Q4_1,
            CacheType::Q4_0 => Self::Q4_0,
            CacheType::IQ4_NL => Self::Iq4Nl,
        }
    }
}

impl From<Strategy> for ::llama::Strategy {
    fn from(Strategy { lanes, threads, batch }: Strategy) -> Self {
        Self { lanes, threads, rows: batch }
    }
}

impl From<Bos> for ::llama::Bos {
    fn from(bos: Bos) -> Self {
        match bos {
            Bos::Model => Self::Model,
            Bos::Always => Self::Always,
            Bos::Never => Self::Never,
        }
    }
}

/// Work whose prompts are these tokens, a group each.
pub fn work(Work { max_tokens, groups, hash_logits }: &Work, prompts: Vec<Vec<Token>>) -> ::llama::Work {
    let groups = groups.iter().zip(prompts).map(|(Group { prompt: _, key: _, jobs }, prompt)| ::llama::Group {
        prompt,
        jobs: jobs.iter().map(Into::into).collect(),
    });
    ::llama::Work { max_tokens: *max_tokens, groups: groups.collect(), hash_logits: *hash_logits }
}

impl From<Eos> for ::llama::Eos {
    fn from(eos: Eos) -> Self {
        match eos {
            Eos::Model => Self::Model,
            Eos::Ignore => Self::Ignore,
            Eos::Token(token) => Self::Token(token),
        }
    }
}

impl From<&Job> for ::llama::Job {
    fn from(job: &Job) -> Self {
        // A chain without a draw has no seed; no sampler of it looks at this one.
        Self { ticket: job.ticket, chain: chain(&job.chain), seed: job.seed.map_or(0, Seed::get), eos: job.eos.into() }
    }
}

impl From<::llama::Stop> for Stop {
    fn from(stop: ::llama::Stop) -> Self {
        match stop {
            ::llama::Stop::Eos => Self::Eos,
            ::llama::Stop::MaxTokens => Self::MaxTokens,
            ::llama::Stop::Context => Self::Context,
            ::llama::Stop::Grammar => Self::Grammar,
        }
    }
}

/// Work of a trace whose prompts are these tokens, one a text.
pub fn trace_work(work: &TraceWork, prompts: Vec<Vec<Token>>) -> ::llama::trace::TraceWork {
    use ::llama::trace::Capturing;
    ::llama::trace::TraceWork {
        max_tokens: work.max_tokens,
        texts: work.texts.iter().zip(prompts).map(|(text, prompt)| trace_text(text, prompt)).collect(),
        capturing: match work.record {
            trace::Record::Routing => Capturing::Routing,
            trace::Record::Nothing | trace::Record::Logits => Capturing::Off,
        },
    }
}

fn trace_text(
    TraceText { ticket, prompt: _, key: _, follow }: &TraceText,
    prompt: Vec<Token>,
) -> ::llama::trace::TraceText {
    use ::llama::trace::Follow as Theirs;
    let follow = match follow {
        Follow::Greedy => Theirs::Greedy,
        // For whatever other reason it ended, its last token is its last position.
        Follow::Forced { tokens, stop } => Theirs::Forced {
            tokens: tokens.clone(),
            stop: if *stop == Stop::Eos { ::llama::Stop::Eos } else { ::llama::Stop::MaxTokens },
        },
    };
    ::llama::trace::TraceText { ticket: *ticket, prompt, follow }
}

/// A text that was followed as `work` asked for.
pub fn traced(text: ::llama::trace::Traced, work: &TraceWork) -> Traced {
    let ::llama::trace::Traced { ticket, n_prompt_tokens, tokens, stop, logits_blake3, n_vocab, routing } = text;
    let asked = work.texts.iter().find(|text| text.ticket == ticket);
    let stop = match asked.map(|text| &text.follow) {
        Some(Follow::Forced { stop, .. }) => *stop,
        _ => stop.into(),
    };
    let routing = routing.map(|shape| {
        let ::llama::trace::RoutingShape { layers, n_expert, n_used } = shape;
        RoutingShape { layers, n_expert, n_used }
    });
    Traced { ticket, n_prompt_tokens, tokens, stop, logits_blake3, n_vocab, routing }
}

impl From<::llama::Facts> for ModelFacts {
    fn from(facts: ::llama::Facts) -> Self {
        Self {
            architecture: facts.architecture,
            n_layer: facts.n_layer,
            n_expert: facts.n_expert,
            n_expert_used: facts.n_expert_used,
            n_vocab: facts.n_vocab,
            n_ctx_train: facts.n_ctx_train,
            rope_scaling: facts.rope_scaling.map(|scaling| {
                let ::llama::RopeScaling { kind, factor, original_context } = scaling;
                RopeScaling { kind, factor, original_context }
            }),
            chat: None,
            rendered: vec![],
            own_template: if facts.chat_template.is_some() { OwnTemplate::There } else { OwnTemplate::Absent },
            thought_markers: facts.chat_template.and_then(|template| Markers::of_template(&template)),
            cache_bytes_per_token: facts.cache_bytes_per_token,
            cache: CacheFacts {
                key_length: facts.key_length,
                value_length: facts.value_length,
                kv: match facts.kv {
                    ::llama::KeysAndValues::Apart => KeysAndValues::Apart,
                    ::llama::KeysAndValues::Together => KeysAndValues::Together,
                },
                memory: match facts.memory {
                    ::llama::Memory::Movable => Memory::Movable,
                    ::llama::Memory::Fixed => Memory::Fixed,
                    ::llama::Memory::State => Memory::State,
                },
                window: facts.window,
            },
        }
    }
}

impl From<::llama::ChatForm> for ChatForm {
    fn from(form: ::llama::ChatForm) -> Self {
        let ::llama::ChatForm { template, forms, before, after, dialogue } = form;
        Self::new(&template, forms, &before, &after, &dialogue)
    }
}

pub fn kernels(kernels: Kernels) -> ::llama::Kernels {
    match kernels {
        Kernels::Ggml => ::llama::Kernels::Ggml,
        Kernels::Portable => ::llama::Kernels::Ours(::llama::matmul::Kernels::Portable),
        Kernels::Avx2 => ::llama::Kernels::Ours(::llama::matmul::Kernels::Avx2),
        Kernels::Avx512 => ::llama::Kernels::Ours(::llama::matmul::Kernels::Avx512),
    }
}

pub fn finding(finding: ::llama::Finding) -> KernelsFinding {
    match finding {
        ::llama::Finding::Absent => KernelsFinding::Absent,
        ::llama::Finding::Tried(::llama::matmul::Probe::Agree { products_per_s }) => {
            KernelsFinding::Usable { products_per_s }
        }
        ::llama::Finding::Tried(::llama::matmul::Probe::Deviate { format }) => {
            KernelsFinding::Deviate { format: format.to_string() }
        }
    }
}

impl From<::llama::Device> for Device {
    fn from(device: ::llama::Device) -> Self {
        let ::llama::Device { name, description, backend, kind, memory_total_bytes, memory_free_bytes } = device;
        Self { name, description, backend, kind: kind.into(), memory_total_bytes, memory_free_bytes }
    }
}

impl From<::llama::DeviceKind> for DeviceKind {
    fn from(kind: ::llama::DeviceKind) -> Self {
        match kind {
            ::llama::DeviceKind::Cpu => Self::Cpu,
            ::llama::DeviceKind::Gpu => Self::Gpu,
            ::llama::DeviceKind::IntegratedGpu => Self::IntegratedGpu,
            ::llama::DeviceKind::Accelerator => Self::Accelerator,
            ::llama::DeviceKind::Unknown => Self::Unknown,
        }
    }
}

impl From<::llama::Holding> for Holding {
    fn from(holding: ::llama::Holding) -> Self {
        let ::llama::Holding { device, kind, expert_bytes, other_weight_bytes, cache_bytes, compute_bytes } = holding;
        Self { device, kind: kind.into(), expert_bytes, other_weight_bytes, cache_bytes, compute_bytes }
    }
}

impl From<::llama::Error> for EngineError {
    fn from(error: ::llama::Error) -> Self {
        match error {
            ::llama::Error::Abandoned(error) => match error.downcast::<trace::ScratchError>() {
                Ok(scratch) => Self::Scratch(scratch),
                Err(error) => Self::Abandoned(error),
            },
            other => Self::Llama(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_are_off_are_left_out() {
        let idle = [
            Step::TopK { k: 0 },
            Step::TopP { p: 1.0, min_keep: 1 },
            Step::MinP { p: 0.0, min_keep: 1 },
            Step::Typical { p: 1.0, min_keep: 1 },
            Step::Xtc { p: 0.0, threshold: 0.1, min_keep: 1 },
            Step::Penalties { last_n: 64, repeat: 1.0, frequency: 0.0, presence: 0.0 },
        ];
        let dist = ResolvedChain(vec![Step::Dist]);
        assert_eq!(chain(&ResolvedChain([&idle[..], &dist.0].concat())), chain(&dist));
        assert_eq!(chain(&dist), [::llama::Step::Dist]);
    }
}
