//! Weighs the loops that a confirmed remedy leaves: whether they are worth a second search, and among what. Must not know
//! how the first was found.

use super::super::switch::{Kind, Switch};
use super::case::Remedy;

/// A remedy that leaves more than this share of the loops may not be all.
const REST: f64 = 0.1;
/// Where it leaves more than this share, all medicines are worth their texts; below, what was set is.
const MUCH_REST: f64 = 0.25;
/// Fewer texts that still loop may do so by chance.
const ENOUGH_LOOPS: usize = 3;

impl Remedy {
    /// The share of the loops that are left.
    fn left(&self) -> f64 {
        self.after.share().zip(self.before.share()).map_or(0.0, |(rest, all)| rest / all)
    }

    /// Whether more are left than may be by chance.
    pub fn leaves_loops(&self) -> bool {
        self.after.loops >= ENOUGH_LOOPS && self.left() > REST
    }
}

/// Which of the other switches are worth a look on top of a remedy.
pub fn worth_a_look(remedy: &Remedy, mut others: Vec<Switch>) -> Vec<Switch> {
    if remedy.left() <= MUCH_REST {
        others.retain(|switch| switch.kind == Kind::Undo);
    }
    others
}
