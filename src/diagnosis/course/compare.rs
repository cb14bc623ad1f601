//! Makes the stages that compare sets of switches with one way to run a model.

use super::super::setup::{Edit, Setup};
use super::super::stage::{Arm, Claim, Counted, Stage, StageKind};
use super::super::switch::Switch;
use crate::domain::Seed;

/// The seed of what is searched by, and of what nothing was chosen by.
pub const SEARCH_SEED: u32 = 1;
pub const FRESH_SEED: u32 = 1001;

/// A stage, as yet without prompts, that compares each set of switches with `from`.
pub fn against(kind: StageKind, from: &Setup, sets: &[Vec<Switch>]) -> Stage {
    let mut arms = vec![Arm { id: "as-run".to_owned(), setup: from.clone() }];
    let mut claims = Vec::new();
    for set in sets {
        let mut id = set.iter().map(|switch| switch.cause.id()).collect::<Vec<_>>().join("+");
        // Two switches of one cause, up and down, are told apart by their place.
        if claims.iter().any(|claim: &Claim| claim.id == id) {
            id = format!("{id}-{}", arms.len());
        }
        claims.push(Claim { id: id.clone(), base: 0, other: arms.len() });
        arms.push(Arm { id, setup: from.with(&edits(set)) });
    }
    Stage { kind, arms, claims, prompts: vec![], seeds: seeds(SEARCH_SEED), counted: Counted::default() }
}

pub fn seeds(first: u32) -> Vec<Seed> {
    Seed::new(first).into_iter().collect()
}

pub fn edits(set: &[Switch]) -> Vec<Edit> {
    set.iter().flat_map(|switch| switch.edits.iter().cloned()).collect()
}

/// As many of the switches as can be switched at once, the first ones first.
pub fn all_at_once(switches: &[Switch]) -> Vec<Switch> {
    let mut all: Vec<Switch> = Vec::new();
    for switch in switches {
        if all.iter().all(|other| can_join(other, switch)) {
            all.push(switch.clone());
        }
    }
    all
}

/// Whether both can be switched at once.
pub fn can_join(one: &Switch, other: &Switch) -> bool {
    let same = |a: &Edit, b: &Edit| match (a, b) {
        (Edit::Level(a), Edit::Level(b)) => a.factor() == b.factor(),
        (Edit::Level(_), _) | (_, Edit::Level(_)) => false,
        (Edit::Say(a), Edit::Say(b)) => a.meets(b),
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
    };
    !one.edits.iter().any(|a| other.edits.iter().any(|b| same(a, b)))
}
