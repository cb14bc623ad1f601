//! What a trial's id is made of, as bytes.
//!
//! The names and their order are part of every id: a change of either makes every journal incomplete.

use serde::Serialize;

use super::Surveyed;
use crate::domain::{self, Cell, Factor, ResolvedChain, Scope, Seed, TrialId};
use crate::format::{Bos, Levels, Numerics, Step, steps};

/// Everything that may change a trial's text. A model stands for its file, a chain and a temperature for the chain with
/// the temperature put in.
#[derive(Serialize)]
struct Identity<'a> {
    engine: &'a str,
    model_blake3: &'a str,
    #[serde(flatten)]
    loaded: Levels,
    numerics: Numerics,
    context: u32,
    max_tokens: u32,
    chain: Vec<Step>,
    /// The sampler's.
    seed: Option<u32>,
    bos: Bos,
    #[serde(flatten)]
    asked: Levels,
    prompt: &'a str,
}

/// The id of the text of a prompt under a chain, whose sampler is seeded with `seed`.
pub fn id(
    surveyed: &Surveyed,
    generate: domain::Generate,
    cell: &Cell,
    chain: &ResolvedChain,
    seed: Option<Seed>,
    prompt: &str,
) -> TrialId {
    let domain::Generate { max_tokens, context, numerics, bos, draws: _ } = generate;
    let levels = |scopes: &[Scope]| {
        let factors = Factor::nested(scopes).into_iter().filter(|&factor| factor != Factor::Model);
        Levels::of_id(factors.map(|factor| cell.level(factor)))
    };
    let identity = Identity {
        engine: &surveyed.engine.fingerprint,
        model_blake3: &surveyed.blake3,
        loaded: levels(&[Scope::File, Scope::Load]),
        numerics: numerics.into(),
        context,
        max_tokens,
        chain: steps(&chain.0),
        seed: seed.map(Seed::get),
        bos: bos.into(),
        asked: levels(&[Scope::Prompt]),
        prompt,
    };
    TrialId::of(&serde_json::to_vec(&identity).expect("an identity is plain data"))
}
