//! Has the built-in chains: an experiment file's `[[chain]]` tables, compiled in.

use serde::Deserialize;

use super::error::Problems;
use super::raw::RawChain;
use super::rules::resolve_chain;
use crate::domain::Chain;

const FILE: &str = include_str!("chains.toml");

/// The built-in chains, in the order of `chains.toml`.
pub fn chains() -> Vec<Chain> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        chain: Vec<RawChain>,
    }
    let file: File = toml::from_str(FILE).expect("the built-in chains are valid TOML");
    let mut problems = Problems::new("chains.toml", FILE);
    let chains: Option<Vec<_>> = file.chain.iter().map(|chain| resolve_chain(chain, &mut problems)).collect();
    problems.none_or(chains).expect("the built-in chains keep the rules")
}
