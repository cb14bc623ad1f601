//! Finds the two sides of a comparison, for texts of which the score is not known.
//!
//! A claim is believed where it holds whatever these texts are: with all of them on one side counted as repeated from
//! beginning to end and all on the other as clean, and the other way round (a worst-case bound, Manski 1990,
//! "Nonparametric Bounds on Treatment Effects").

use std::collections::BTreeSet;

use crate::analysis::ScoredTrial;
use crate::domain::{Factor, Level, Selection, Trial};
use crate::experiment::{Hypothesis, Test};

/// Which texts are counted as repeated from beginning to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extreme {
    /// Those of the base, or of the lower half of the levels.
    Lower,
    Upper,
}

impl Extreme {
    pub const BOTH: [Self; 2] = [Self::Lower, Self::Upper];
}

/// What a claim sets against each other.
pub enum Opposed<'a> {
    Arms {
        base: &'a Selection,
        other: &'a Selection,
    },
    /// Of an odd number of levels the middle one belongs to neither.
    Halves {
        factor: Factor,
        lower: BTreeSet<&'a Level>,
        upper: BTreeSet<&'a Level>,
    },
}

impl<'a> Opposed<'a> {
    /// `None` for an interaction, which has no two sides, and of a metric that does not end at 1.
    pub fn of(hypothesis: &'a Hypothesis, trials: &'a [ScoredTrial]) -> Option<Self> {
        match &hypothesis.test {
            _ if !hypothesis.metric.ends_at_1() => None,
            Test::Contrast { base, other, .. } | Test::Equivalence { base, other, .. } => {
                Some(Self::Arms { base, other })
            }
            &Test::Trend { factor, .. } => {
                let taken = trials.iter().filter(|scored| hypothesis.takes(scored.trial.point()));
                let levels: BTreeSet<&Level> = taken.map(|scored| scored.trial.cell.level(factor)).collect();
                let half = levels.len() / 2;
                let lower = levels.iter().copied().take(half).collect();
                Some(Self::Halves { factor, lower, upper: levels.into_iter().rev().take(half).collect() })
            }
            Test::Interaction { .. } => None,
        }
    }

    /// Whether a text whose score is not known counts as repeated.
    pub fn counts(&self, trial: &Trial, extreme: Extreme) -> bool {
        match (self, extreme) {
            (Self::Arms { base, .. }, Extreme::Lower) => base.takes(trial.point()),
            (Self::Arms { other, .. }, Extreme::Upper) => other.takes(trial.point()),
            (Self::Halves { factor, lower, .. }, Extreme::Lower) => lower.contains(trial.cell.level(*factor)),
            (Self::Halves { factor, upper, .. }, Extreme::Upper) => upper.contains(trial.cell.level(*factor)),
        }
    }
}
