//! Has the built-in chains: an experiment file's `[[chain]]` tables, compiled in, and those that a model's file or a
//! server decides.

use serde::Deserialize;

use super::error::Problems;
use super::raw_chain::RawChain;
use super::rules::resolve_chain;
use super::surroundings::Grammars;
use crate::domain::{Author, Chain, Fidelity};

const FILE: &str = include_str!("chains.toml");

/// The built-in chains.
pub struct BuiltIn {
    /// Their names are theirs: a file's own chain has another.
    pub reserved: Vec<Chain>,
    /// They came later, when files could have chains of these names: a file's own takes the place of one.
    pub presets: Vec<Chain>,
}

impl BuiltIn {
    pub fn read() -> Self {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            chain: Vec<RawChain>,
            preset: Vec<RawChain>,
        }
        let File { chain, preset } = toml::from_str(FILE).expect("the built-in chains are valid TOML");
        let mut problems = Problems::new("chains.toml", FILE);
        let mut resolve = |raw: &[RawChain]| {
            raw.iter().map(|chain| resolve_chain(chain, &Grammars::new(), &mut problems)).collect::<Option<Vec<_>>>()
        };
        let both = resolve(&chain).zip(resolve(&preset));
        let (reserved, mut presets) = problems.none_or(both).expect("the built-in chains keep the rules");
        presets.extend([("model-defaults", Author::Model), ("server-defaults", Author::Server)].map(decided_elsewhere));
        Self { reserved, presets }
    }
}

/// A chain whose steps no experiment states.
fn decided_elsewhere((id, author): (&str, Author)) -> Chain {
    Chain { id: id.to_owned(), steps: vec![], fidelity: Fidelity::Checked, author }
}

/// All of them, in the order of `chains.toml`.
pub fn chains() -> Vec<Chain> {
    let BuiltIn { mut reserved, presets } = BuiltIn::read();
    reserved.extend(presets);
    reserved
}
