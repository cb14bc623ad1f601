//! Keeps what is left of the vocabulary after the first truncation, and does there what later steps do.

use super::Sampled;
use super::history::Penalties;
use super::nucleus::{self, TopP};
use super::scan::{self, Candidate};

/// llama.cpp's bucket sort converts `6.4 · logit + 64` to an `int`; what does
/// not fit is undefined, and in practice lands at the wrong end.
const SORTABLE: f32 = 3.0e8;
/// Up to so many `std::partial_sort` is used, which takes any number.
const SORTED_WITHOUT_BUCKETS: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As in the vocabulary; never sorted, hence no ties.
    Vocabulary,
    Sorted,
    /// Sorted before the penalties changed the logits.
    Penalised,
}

/// Candidates in llama.cpp's order, ties aside.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    pub candidates: Vec<Candidate>,
    pub order: Order,
}

/// A step with nothing but its numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    Penalties,
    Temperature(f32),
    TopK(usize),
    TopP(TopP),
    MinP(MinP),
}

/// llama.cpp's `min_p` and its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MinP {
    pub p: f32,
    pub min_keep: usize,
}

/// Whether llama.cpp's sort of so large a logit is what a sort should be.
pub fn sortable(max: f32, kept: usize) -> bool {
    kept <= SORTED_WITHOUT_BUCKETS || max <= SORTABLE
}

/// What only llama.cpp can decide.
pub struct Undecided;

impl List {
    /// Applies one step. `List` is not empty, before and after.
    pub fn apply(&mut self, step: Step, penalties: Option<&Penalties>) -> Result<(), Undecided> {
        match step {
            Step::Penalties => {
                for candidate in &mut self.candidates {
                    candidate.logit = penalties.map_or(candidate.logit, |p| p.penalised(candidate.id, candidate.logit));
                }
                if self.order == Order::Sorted {
                    self.order = Order::Penalised;
                }
            }
            Step::Temperature(t) => self.temper(t),
            Step::TopK(k) => {
                self.sort_for(k)?;
                self.candidates.truncate(k);
            }
            Step::TopP(top_p) => {
                let sorted = self.order == Order::Sorted;
                if !sorted && !sortable(nucleus::max(&self.candidates), usize::MAX) {
                    return Err(Undecided);
                }
                top_p.of_list(&mut self.candidates, sorted);
                self.order = Order::Sorted;
            }
            Step::MinP(min_p) => self.min_p(min_p)?,
        }
        Ok(())
    }

    /// `llama_sampler_temp_impl`: at 0 and below only the first maximum stays
    /// possible.
    fn temper(&mut self, t: f32) {
        if t > 0.0 {
            self.candidates.iter_mut().for_each(|candidate| candidate.logit /= t);
        } else {
            let max = self.first_max();
            let others = self.candidates.iter_mut().enumerate().filter(|(index, _)| *index != max);
            others.for_each(|(_, candidate)| candidate.logit = f32::NEG_INFINITY);
        }
    }

    fn sort_for(&mut self, kept: usize) -> Result<(), Undecided> {
        if self.order == Order::Sorted {
            return Ok(());
        }
        if !sortable(nucleus::max(&self.candidates), kept) {
            return Err(Undecided);
        }
        scan::sort(&mut self.candidates);
        self.order = Order::Sorted;
        Ok(())
    }

    /// `llama_sampler_min_p_apply`.
    fn min_p(&mut self, min_p: MinP) -> Result<(), Undecided> {
        if self.order != Order::Sorted {
            let min_logit = nucleus::max(&self.candidates).max(f32::MIN) + min_p.p.ln();
            let kept = self.candidates.iter().filter(|candidate| candidate.logit >= min_logit).count();
            if kept > 0 && kept >= min_p.min_keep {
                self.candidates.retain(|candidate| candidate.logit >= min_logit);
                return Ok(());
            }
            self.sort_for(usize::MAX)?;
        }
        let min_logit = self.candidates[0].logit + min_p.p.ln();
        let after_first = (1..).zip(&self.candidates[1..]);
        let mut dropped = after_first.filter(|(kept, c)| c.logit < min_logit && *kept >= min_p.min_keep);
        if let Some((kept, _)) = dropped.next() {
            self.candidates.truncate(kept);
        }
        Ok(())
    }

    fn first_max(&self) -> usize {
        let candidates = &self.candidates;
        (1..candidates.len())
            .fold(0, |max, index| if candidates[index].logit > candidates[max].logit { index } else { max })
    }

    /// `llama_sampler_greedy_apply`.
    pub fn greedy(&self) -> Sampled {
        // Which of the tied was cut off may decide what a penalty fell on.
        let cut_at_a_tie = self.order == Order::Penalised && self.candidates.last().is_some_and(|last| last.tied);
        if cut_at_a_tie { Sampled::AskLlama } else { self.sampled(self.first_max()) }
    }

    /// `llama_sampler_dist_apply`, with its number drawn.
    pub fn dist(&self, drawn: f64) -> Sampled {
        let candidates = &self.candidates;
        // Among penalised candidates the order of ties enters the sums.
        if self.order == Order::Penalised && candidates.iter().any(|candidate| candidate.tied) {
            return Sampled::AskLlama;
        }
        if candidates.len() == 1 {
            return self.sampled(0);
        }
        let max = if self.order == Order::Sorted { candidates[0].logit } else { nucleus::max(candidates) };
        let terms = || candidates.iter().map(|candidate| f64::from((candidate.logit - max).exp()));
        let target = terms().fold(0.0, |sum, term| sum + term) * drawn;
        let mut sum = 0.0;
        let reached = terms().position(|term| {
            sum += term;
            sum >= target
        });
        self.sampled(reached.unwrap_or(candidates.len() - 1))
    }

    fn sampled(&self, selected: usize) -> Sampled {
        let candidate = self.candidates[selected];
        if candidate.tied { Sampled::AskLlama } else { Sampled::Token(candidate.id) }
    }
}
