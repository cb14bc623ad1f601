//! Says which hypotheses can be decided on the way.

use super::claim::n_cells;
use crate::analysis::verdict::{NotTested, obstacle};
use crate::analysis::{Questions, ScoredTrial};
use crate::experiment::{Hypothesis, Test};

/// How a hypothesis is decided.
pub enum Way {
    /// By evidence that is looked at after every prompt.
    Looked,
    /// By its own test when all prompts are there; why.
    Once(String),
    /// The design can't.
    Never,
}

/// `unseen` are the plan's trials without their texts: the way depends on the design alone.
pub fn way(hypothesis: &Hypothesis, questions: Questions<'_>, unseen: &[ScoredTrial]) -> Way {
    if let Some(NotTested::Inert(_) | NotTested::Doubted { .. }) = obstacle(hypothesis, questions, unseen) {
        return Way::Never;
    }
    match &hypothesis.test {
        Test::Equivalence { .. } if !hypothesis.metric.ends_at_1() => {
            Way::Once(format!("{} is not bounded by 0 and 1, which this test needs", hypothesis.metric.name()))
        }
        Test::Equivalence { margin, .. } if *margin >= 1.0 => {
            Way::Once(format!("two shares can't differ by more than {margin}"))
        }
        Test::Interaction { .. }
            if n_cells(hypothesis, unseen.iter().map(|s| &s.trial)).iter().any(|(_, n)| *n != 4) =>
        {
            Way::Once("an interaction of factors with more than two levels is not a single difference".to_owned())
        }
        Test::Trend { .. } if hypothesis.least.is_some() => {
            Way::Once("a trend with at_least is a claim about both ranks and a mean".to_owned())
        }
        Test::Equivalence { .. } | Test::Interaction { .. } | Test::Trend { .. } | Test::Contrast { .. } => Way::Looked,
    }
}
