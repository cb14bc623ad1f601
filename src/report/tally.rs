//! Counts how many trials were planned and what became of them: every figure and table says so, because a mean over
//! what happened to survive is not the mean that was asked for.

use std::collections::BTreeSet;

use crate::analysis::{ScoredTrial, TrialResult};
use crate::metrics::Metric;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub scored: usize,
    /// Texts without a word, which have no score.
    pub wordless: usize,
    /// Texts, scored or not, that have no answer.
    pub empty: usize,
    /// Cut by a server.
    pub censored: usize,
    pub failed: usize,
    pub missing: usize,
    /// Distinct prompts among the trials.
    pub prompts: usize,
    /// Distinct seeds among the trials of chains that draw.
    pub seeds: usize,
    /// Trials of chains that make no draw, so have no seed.
    pub unseeded: usize,
}

impl Tally {
    pub fn of<'a>(trials: impl IntoIterator<Item = &'a ScoredTrial>) -> Self {
        let mut tally = Self::default();
        let (mut prompts, mut seeds) = (BTreeSet::new(), BTreeSet::new());
        for ScoredTrial { trial, result, .. } in trials {
            match result {
                TrialResult::Scored { scores, .. } => {
                    *(if scores.has_words() { &mut tally.scored } else { &mut tally.wordless }) += 1;
                    tally.empty += usize::from(scores.get(Metric::EmptyAnswer) == Some(1.0));
                }
                TrialResult::Censored { .. } => tally.censored += 1,
                TrialResult::Failed(_) => tally.failed += 1,
                TrialResult::Missing => tally.missing += 1,
            }
            prompts.insert(trial.prompt.as_str());
            seeds.extend(trial.seed);
            tally.unseeded += usize::from(trial.seed.is_none());
        }
        Self { prompts: prompts.len(), seeds: seeds.len(), ..tally }
    }

    pub fn planned(self) -> usize {
        self.scored + self.wordless + self.censored + self.failed + self.missing
    }

    /// What a cell's mean is taken over: "24 prompts × 8 seeds".
    pub fn design(self) -> String {
        let prompts = counted(self.prompts, "prompt");
        match (self.seeds, self.unseeded) {
            (0, _) => prompts,
            (seeds, 0) => format!("{prompts}\u{a0}×\u{a0}{}", counted(seeds, "seed")),
            (seeds, _) => {
                format!("{prompts}\u{a0}×\u{a0}{} (one seed for chains without random draws)", counted(seeds, "seed"))
            }
        }
    }

    /// "all 192 trials ok", or how many are not and why, by the words of [`TrialResult::status`].
    pub fn sentence(self) -> String {
        let Self { scored, wordless, empty, censored, failed, missing, .. } = self;
        let some = |n: usize, what: &str| if n > 0 { format!(", {n} {what}") } else { String::new() };
        let ok = scored + wordless;
        let others = some(wordless, "of them without words") + &some(censored, "censored (cut by a server)");
        let told = match self.planned() {
            0 => return "no trials".to_owned(),
            planned if planned == ok => format!("all {planned} trials ok{others}"),
            planned if failed + missing == 0 => format!("{ok} of {planned} trials ok{others}"),
            planned => format!("{ok} of {planned} trials ok{others}, {failed} failed, {missing} missing"),
        };
        match empty {
            0 => told,
            1 => format!("{told}; 1 answer is empty"),
            empty => format!("{told}; {empty} answers are empty"),
        }
    }
}

/// Held together by a space at which lines are not broken.
fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1\u{a0}{noun}") } else { format!("{count}\u{a0}{noun}s") }
}
