//! Owns what an arm can't be: levels that the engine refuses, as the plan of its stage says. Must not know why.

use super::setup::Setup;
use crate::domain::Level;

/// Levels that can't be had together here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub levels: Vec<Level>,
    pub why: String,
}

/// Why a stage came to no answer: perhaps for some of its arms only.
pub trait Refuses {
    /// The levels that stand in the way; none where the stage can't be run without them either.
    fn refusals(&self) -> Vec<Refusal>;
}

#[cfg(test)]
impl Refuses for std::convert::Infallible {
    fn refusals(&self) -> Vec<Refusal> {
        match *self {}
    }
}

impl Refusal {
    pub fn is_of(&self, setup: &Setup) -> bool {
        self.levels.iter().all(|level| setup.cell.level(level.factor()) == level)
    }
}
