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

/// `unseen` are the plan's trials without their texts: the way hangs on the design alone.
pub fn way(hypothesis: &Hypothesis, questions: Questions<'_>, unseen: &[ScoredTrial]) -> Way {
    if let Some(NotTested::Inert(_) | NotTested::Doubted { .. }) = obstacle(hypothesis, questions, unseen) {
        return Way::Never;
    }
    match &hypothesis.test {
        Test::Equivalence { .. } if !hypothesis.metric.ends_at_1() => {
            Way::Once(format!("{} does not lie between 0 and 1, as bets need", hypothesis.metric.name()))
        }
        Test::Equivalence { margin, .. } if *margin >= 1.0 => {
            Way::Once(format!("no two shares differ by more than {margin}"))
        }
        Test::Interaction { .. }
            if n_cells(hypothesis, unseen.iter().map(|s| &s.trial)).iter().any(|(_, n)| *n != 4) =>
        {
            Way::Once("an interaction of more than two levels each is no single difference".to_owned())
        }
        Test::Trend { .. } if hypothesis.least.is_some() => {
            Way::Once("a trend with a least effect is a claim about ranks and a mean together".to_owned())
        }
        Test::Equivalence { .. } | Test::Interaction { .. } | Test::Trend { .. } | Test::Contrast { .. } => Way::Looked,
    }
}
