//! Looks at an experiment after each prompt: which one comes next, what it decides, whether that is enough.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::claim::Claim;
use super::process::{Evidence, Process};
use super::way::{Way, way};
use super::{Ending, Look, Sequential, State};
use crate::analysis::{Questions, ScoredTrial, TrialResult, score_trial};
use crate::domain::{Trial, TrialId};
use crate::experiment::StopAt;
use crate::journal::record::Outcome;
use crate::plan::Sequence;
use crate::stats::sequential::e_holm;

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
    /// Of the prompts looked at: the texts that no hypothesis needed any more.
    let_go: HashSet<TrialId>,
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
        let ln_1_over_alpha = -sequence.alpha.ln();
        let (mut claims, mut notes, mut at_the_end) = (Vec::new(), Vec::new(), Vec::new());
        let unseen = |trial: &Trial| ScoredTrial::new(trial.clone(), TrialResult::Missing);
        let unseen: Vec<ScoredTrial> = trials.iter().map(unseen).collect();
        for hypothesis in questions.hypotheses {
            match way(hypothesis, questions, &unseen) {
                Way::Never => continue,
                Way::Once(why) => {
                    notes.push(format!("{} is tested only once all prompts have been run: {why}", hypothesis.id));
                    at_the_end.push(hypothesis.id.clone());
                    continue;
                }
                Way::Looked => {}
            }
            let takes = |prompt: &&String| {
                let trials = by_prompt.get(prompt.as_str());
                trials.is_some_and(|trials| trials.iter().any(|trial| hypothesis.takes(trial.point())))
            };
            let n_prompts = sequence.order.iter().filter(takes).count();
            let least = Process::least_prompts_to_support(hypothesis, ln_1_over_alpha);
            let awaited = least <= n_prompts;
            if !awaited {
                notes.push(format!(
                    "{} can't be supported by {n_prompts} prompts: it needs at least {least}; the run does not wait \
                     for it",
                    hypothesis.id
                ));
            }
            claims.push(Claim::new(hypothesis, trials, sequence.alpha, sequence.stop, awaited));
        }
        Some(Self { questions, sequence, by_prompt, claims, notes, at_the_end, looked: 0, let_go: HashSet::new() })
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
    pub fn go_on<'o>(&mut self, outcome_of: impl Fn(&TrialId) -> Option<&'o Outcome> + Sync) -> Ending {
        while let Some(prompt) = self.next_prompt() {
            let markers = |trial: &Trial| self.questions.thought_markers?.get(trial.cell.model());
            let scored = |trial: &&Trial| score_trial(trial, outcome_of(&trial.id), markers(trial));
            let scored: Vec<ScoredTrial> = self.by_prompt[prompt].par_iter().map(scored).collect();
            if !self.look(&scored.iter().collect::<Vec<_>>()) {
                break;
            }
        }
        self.ending()
    }

    /// Whether a trial of the prompts to come is of use to a hypothesis that is not settled.
    pub fn needs(&self, trial: &Trial) -> bool {
        match self.sequence.stop {
            StopAt::All => true,
            StopAt::First { .. } => {
                let open = self.claims.iter().filter(|claim| claim.state == State::Open);
                !self.at_the_end.is_empty() || open.map(|claim| claim.hypothesis).any(|h| h.takes(trial.point()))
            }
        }
    }

    /// The prompt to be looked at next; `None` where there is none, or no need.
    pub(super) fn next_prompt(&self) -> Option<&'a str> {
        let next = self.sequence.order.get(self.looked)?;
        (self.ending() == Ending::Open).then_some(next)
    }

    fn ending(&self) -> Ending {
        if self.looked == self.sequence.order.len() {
            Ending::Spent
        } else if self.all_decided() || self.one_found() {
            Ending::Decided
        } else {
            Ending::Open
        }
    }

    /// Whether every hypothesis that can be decided on the way is.
    fn all_decided(&self) -> bool {
        let mut awaited = self.claims.iter().filter(|claim| claim.awaited).peekable();
        let some = awaited.peek().is_some();
        self.at_the_end.is_empty() && some && awaited.all(|claim| claim.state != State::Open)
    }

    /// Whether one hypothesis is supported, where one is enough.
    fn one_found(&self) -> bool {
        let found = || self.claims.iter().any(|claim| claim.state == State::Supported);
        matches!(self.sequence.stop, StopAt::First { .. }) && found()
    }

    fn n_hypotheses(&self) -> usize {
        self.claims.len() + self.at_the_end.len()
    }

    /// Takes the texts of the next prompt; false where one is not there yet.
    pub(super) fn look(&mut self, prompt: &[&ScoredTrial]) -> bool {
        let (needed, let_go): (Vec<_>, Vec<_>) = prompt.iter().copied().partition(|scored| self.needs(&scored.trial));
        if needed.iter().any(|scored| scored.result == TrialResult::Missing) {
            return false;
        }
        let needed_ids: HashSet<&TrialId> = needed.iter().map(|scored| &scored.trial.id).collect();
        let let_go = let_go.into_iter().map(|scored| &scored.trial.id).filter(|id| !needed_ids.contains(id));
        self.let_go.extend(let_go.cloned());
        let stop = self.sequence.stop;
        let goes_on = |claim: &Claim<'_>| stop == StopAt::All || claim.state == State::Open;
        let observe = |claim: &mut Claim<'_>| goes_on(claim).then(|| claim.observe(&needed));
        let evidence: Vec<Option<Evidence>> = self.claims.iter_mut().map(observe).collect();
        // What is tested at the end has a p of 1 till then.
        let mut ln_e: Vec<f64> = self.claims.iter().map(|claim| claim.greatest.ln_e()).collect();
        ln_e.resize(self.n_hypotheses(), 0.0);
        let adjusted = e_holm(&ln_e).expect("evidence is a number");
        for ((claim, evidence), p_holm) in self.claims.iter_mut().zip(evidence).zip(adjusted) {
            let Some(evidence) = evidence else { continue };
            if claim.state == State::Open && p_holm <= self.sequence.alpha {
                claim.state = match claim.greatest.speaks_for() {
                    true if evidence.mean_agrees => State::Supported,
                    false if evidence.mean_opposes => State::Refuted,
                    _ => State::Open,
                };
            }
            if claim.state == State::Open && claim.ln_negligible() >= -self.sequence.alpha.ln() {
                claim.state = State::Negligible;
            }
            let ln_e = evidence.ln_for.max(evidence.ln_against);
            claim.looks.push(Look { ln_e, p: claim.greatest.p(), state: claim.state });
        }
        self.looked += 1;
        true
    }

    /// What the looks came to; `has_text` knows of which trials there are texts.
    pub(super) fn conclude(self, has_text: impl Fn(&TrialId) -> bool) -> Sequential {
        let Sequence { alpha, order, stop, .. } = self.sequence;
        let ending = self.ending();
        let (looked, beyond) = order.split_at(self.looked);
        let ids = |prompts: &[String]| {
            let trials = prompts.iter().flat_map(|prompt| &self.by_prompt[prompt.as_str()]);
            trials.map(|trial| &trial.id).collect::<HashSet<_>>()
        };
        let n_let_go = self.let_go.iter().filter(|id| has_text(id)).count();
        let n_texts_beyond = match ending {
            Ending::Decided => ids(beyond).into_iter().filter(|id| has_text(id)).count() + n_let_go,
            Ending::Spent | Ending::Open => n_let_go,
        };
        Sequential {
            alpha: *alpha,
            prompts: looked.to_vec(),
            ending,
            paths: self.claims.iter().map(Claim::path).collect(),
            n_prompts_planned: order.len(),
            n_texts: ids(looked).difference(&self.let_go.iter().collect()).count(),
            n_texts_planned: ids(order).len(),
            n_texts_beyond,
            at_the_end: self.at_the_end,
            notes: self.notes,
            let_go: self.let_go,
            stop: *stop,
        }
    }
}
