//! Sequential experiments: what is known after each prompt, and when that is enough.
//!
//! A prompt is looked at when all its texts are there, in the order of the plan's [`Sequence`]; after each, every
//! hypothesis has the evidence of [`crate::stats::sequential`] for it and against it, and e-Holm decides over
//! all of them. So when an experiment stops hangs on its texts alone, not on when or where they were made.
//!
//! Knows neither runs nor journals: who runs an experiment asks [`Looks`] whether to go on, and
//! [`super::analyse`] goes the same way again.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::Serialize;
use strum::Display;

use super::verdict::{NotTested, obstacle};
use super::{Questions, ScoredTrial, TrialResult, level::Level, score_trial};
use crate::experiment::{Hypothesis, Test};
use crate::journal::format::Outcome;
use crate::plan::{Sequence, Trial, TrialId};
use crate::stats::sequential::{e_holm, ln_mean_of};

mod overrule;
mod process;
#[cfg(test)]
mod tests;
mod values;

pub use overrule::Decision;
pub(super) use overrule::overrule;
use process::{Evidence, Process};

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
    /// Made of prompts after the last one looked at, and not used.
    pub n_texts_beyond: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All hypotheses that can be are decided.
    Decided,
    /// All prompts were looked at.
    Spent,
    /// The next prompt's texts are not all there.
    Open,
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

/// The looks at an experiment, taken so far.
pub struct Looks<'a> {
    questions: Questions<'a>,
    sequence: &'a Sequence,
    by_prompt: HashMap<&'a str, Vec<&'a Trial>>,
    claims: Vec<Claim<'a>>,
    notes: Vec<String>,
    /// Ids of hypotheses that are tested when all prompts are there.
    at_the_end: Vec<String>,
    looked: usize,
}

/// How a hypothesis is decided.
enum Way {
    OnTheWay,
    /// By its own test when all prompts are there; why.
    AtTheEnd(String),
    /// The design can't.
    Never,
}

/// A hypothesis that is decided on the way.
struct Claim<'a> {
    hypothesis: &'a Hypothesis,
    levels: Vec<OfLevel>,
    greatest: Greatest,
    looks: Vec<Look>,
    state: State,
    /// Whether there are prompts enough to support it, so that they are waited for.
    awaited: bool,
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
struct Greatest {
    ln_for: f64,
    ln_against: f64,
}

impl Greatest {
    fn take(&mut self, evidence: Evidence) {
        self.ln_for = self.ln_for.max(evidence.ln_for);
        self.ln_against = self.ln_against.max(evidence.ln_against);
    }

    fn ln_e(self) -> f64 {
        self.ln_for.max(self.ln_against)
    }

    fn p(self) -> f64 {
        (-self.ln_e()).exp().min(1.0)
    }

    fn speaks_for(self) -> bool {
        self.ln_for >= self.ln_against
    }
}

impl<'a> Looks<'a> {
    /// Of the trials of a plan; `None` where its experiment is not looked at on the way.
    pub fn new(trials: &'a [Trial], questions: Questions<'a>) -> Option<Self> {
        let sequence = questions.sequential?;
        // What devices did is known after a run only, and must not move its end.
        let questions = Questions { host_experts: &[], ..questions };
        let mut by_prompt: HashMap<&str, Vec<&Trial>> = HashMap::new();
        for trial in trials {
            by_prompt.entry(&trial.prompt).or_default().push(trial);
        }
        let n_prompts = sequence.order.len();
        let ln_1_over_alpha = -sequence.alpha.ln();
        let (mut claims, mut notes, mut at_the_end) = (Vec::new(), Vec::new(), Vec::new());
        for hypothesis in questions.hypotheses {
            match way(hypothesis, questions, trials) {
                Way::Never => continue,
                Way::AtTheEnd(why) => {
                    notes.push(format!("{} is tested when all prompts are there: {why}", hypothesis.id));
                    at_the_end.push(hypothesis.id.clone());
                    continue;
                }
                Way::OnTheWay => {}
            }
            let least = Process::least_prompts_to_support(hypothesis, ln_1_over_alpha);
            let awaited = least <= n_prompts;
            if !awaited {
                notes.push(format!(
                    "{} can't be supported by {n_prompts} prompts: it takes {least} at least; it is not waited for",
                    hypothesis.id
                ));
            }
            let levels = levels(hypothesis, trials, sequence.alpha);
            let (greatest, looks) = (Greatest::default(), Vec::new());
            claims.push(Claim { hypothesis, levels, greatest, looks, state: State::Open, awaited });
        }
        Some(Self { questions, sequence, by_prompt, claims, notes, at_the_end, looked: 0 })
    }

    /// So many prompts it takes at least until all that can be decided is.
    pub fn least_prompts(&self) -> usize {
        let n = self.sequence.order.len();
        let ln_1_over_alpha = -self.sequence.alpha.ln();
        let ln_first = ln_1_over_alpha + (self.n_hypotheses() as f64).ln();
        let least = |ln_e| {
            let awaited = self.claims.iter().filter(|claim| claim.awaited);
            awaited.map(move |claim| Process::least_prompts(claim.hypothesis, ln_e))
        };
        match (self.at_the_end.len(), least(ln_1_over_alpha).max(), least(ln_first).min()) {
            // The first to be decided takes most.
            (0, Some(each), Some(first)) => each.max(first).min(n),
            _ => n,
        }
    }

    /// Why hypotheses are not decided on the way, or not waited for.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Looks at prompts, in order, as long as that decides something and all their texts are there.
    pub fn go_on<'o>(&mut self, outcome_of: impl Fn(&TrialId) -> Option<&'o Outcome>) -> Ending {
        while let Some(prompt) = self.next_prompt() {
            let markers = |trial: &Trial| self.questions.thought_markers?.get(&trial.cell.model);
            let scored = |trial: &&Trial| score_trial(trial, outcome_of(&trial.id), markers(trial));
            let scored: Vec<ScoredTrial> = self.by_prompt[prompt].iter().map(scored).collect();
            if !self.look(&scored.iter().collect::<Vec<_>>()) {
                break;
            }
        }
        self.ending()
    }

    /// The prompt to be looked at next; `None` where there is none, or no need.
    fn next_prompt(&self) -> Option<&'a str> {
        let next = self.sequence.order.get(self.looked)?;
        (self.ending() == Ending::Open).then_some(next)
    }

    fn ending(&self) -> Ending {
        let mut awaited = self.claims.iter().filter(|claim| claim.awaited).peekable();
        let some = awaited.peek().is_some();
        if self.looked == self.sequence.order.len() {
            Ending::Spent
        } else if self.at_the_end.is_empty() && some && awaited.all(|claim| claim.state != State::Open) {
            Ending::Decided
        } else {
            Ending::Open
        }
    }

    fn n_hypotheses(&self) -> usize {
        self.claims.len() + self.at_the_end.len()
    }

    /// Takes the texts of the next prompt; false where one is not there yet.
    fn look(&mut self, prompt: &[&ScoredTrial]) -> bool {
        if prompt.iter().any(|scored| scored.result == TrialResult::Missing) {
            return false;
        }
        let evidence: Vec<Evidence> = self.claims.iter_mut().map(|claim| claim.observe(prompt)).collect();
        // What is tested at the end has a p of 1 till then.
        let mut ln_e: Vec<f64> = self.claims.iter().map(|claim| claim.greatest.ln_e()).collect();
        ln_e.resize(self.n_hypotheses(), 0.0);
        let adjusted = e_holm(&ln_e).expect("evidence is a number");
        for ((claim, evidence), p_holm) in self.claims.iter_mut().zip(evidence).zip(adjusted) {
            if claim.state == State::Open && p_holm <= self.sequence.alpha {
                claim.state = match claim.greatest.speaks_for() {
                    true if evidence.mean_agrees => State::Supported,
                    false if evidence.mean_opposes => State::Refuted,
                    _ => State::Open,
                };
            }
            let ln_e = evidence.ln_for.max(evidence.ln_against);
            claim.looks.push(Look { ln_e, p: claim.greatest.p(), state: claim.state });
        }
        self.looked += 1;
        true
    }

    /// What the looks came to; `has_text` knows of which trials there are texts.
    fn conclude(self, has_text: impl Fn(&TrialId) -> bool) -> Sequential {
        let Sequence { alpha, order, .. } = self.sequence;
        let ending = self.ending();
        let (looked, beyond) = order.split_at(self.looked);
        let ids = |prompts: &[String]| {
            let trials = prompts.iter().flat_map(|prompt| &self.by_prompt[prompt.as_str()]);
            trials.map(|trial| &trial.id).collect::<HashSet<_>>()
        };
        let n_texts_beyond = match ending {
            Ending::Decided => ids(beyond).into_iter().filter(|id| has_text(id)).count(),
            Ending::Spent | Ending::Open => 0,
        };
        let path = |claim: &Claim<'_>| Path {
            hypothesis: claim.hypothesis.id.clone(),
            instrument: claim.instrument(),
            looks: claim.looks.clone(),
            levels: claim.level_evidence(),
        };
        Sequential {
            alpha: *alpha,
            prompts: looked.to_vec(),
            ending,
            paths: self.claims.iter().map(path).collect(),
            n_prompts_planned: order.len(),
            n_texts: ids(looked).len(),
            n_texts_planned: ids(order).len(),
            n_texts_beyond,
            at_the_end: self.at_the_end,
            notes: self.notes,
        }
    }
}

impl Claim<'_> {
    fn observe(&mut self, prompt: &[&ScoredTrial]) -> Evidence {
        let n_cells = |name: &str| self.levels.iter().find(|level| level.name == name).map_or(0, |level| level.n_cells);
        for (name, bounds) in values::differences(self.hypothesis, prompt, n_cells) {
            if let Some(level) = self.levels.iter_mut().find(|level| level.name == name) {
                level.process.observe(self.hypothesis, bounds);
                level.greatest.take(level.process.evidence());
            }
        }
        let evidence = self.evidence();
        self.greatest.take(evidence);
        evidence
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

    fn instrument(&self) -> Instrument {
        match self.hypothesis.test {
            Test::Equivalence { .. } => Instrument::Betting,
            Test::Trend { .. } | Test::Contrast { .. } | Test::Interaction { .. } => Instrument::SignFlip,
        }
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

fn way(hypothesis: &Hypothesis, questions: Questions<'_>, trials: &[Trial]) -> Way {
    // Whatever the texts are: none of them is looked at here.
    let unseen: Vec<ScoredTrial> =
        trials.iter().map(|trial| ScoredTrial::new(trial.clone(), TrialResult::Missing)).collect();
    if let Some(NotTested::Inert(_) | NotTested::Doubted { .. }) = obstacle(hypothesis, questions, &unseen) {
        return Way::Never;
    }
    let crossed = |level: &OfLevel| level.n_cells == 4;
    match &hypothesis.test {
        Test::Equivalence { .. } if !hypothesis.metric.ends_at_1() => {
            Way::AtTheEnd(format!("{} does not lie between 0 and 1, as bets need", hypothesis.metric.name()))
        }
        Test::Equivalence { margin, .. } if *margin >= 1.0 => {
            Way::AtTheEnd(format!("no two shares differ by more than {margin}"))
        }
        Test::Interaction { .. } if !levels(hypothesis, trials, questions.settings.alpha).iter().all(crossed) => {
            Way::AtTheEnd("an interaction of more than two levels each is no single difference".to_owned())
        }
        Test::Equivalence { .. } | Test::Interaction { .. } | Test::Trend { .. } | Test::Contrast { .. } => {
            Way::OnTheWay
        }
    }
}

/// The levels of `each` in the order of their first trials, or the one of all trials.
fn levels(hypothesis: &Hypothesis, trials: &[Trial], alpha: f64) -> Vec<OfLevel> {
    let factors = match &hypothesis.test {
        Test::Trend { factor, .. } => vec![*factor],
        Test::Interaction { factors } => factors.to_vec(),
        Test::Contrast { .. } | Test::Equivalence { .. } => vec![],
    };
    let mut found: Vec<(String, Vec<BTreeSet<Level<'_>>>)> = Vec::new();
    for trial in trials.iter().filter(|trial| hypothesis.takes(trial.point())) {
        let name = hypothesis.each.map_or_else(String::new, |each| Level::of(&trial.cell, each).to_string());
        let place = found.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            found.push((name, vec![Default::default(); factors.len()]));
            found.len() - 1
        });
        for (&factor, levels) in factors.iter().zip(&mut found[place].1) {
            levels.insert(Level::of(&trial.cell, factor));
        }
    }
    let of_level = |(name, levels): (String, Vec<BTreeSet<Level<'_>>>)| {
        let n_cells = levels.iter().map(BTreeSet::len).product();
        let process = Process::of(hypothesis, alpha).ok()?;
        Some(OfLevel { name, process, n_cells, greatest: Greatest::default() })
    };
    found.into_iter().filter_map(of_level).collect()
}
