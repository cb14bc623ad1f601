//! Holds a hypothesis that is decided on the way, and the evidence that has come together.

use std::collections::BTreeSet;

use super::process::{Evidence, Process};
use super::{Instrument, LevelEvidence, Look, Path, State, values};
use crate::analysis::ScoredTrial;
use crate::domain::{Level, Trial};
use crate::experiment::{Hypothesis, StopAt, Test};
use crate::stats::sequential::{MarginBets, ln_mean_of};

/// A hypothesis that is decided on the way.
pub struct Claim<'a> {
    pub hypothesis: &'a Hypothesis,
    levels: Vec<OfLevel>,
    pub greatest: Greatest,
    pub looks: Vec<Look>,
    pub state: State,
    /// Whether there are prompts enough to support it, so that they are waited for.
    pub awaited: bool,
    /// Bets that the difference is negligible, where a hypothesis that is may be let go of.
    negligible: Option<MarginBets>,
}

struct OfLevel {
    name: String,
    process: Process,
    /// Of a prompt that lacks none.
    n_cells: usize,
    greatest: Greatest,
}

/// The greatest evidence so far, as logarithms.
#[derive(Clone, Copy, Default)]
pub struct Greatest {
    ln_for: f64,
    ln_against: f64,
}

impl Greatest {
    fn take(&mut self, evidence: Evidence) {
        self.ln_for = self.ln_for.max(evidence.ln_for);
        self.ln_against = self.ln_against.max(evidence.ln_against);
    }

    pub fn ln_e(self) -> f64 {
        self.ln_for.max(self.ln_against)
    }

    pub fn p(self) -> f64 {
        (-self.ln_e()).exp().min(1.0)
    }

    pub fn speaks_for(self) -> bool {
        self.ln_for >= self.ln_against
    }
}

impl<'a> Claim<'a> {
    pub fn new(hypothesis: &'a Hypothesis, trials: &[Trial], alpha: f64, stop: StopAt, awaited: bool) -> Self {
        let of_level = |(name, n_cells)| {
            let process = Process::of(hypothesis, alpha).ok()?;
            Some(OfLevel { name, process, n_cells, greatest: Greatest::default() })
        };
        let levels = n_cells(hypothesis, trials.iter()).into_iter().filter_map(of_level).collect();
        let (greatest, looks, state) = (Greatest::default(), Vec::new(), State::Open);
        Self { hypothesis, levels, greatest, looks, state, awaited, negligible: negligible(hypothesis, alpha, stop) }
    }

    /// Takes the texts of a prompt, and returns the evidence after it.
    pub fn observe(&mut self, prompt: &[&ScoredTrial]) -> Evidence {
        let n_cells = |name: &str| self.levels.iter().find(|level| level.name == name).map_or(0, |level| level.n_cells);
        for (name, bounds) in values::differences(self.hypothesis, prompt, n_cells) {
            if let Some(bets) = &mut self.negligible {
                bets.observe(bounds);
            }
            if let Some(level) = self.levels.iter_mut().find(|level| level.name == name) {
                level.process.observe(self.hypothesis, bounds);
                level.greatest.take(level.process.evidence());
            }
        }
        let evidence = self.evidence();
        self.greatest.take(evidence);
        evidence
    }

    /// ln of the evidence that its difference is negligible.
    pub fn ln_negligible(&self) -> f64 {
        self.negligible.as_ref().map_or(f64::NEG_INFINITY, MarginBets::ln_within)
    }

    /// Of all levels together: the claim holds if it holds for each, so the least evidence counts; it fails if it
    /// fails for one, for which the mean of their evidence speaks (e-values may be averaged however they
    /// depend on each other: Vovk and Wang 2021).
    fn evidence(&self) -> Evidence {
        let levels: Vec<Evidence> = self.levels.iter().map(|level| level.process.evidence()).collect();
        let against: Vec<f64> = levels.iter().map(|level| level.ln_against).collect();
        let most_against = levels.iter().max_by(|a, b| a.ln_against.total_cmp(&b.ln_against));
        Evidence {
            ln_for: levels.iter().map(|level| level.ln_for).reduce(f64::min).unwrap_or(f64::NEG_INFINITY),
            ln_against: ln_mean_of(&against),
            mean_agrees: levels.iter().all(|level| level.mean_agrees),
            mean_opposes: most_against.is_some_and(|level| level.mean_opposes),
        }
    }

    pub fn path(&self) -> Path {
        let instrument = match self.hypothesis.test {
            Test::Equivalence { .. } => Instrument::Betting,
            Test::Trend { .. } | Test::Contrast { .. } | Test::Interaction { .. } => Instrument::SignFlip,
        };
        let (hypothesis, looks) = (self.hypothesis.id.clone(), self.looks.clone());
        Path { hypothesis, instrument, looks, levels: self.level_evidence() }
    }

    fn level_evidence(&self) -> Vec<LevelEvidence> {
        let of_level = |level: &OfLevel| LevelEvidence {
            level: level.name.clone(),
            p: level.greatest.p(),
            speaks_for: level.greatest.speaks_for(),
        };
        let each = self.hypothesis.each.map(|_| self.levels.iter().map(of_level).collect());
        each.unwrap_or_default()
    }
}

/// Of a contrast of two shares.
fn negligible(hypothesis: &Hypothesis, alpha: f64, stop: StopAt) -> Option<MarginBets> {
    let StopAt::First { negligible } = stop else { return None };
    let is_of_shares = matches!(hypothesis.test, Test::Contrast { .. }) && hypothesis.metric.ends_at_1();
    (is_of_shares && hypothesis.each.is_none()).then(|| MarginBets::new(negligible, alpha).ok())?
}

/// The levels of `each` in the order of their first trials, or one without a name; of each, how many cells a prompt has
/// that lacks none, for a test that needs them all.
pub fn n_cells<'t>(hypothesis: &Hypothesis, trials: impl Iterator<Item = &'t Trial>) -> Vec<(String, usize)> {
    let factors = match &hypothesis.test {
        Test::Trend { factor, .. } => vec![*factor],
        Test::Interaction { factors } => factors.to_vec(),
        Test::Contrast { .. } | Test::Equivalence { .. } => vec![],
    };
    let mut found: Vec<(String, Vec<BTreeSet<&Level>>)> = Vec::new();
    for trial in trials.filter(|trial| hypothesis.takes(trial.point())) {
        let name = hypothesis.each.map_or_else(String::new, |each| trial.cell.level(each).to_string());
        let place = found.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            found.push((name, vec![BTreeSet::new(); factors.len()]));
            found.len() - 1
        });
        for (&factor, levels) in factors.iter().zip(&mut found[place].1) {
            levels.insert(trial.cell.level(factor));
        }
    }
    found.into_iter().map(|(name, levels)| (name, levels.iter().map(BTreeSet::len).product())).collect()
}
