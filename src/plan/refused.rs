//! Knows which levels can't be used, together or with a model, so that a run need not find out. Must not know what
//! becomes of a refusal.

use crate::domain::{
    CacheType, ExpertsUsed, Factor, FlashAttention, KvK, KvV, Level, LoadKey, ModelFacts, Numerics, PromptKey, System,
    Template, Thinking, Ubatch, Width,
};
use crate::engine::Unaskable;

/// Levels that can't be used with a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{given} can't be used with the model {model}: {why}; leave it out with [[grid.exclude]] model = {model:?}, {given}",
    given = given(levels)
)]
pub struct Refused {
    model: String,
    levels: Vec<Level>,
    why: String,
}

/// Levels that mean nothing together, whatever the model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given} mean nothing together: {why}; leave them out with [[grid.exclude]] {given}", given = given(levels))]
pub struct Meaningless {
    levels: Vec<Level>,
    why: &'static str,
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
        (Template::Raw, _, Thinking::On | Thinking::Off) => (Factor::Thinking, "a raw prompt has no template to tell"),
        (Template::Chat, System::None, _) => {
            (Factor::System, "llama.cpp's built-in chat form has no system message of its own")
        }
        (Template::Chat, _, Thinking::On | Thinking::Off) => {
            (Factor::Thinking, "llama.cpp's built-in chat form knows no thinking; template = \"jinja\" may")
        }
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

/// Whatever llama.cpp refuses of a load key, for a model in a file.
pub(super) fn refused(key: &LoadKey, facts: &ModelFacts, numerics: Numerics) -> Vec<Refused> {
    let mut found = Vec::new();
    let mut refuse = |factors: &[Factor], why: String| {
        let levels = key.levels().filter(|level| factors.contains(&level.factor())).cloned().collect();
        found.push(Refused { model: key.model().to_owned(), levels, why });
    };
    let (KvK(keys), KvV(values)) = (key.get(), key.get());
    let fused = *key.get::<FlashAttention>() != FlashAttention::Off;
    // As `llama_init_from_model` has it.
    if values.is_quantised() && !fused {
        let why = "llama.cpp keeps quantised values for flash attention only";
        refuse(&[Factor::KvV, Factor::FlashAttention], why.to_owned());
    }
    let halves = [(Factor::KvK, *keys, facts.key_length), (Factor::KvV, *values, facts.value_length)];
    for (factor, cache_type, length) in halves.into_iter().filter(|_| fused) {
        if let Some(length) =
            length.filter(|length| cache_type.is_quantised() && !length.is_multiple_of(CacheType::BLOCK))
        {
            let block = CacheType::BLOCK;
            refuse(
                &[factor],
                format!("its heads have {length} numbers, and {cache_type} keeps whole blocks of {block}"),
            );
        }
    }
    // A token alone has kernels of its own.
    let ubatch: &Ubatch = key.get();
    if numerics == Numerics::Invariant && ubatch.get() < LEAST_UBATCH {
        let why = format!(
            "in numerics = \"invariant\" no token is computed alone, which takes {LEAST_UBATCH} at least; numerics = \"fast\" \
             has no such rule"
        );
        refuse(&[Factor::Ubatch], why);
    }
    if numerics == Numerics::Invariant && *key.get::<Width>() != Width::Any {
        let why = "in numerics = \"invariant\" a text is the same in any company, so the width changes none; use numerics = \"fast\"";
        refuse(&[Factor::Width], why.to_owned());
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
