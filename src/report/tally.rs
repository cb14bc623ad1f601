//! How many trials were planned and what became of them: every figure and
//! table says so, because a mean over what happened to survive is not the
//! mean that was asked for.

use std::collections::BTreeSet;

use crate::analysis::{ScoredTrial, TrialResult};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub scored: usize,
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
                TrialResult::Scored { .. } => tally.scored += 1,
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
        self.scored + self.censored + self.failed + self.missing
    }

    /// What a cell's mean is taken over: "24 prompts × 8 seeds".
    pub fn design(self) -> String {
        let prompts = counted(self.prompts, "prompt");
        match (self.seeds, self.unseeded) {
            (0, _) => prompts,
            (seeds, 0) => format!("{prompts}\u{a0}×\u{a0}{}", counted(seeds, "seed")),
            (seeds, _) => {
                format!("{prompts}\u{a0}×\u{a0}{} (one run where a chain makes no draw)", counted(seeds, "seed"))
            }
        }
    }

    /// "all 192 trials scored", or how many are not and why.
    pub fn sentence(self) -> String {
        let Self { scored, censored, failed, missing, .. } = self;
        let cut = if censored > 0 { format!(", {censored} cut by a server") } else { String::new() };
        match self.planned() {
            0 => "no trials".to_owned(),
            planned if planned == scored => format!("all {planned} trials scored"),
            planned => format!("{scored} of {planned} trials scored{cut}, {failed} failed, {missing} missing"),
        }
    }
}

/// Held together by a space at which lines are not broken.
fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1\u{a0}{noun}") } else { format!("{count}\u{a0}{noun}s") }
}
