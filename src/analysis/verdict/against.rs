//! Which texts speak against a claim if they repeat themselves.

use std::collections::BTreeSet;

use crate::analysis::ScoredTrial;
use crate::analysis::level::Level;
use crate::experiment::{Direction, Hypothesis, Test};
use crate::plan::Trial;

/// Whether a text stands on the side that is claimed to repeat less: the base of what increases,
/// or the lower half of the levels of a trend that rises. `None` for a claim without such a side.
pub fn of<'h>(hypothesis: &'h Hypothesis, trials: &[ScoredTrial]) -> Option<Box<dyn Fn(&Trial) -> bool + 'h>> {
    if !hypothesis.metric.ends_at_1() {
        return None;
    }
    match &hypothesis.test {
        Test::Contrast { base, other, expect } => {
            let less = match expect {
                Direction::Increasing => base,
                Direction::Decreasing => other,
                Direction::Different => return None,
            };
            Some(Box::new(|trial| less.takes(trial.point())))
        }
        Test::Trend { factor, expect } => {
            let taken = trials.iter().filter(|scored| hypothesis.takes(scored.trial.point()));
            let levels: BTreeSet<Level> = taken.map(|scored| Level::of(&scored.trial.cell, *factor)).collect();
            let levels: Vec<String> = levels.iter().map(ToString::to_string).collect();
            let half = levels.len() / 2;
            let less = match expect {
                Direction::Increasing => levels[..half].to_vec(),
                Direction::Decreasing => levels[levels.len() - half..].to_vec(),
                Direction::Different => return None,
            };
            Some(Box::new(move |trial| less.contains(&Level::of(&trial.cell, *factor).to_string())))
        }
        Test::Equivalence { .. } | Test::Interaction { .. } => None,
    }
}
