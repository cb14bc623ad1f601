//! Owns what of a chain and of a text a baseline keeps: it is compared with what was kept before, so its bytes never
//! change.

use crate::domain::{Generation, Seed, Slot, Step};
use crate::format::{Stop, steps};

/// Writes a chain's steps as a baseline compares them.
pub fn chain(chain: &[Step<Slot>]) -> String {
    serde_json::to_string(&steps(chain)).expect("a chain is plain data")
}

/// Writes a text as a baseline's hash of a prompt's texts takes it in.
pub fn text(seed: Option<Seed>, generation: &Generation) -> Vec<u8> {
    let written = (seed.map(Seed::get), &generation.thought, &generation.text, Stop::from(generation.stop));
    serde_json::to_vec(&written).expect("a text is plain data")
}
