//! Owns what a trial's id is made of, as bytes.
//!
//! The names and their order are part of every id: a change of either makes every journal incomplete.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Surveyed;
use crate::domain::{self, Cell, Factor, ResolvedChain, Scope, Seed, TrialId};
use crate::format::{Bos, Levels, Numerics, Step, steps};

/// Everything that may change a trial's text. A model stands for its file, a chain and a temperature for the chain with
/// the temperature put in.
#[derive(Serialize)]
pub struct Identity<'a> {
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
    /// How a token is chosen, chain and temperature aside.
    #[serde(flatten)]
    chosen: Levels,
    /// Of a server's request, where it was changed since texts were first asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<u32>,
    /// What a server states that it samples with where it is asked for nothing, which is what it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_defaults: Option<&'a BTreeMap<String, String>>,
}

impl<'a> Identity<'a> {
    /// Takes in what the texts of a prompt in a cell have in common.
    pub fn new(
        surveyed: &'a Surveyed,
        generate: domain::Generate,
        cell: &Cell,
        chain: &ResolvedChain,
        prompt: &'a str,
    ) -> Self {
        let domain::Generate { max_tokens, context, numerics, bos: _, draws: _ } = generate;
        let levels = |scopes: &[Scope]| {
            // The model is its file, a chain its steps at a temperature; BOS and the context have keys of their own, from before
            // they were factors.
            let elsewhere = [Factor::Model, Factor::Bos, Factor::Context, Factor::Chain, Factor::Temperature];
            let factors = Factor::nested(scopes).into_iter().filter(|factor| !elsewhere.contains(factor));
            Levels::of_id(factors.map(|factor| cell.level(factor)))
        };
        Self {
            engine: &surveyed.engine.fingerprint,
            model_blake3: &surveyed.blake3,
            loaded: levels(&[Scope::File, Scope::Load, Scope::Context]),
            numerics: numerics.into(),
            context: cell.get::<domain::Context>().tokens(context),
            max_tokens,
            chain: steps(&chain.0),
            seed: None,
            bos: (*cell.get::<domain::Bos>()).into(),
            asked: levels(&[Scope::Prompt]),
            prompt,
            chosen: levels(&[Scope::Sampler]),
            request: None,
            server_defaults: surveyed.server().map(|facts| &facts.defaults).filter(|_| chain.is_servers()),
        }
    }

    /// Takes in that a server is asked in another way than it was at first.
    pub fn of_request(self, request: Option<u32>) -> Self {
        Self { request, ..self }
    }

    /// Makes the id of the text whose sampler is seeded with `seed`.
    pub fn id(&mut self, seed: Option<Seed>) -> TrialId {
        self.seed = seed.map(Seed::get);
        TrialId::of(&serde_json::to_vec(self).expect("an identity is plain data"))
    }
}
