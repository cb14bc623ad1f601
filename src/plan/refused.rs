//! Knows which levels can't be used, together or with a model, so that a run need not find out. Must not know what
//! becomes of a refusal.

use super::Surveyed;
use crate::domain::{
    CacheType, ExpertsUsed, Factor, FlashAttention, KeysAndValues, KvK, KvV, Level, LoadKey, Memory, ModelFacts,
    Numerics, Overflow, PromptKey, Repack, Rope, SwaFull, System, Template, Thinking, Ubatch, Width,
};
use crate::engine::Unaskable;
use crate::engine::kernels::Kernels;

/// Levels that can't be used with a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{given} can't be used with the model {model}: {why}; exclude it with [[grid.exclude]] model = {model:?}, {given}",
    given = given(levels)
)]
pub struct Refused {
    model: String,
    pub levels: Vec<Level>,
    pub why: String,
}

/// Levels that mean nothing together, whatever the model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given} can't be combined: {why}; exclude them with [[grid.exclude]] {given}", given = given(levels))]
pub struct Meaningless {
    pub levels: Vec<Level>,
    pub why: &'static str,
}

/// From three tokens on, any number can be cut into pieces of two and more.
const LEAST_UBATCH: u32 = 3;

fn given(levels: &[Level]) -> String {
    let given = levels.iter().map(|level| format!("{} = {}", level.factor(), level.written()));
    given.collect::<Vec<_>>().join(", ")
}

/// Levels of a key of prompts that mean nothing together.
pub(super) fn meaningless(key: &PromptKey) -> Option<Meaningless> {
    let (template, system, thinking): (&Template, &System, &Thinking) = (key.get(), key.get(), key.get());
    let (factor, why) = match (template, system, thinking) {
        (Template::Raw, System::None | System::Text(_), _) => (Factor::System, "a raw prompt has no messages"),
        (Template::Raw, _, Thinking::On | Thinking::Off) => {
            (Factor::Thinking, "a raw prompt has no template that could switch thinking")
        }
        (Template::Chat, System::None, _) => {
            (Factor::System, "llama.cpp's built-in chat form has no default system message")
        }
        (Template::Chat, _, Thinking::On | Thinking::Off) => (
            Factor::Thinking,
            "llama.cpp's built-in chat form has no switch for thinking; template = \"jinja\" may have one",
        ),
        (Template::Raw | Template::Chat | Template::Jinja, _, _) => return None,
    };
    Some(Meaningless { levels: levels_of(key, &[Factor::Template, factor]), why })
}

/// The levels of a key of prompts by which a model, in a file, can't be asked.
pub(super) fn unaskable(model: &str, key: &PromptKey, unaskable: &Unaskable) -> Refused {
    let factors = match unaskable {
        Unaskable::Template(_) => &[Factor::Template][..],
        Unaskable::Bos(_) => &[Factor::Bos][..],
        Unaskable::System(_) => &[Factor::Template, Factor::System],
        Unaskable::Thinking(_) => &[Factor::Template, Factor::Thinking],
    };
    Refused { model: model.to_owned(), levels: levels_of(key, factors), why: unaskable.to_string() }
}

fn levels_of(key: &PromptKey, factors: &[Factor]) -> Vec<Level> {
    key.levels().filter(|level| factors.contains(&level.factor())).cloned().collect()
}

/// Whatever llama.cpp refuses of a load key, for a model in a file, and what can change no text of it.
pub(super) fn refused(key: &LoadKey, surveyed: &Surveyed, numerics: Numerics) -> Vec<Refused> {
    let Some(file) = surveyed.file() else { return vec![] };
    let facts = &file.facts;
    let mut found = Vec::new();
    let mut refuse = |factors: &[Factor], why: String| {
        let levels = key.levels().filter(|level| factors.contains(&level.factor())).cloned().collect();
        found.push(Refused { model: key.model().to_owned(), levels, why });
    };
    let (KvK(keys), KvV(values)) = (key.get(), key.get());
    let fused = *key.get::<FlashAttention>() != FlashAttention::Off;
    // As `llama_init_from_model` has it.
    if facts.cache.kv == KeysAndValues::Together && keys != values {
        let why = "its cache stores keys and values together (multi-head latent attention), so they have one type";
        refuse(&[Factor::KvK, Factor::KvV], why.to_owned());
    }
    if values.is_quantised() && !fused {
        let why = "llama.cpp supports quantised values only with flash attention";
        refuse(&[Factor::KvV, Factor::FlashAttention], why.to_owned());
    }
    let halves = [(Factor::KvK, *keys, facts.cache.key_length), (Factor::KvV, *values, facts.cache.value_length)];
    for (factor, cache_type, length) in halves.into_iter().filter(|_| fused) {
        if let Some(length) =
            length.filter(|length| cache_type.is_quantised() && !length.is_multiple_of(CacheType::BLOCK))
        {
            let block = CacheType::BLOCK;
            refuse(
                &[factor],
                format!("its heads have {length} numbers, not a multiple of the block size {block} of {cache_type}"),
            );
        }
    }
    // A token alone has kernels of its own.
    let ubatch: &Ubatch = key.get();
    if numerics == Numerics::Invariant && ubatch.get() < LEAST_UBATCH {
        let why = format!(
            "numerics = \"invariant\" never computes a token alone, which needs at least {LEAST_UBATCH}; numerics = \
             \"fast\" has no such limit"
        );
        refuse(&[Factor::Ubatch], why);
    }
    if numerics == Numerics::Invariant && *key.get::<Width>() != Width::Any {
        let why = "with numerics = \"invariant\" a text does not depend on the batch, so the width has no effect; use \
                   numerics = \"fast\"";
        refuse(&[Factor::Width], why.to_owned());
    }
    if *key.get::<Repack>() == Repack::Off
        && let Some(why) = why_not_repacked(numerics, surveyed.engine.kernels)
    {
        refuse(&[Factor::Repack], why.to_owned());
    }
    if let Overflow::Shift(_) = key.get()
        && let Some((other, why)) = why_not_shifted(key, facts, numerics)
    {
        refuse(&[other, Some(Factor::Overflow)].into_iter().flatten().collect::<Vec<_>>(), why.to_owned());
    }
    // As `llama_model_base::load_hparams` has it, which ends the process.
    match (*key.get(), facts.n_expert) {
        (ExpertsUsed::Number(_), 0) => refuse(&[Factor::ExpertsUsed], "it has no experts".to_owned()),
        (ExpertsUsed::Number(asked), n_expert) if asked.get() > n_expert => {
            refuse(&[Factor::ExpertsUsed], format!("its layers have {n_expert} experts"));
        }
        _ => {}
    }
    found
}

/// Why no weights are repacked, whatever the level, if so.
fn why_not_repacked(numerics: Numerics, kernels: Option<Kernels>) -> Option<&'static str> {
    match (numerics, kernels) {
        (Numerics::Invariant, _) => Some(
            "with numerics = \"invariant\" no weights are repacked, so it has no effect; use numerics = \"fast\" and \
             --kernels ggml",
        ),
        (Numerics::Fast, Some(Kernels::Portable | Kernels::Avx2 | Kernels::Avx512)) => {
            Some("moe-sweep's own kernels do not use repacked weights, so it has no effect; run with --kernels ggml")
        }
        (Numerics::Fast, Some(Kernels::Ggml) | None) => None,
    }
}

/// Why a text can't forget and go on, if so, and the factor whose level is in the way beside the overflow.
fn why_not_shifted(key: &LoadKey, facts: &ModelFacts, numerics: Numerics) -> Option<(Option<Factor>, &'static str)> {
    match facts.cache.memory {
        Memory::Movable => {}
        // As `llama_memory_can_shift` has it.
        Memory::Fixed => return Some((None, "llama.cpp can't move its tokens to other positions")),
        Memory::State => {
            return Some((None, "it keeps one recurrent state, from which no token can be removed"));
        }
    }
    let KvK(keys) = *key.get();
    if facts.cache.window.is_some() && *key.get::<SwaFull>() == SwaFull::Window {
        return Some((
            Some(Factor::SwaFull),
            "llama.cpp can shift its context only if layers with a window keep as many tokens as the others: swa_full \
             = true",
        ));
    }
    // `ggml_compute_forward_rope` ends the process.
    if keys == CacheType::BF16 {
        return Some((Some(Factor::KvK), "llama.cpp can't rotate keys in bf16, which shifting needs"));
    }
    if numerics == Numerics::Fast {
        return None;
    }
    // llama.cpp turns the keys of all texts of a context at once, by nothing those that stay where they are
    // (`llama_kv_cache::build_graph_shift`). That changes none in F16 and F32, unless the rotation scales too.
    if keys.is_quantised() {
        return Some((
            Some(Factor::KvK),
            "when one text shifts, llama.cpp quantises the keys of all others again, so they depend on it, which \
             numerics = \"invariant\" rules out; use numerics = \"fast\"",
        ));
    }
    rope_scales_keys(*key.get(), facts).then_some((
        Some(Factor::Rope),
        "when one text shifts, llama.cpp scales the keys of all others once more (YaRN), so they depend on it, which \
         numerics = \"invariant\" rules out; use numerics = \"fast\"",
    ))
}

/// Whether the rotation of positions multiplies keys by a number beside 1.
fn rope_scales_keys(rope: Rope, facts: &ModelFacts) -> bool {
    let (of_yarn, of_long_rope) =
        facts.rope_scaling.as_ref().map_or((false, false), |scaling| (scaling.is_yarn(), scaling.is_long_rope()));
    match rope {
        Rope::Yarn(_) => true,
        Rope::Model | Rope::Linear(_) => of_yarn || of_long_rope,
        // Without scaling YaRN's number is 1; that of a file with LongRoPE stays.
        Rope::None | Rope::Base(_) => of_long_rope,
    }
}
