//! Gathers the models and the chains that a grid can name: the file's own, the catalogue's, the built-in ones.

use super::builtin::BuiltIn;
use super::error::Problems;
use super::model::{Model, resolve_models};
use super::raw::RawModel;
use super::raw_chain::RawChain;
use super::rules::resolve_chain;
use super::server::Server;
use super::surroundings::Surroundings;
use crate::domain::{Author, Chain, Fidelity};

pub(super) fn known_models(
    raw: &[RawModel],
    servers: &[Server],
    surroundings: &Surroundings,
    problems: &mut Problems,
) -> Vec<Model> {
    let mut models = resolve_models(raw, servers, &surroundings.directory, problems);
    let theirs = surroundings.catalogue.iter().filter(|known| !models.iter().any(|model| model.id == known.id));
    let theirs: Vec<_> = theirs.cloned().collect();
    models.extend(theirs);
    models
}

pub(super) fn known_chains(raw: &[RawChain], surroundings: &Surroundings, problems: &mut Problems) -> Vec<Chain> {
    let BuiltIn { reserved: mut chains, presets } = BuiltIn::read();
    for chain in raw {
        if chains.iter().any(|known| known.id == *chain.id.get_ref()) {
            let message = format!("the chain {} exists already", chain.id.get_ref());
            problems.add(
                chain.id.span(),
                message,
                "give it a name of its own: results would be mistaken for the other's",
            );
        }
        chains.extend(resolve_chain(chain, &surroundings.grammars, problems).or_else(|| unusable(chain)));
    }
    let own = |preset: &Chain| raw.iter().any(|chain| *chain.id.get_ref() == preset.id);
    chains.extend(presets.into_iter().filter(|preset| !own(preset)));
    chains
}

/// Stands for a chain whose faults are reported, so that the grid's mention of
/// it is not called unknown as well.
fn unusable(raw: &RawChain) -> Option<Chain> {
    Some(Chain { id: raw.id.get_ref().clone(), steps: vec![], fidelity: Fidelity::Checked, author: Author::Experiment })
}
