//! Which texts speak against a claim if they repeat themselves.

use std::collections::BTreeSet;

use crate::analysis::ScoredTrial;
use crate::analysis::level::Level;
use crate::experiment::{Direction, Factor, Hypothesis, Selection, Test};
use crate::plan::Trial;

/// The side that is claimed to repeat less.
pub enum Less<'a> {
    /// The base of what increases, the other of what decreases.
    Arm(&'a Selection),
    /// The lower half of the levels of a trend that rises, the upper one of a trend that falls.
    Half { factor: Factor, levels: BTreeSet<Level<'a>> },
}

impl<'a> Less<'a> {
    /// `None` for a claim without such a side, or of a metric that does not end at 1.
    pub fn of(hypothesis: &'a Hypothesis, trials: &'a [ScoredTrial]) -> Option<Self> {
        match &hypothesis.test {
            _ if !hypothesis.metric.ends_at_1() => None,
            Test::Contrast { base, other, expect } => match expect {
                Direction::Increasing => Some(Self::Arm(base)),
                Direction::Decreasing => Some(Self::Arm(other)),
                Direction::Different => None,
            },
            &Test::Trend { factor, expect } => {
                let taken = trials.iter().filter(|scored| hypothesis.takes(scored.trial.point()));
                let levels: BTreeSet<Level> = taken.map(|scored| Level::of(&scored.trial.cell, factor)).collect();
                let half = levels.len() / 2;
                let levels = match expect {
                    Direction::Increasing => levels.into_iter().take(half).collect(),
                    Direction::Decreasing => levels.into_iter().rev().take(half).collect(),
                    Direction::Different => return None,
                };
                Some(Self::Half { factor, levels })
            }
            Test::Equivalence { .. } | Test::Interaction { .. } => None,
        }
    }

    pub fn takes(&self, trial: &Trial) -> bool {
        match self {
            Self::Arm(selection) => selection.takes(trial.point()),
            Self::Half { factor, levels } => levels.contains(&Level::of(&trial.cell, *factor)),
        }
    }
}
