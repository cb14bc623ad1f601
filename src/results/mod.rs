//! Owns what a run came to: what its folder holds, and the analysis of it.
//!
//! That is what can be said only of manifest, journal and analysis together: where experts were computed, how much work
//! the run did. Must not know files, nor how anything is shown.

mod placement;
mod work;

use crate::analysis::{Analysis, HostExperts, Questions, RunAnswer, TrialResult, analyse, loops_beyond_last_n};
use crate::domain::Finding;
use crate::journal::Contents;
use crate::manifest::Manifest;
use crate::plan::Design;
use crate::run_dir::Kept;

pub use placement::{Measured, measured};
pub use work::{Spared, Work, work};

/// A run and its analysis; it may still lack trials.
pub struct Results {
    /// What must be known of how its files were kept.
    pub custody: Vec<String>,
    pub design: Design,
    pub manifest: Manifest,
    pub contents: Contents,
    pub analysis: Analysis,
    /// Where the experts were computed of the loads that have them on the host, a device beside it.
    host_experts: Vec<HostExperts>,
}

impl From<Kept> for Results {
    fn from(Kept { custody, design, manifest, contents }: Kept) -> Self {
        let outcome_of = |id: &_| contents.records.get(id).map(|record| &record.outcome);
        let host_experts = placement::host_experts(&manifest, contents.records.len());
        let questions = Questions { host_experts: &host_experts, ..Questions::from(&design) };
        let analysis = analyse(design.own_trials(), questions, outcome_of);
        Self { custody, design, manifest, contents, analysis, host_experts }
    }
}

impl Results {
    /// Finds what it all comes to.
    pub fn answer(&self) -> RunAnswer {
        if self.design.part.is_some() {
            return RunAnswer::of_part(&self.analysis, self.design.settings.metric);
        }
        let questions = Questions { host_experts: &self.host_experts, ..Questions::from(&self.design) };
        RunAnswer::of(&self.analysis, questions)
    }

    /// Counts the trials that failed.
    pub fn n_failed(&self) -> usize {
        self.analysis.trials.iter().filter(|trial| matches!(trial.result, TrialResult::Failed(_))).count()
    }

    /// Counts the trials that failed or are missing.
    pub fn n_without_score(&self) -> usize {
        self.analysis.trials.iter().filter(|trial| !matches!(trial.result, TrialResult::Scored { .. })).count()
    }

    /// Returns what must be known to read the results rightly, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let Self { custody, design, manifest, analysis, host_experts, .. } = self;
        let part = Vec::from_iter(design.part_note());
        let taken_over = host_experts.iter().filter_map(HostExperts::note).collect();
        let findings = loops_beyond_last_n(&analysis.trials, &design.chains).iter().map(Finding::sentence).collect();
        let (before, after) = (design.notes.clone(), analysis.notes.clone());
        [custody.clone(), before, part, manifest.warnings(), taken_over, after, findings].concat()
    }
}
