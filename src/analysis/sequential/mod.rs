//! Decides sequential experiments: what is known after each prompt, and when that is enough.
//!
//! A prompt is looked at when all its texts are there, in the order of the plan's [`crate::plan::Sequence`]; after each, every
//! hypothesis has the evidence of [`crate::stats::sequential`] for it and against it, and e-Holm decides over
//! all of them. So when an experiment stops depends on its texts alone, not on when or where they were made.
//!
//! Knows neither runs nor journals: who runs an experiment asks [`Looks`] whether to go on, and
//! [`super::analyse`] goes the same way again.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use strum::Display;

use super::{Questions, ScoredTrial, TrialResult};
use crate::domain::{Trial, TrialId};
use crate::experiment::StopAt;

mod claim;
mod decision;
mod looks;
mod overrule;
mod process;
#[cfg(test)]
mod tests;
mod values;
mod way;
mod wording;

pub use decision::Decision;
pub use looks::Looks;
pub(super) use overrule::overrule;

/// What an experiment that is looked at after every prompt came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequential {
    pub alpha: f64,
    /// Ids of those that were looked at, in order.
    pub prompts: Vec<String>,
    pub ending: Ending,
    /// Of the hypotheses that are decided on the way, in file order.
    pub paths: Vec<Path>,
    /// Ids of hypotheses that have their own tests when all prompts are there.
    pub at_the_end: Vec<String>,
    /// Why hypotheses are not decided on the way, or not waited for.
    pub notes: Vec<String>,
    /// Those of the fixed design, which makes all texts before it looks.
    pub n_prompts_planned: usize,
    /// Distinct ones, of the prompts looked at.
    pub n_texts: usize,
    pub n_texts_planned: usize,
    /// Made of prompts after the last one looked at, or for hypotheses that were settled by then, and not used.
    pub n_texts_beyond: usize,
    /// Of the prompts looked at: the texts that no hypothesis needed any more.
    pub let_go: HashSet<TrialId>,
    pub stop: StopAt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Enough hypotheses are decided: see [`StopAt`].
    Decided,
    /// All prompts were looked at.
    Spent,
    /// The next prompt's texts are not all there.
    Open,
}

impl Sequential {
    /// Whether a trial's text counts: it is of a prompt that was looked at, or may yet be, and a hypothesis needed it.
    pub fn used(&self, trial: &Trial) -> bool {
        let is_beyond = self.ending == Ending::Decided && !self.prompts.contains(&trial.prompt);
        !is_beyond && !self.let_go.contains(&trial.id)
    }
}

/// One hypothesis, prompt by prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    pub hypothesis: String,
    pub instrument: Instrument,
    /// One for each prompt.
    pub looks: Vec<Look>,
    /// Of a claim about each level: what each has come to.
    pub levels: Vec<LevelEvidence>,
}

/// A hypothesis after a prompt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// ln of the evidence, for the claim or against it, whichever is more.
    pub ln_e: f64,
    /// 1 over the greatest evidence so far, at most 1: a p-value whenever one stops.
    pub p: f64,
    pub state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum State {
    Open,
    Supported,
    Refuted,
    /// Whatever the difference is, it lies within what is negligible.
    Negligible,
}

/// What weighs the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Instrument {
    SignFlip,
    Betting,
}

impl Instrument {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignFlip => "sign-flip e-process over prompts",
            Self::Betting => "betting on the mean over prompts",
        }
    }
}

/// A level of a claim about each.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelEvidence {
    pub level: String,
    pub p: f64,
    /// Whether that is evidence for the claim.
    pub speaks_for: bool,
}

/// Looks at trials of a plan that are scored.
pub(super) fn decide<'a>(trials: &'a [Trial], questions: Questions<'a>, scored: &[ScoredTrial]) -> Option<Sequential> {
    let mut looks = Looks::new(trials, questions)?;
    let mut by_prompt: HashMap<&str, Vec<&ScoredTrial>> = HashMap::new();
    for scored in scored {
        by_prompt.entry(&scored.trial.prompt).or_default().push(scored);
    }
    while let Some(prompt) = looks.next_prompt() {
        if !looks.look(&by_prompt[prompt]) {
            break;
        }
    }
    let has_text: HashSet<&TrialId> =
        scored.iter().filter(|scored| scored.result != TrialResult::Missing).map(|scored| &scored.trial.id).collect();
    Some(looks.conclude(|id| has_text.contains(id)))
}
