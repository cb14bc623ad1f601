//! Runs the steps that see the whole vocabulary, and shares what chains have in common that begin with the same ones.

use std::sync::Arc;

use super::history::Penalties;
use super::list::{List, MinP, Order, Step, sortable};
use super::mass::RunningSums;
use super::nucleus::TopP;
use super::scan::{self, BLOCK, Candidate, Extremes};
use crate::Token;

/// A change of logits that keeps every candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reweighting {
    Penalties,
    Temperature(f32),
}

/// What comes after the reweightings: the first truncation, or the selection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Narrowing {
    TopK(usize),
    /// Followed by a `top_k` of `at_most`, if that is given: no more of the
    /// nucleus is looked for then.
    TopP {
        top_p: TopP,
        at_most: Option<usize>,
    },
    MinP(MinP),
    Greedy,
    Dist,
}

/// What a chain does to the whole vocabulary.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub reweightings: Vec<Reweighting>,
    pub narrowing: Narrowing,
}

/// What a [`Head`] makes of a row of logits.
#[derive(Clone, Debug)]
pub enum Narrowed {
    List(List),
    Sums(Arc<RunningSums>),
    Token(Token),
    Undecided,
}

/// Memory that is kept from row to row.
#[derive(Debug, Default)]
pub struct Scratch {
    reweighted: Vec<f32>,
    extremes: Option<Extremes>,
    /// Heads without penalties give the same for every chain and seed.
    narrowed: Vec<(Head, Narrowed)>,
}

/// The logits of one position. Chains that sample from it one after another
/// share what they have in common.
pub struct Row<'a> {
    logits: &'a [f32],
    scratch: &'a mut Scratch,
}

impl<'a> Row<'a> {
    pub fn new(logits: &'a [f32], scratch: &'a mut Scratch) -> Self {
        scratch.extremes = None;
        scratch.narrowed.clear();
        Self { logits, scratch }
    }

    pub fn logits(&self) -> &'a [f32] {
        self.logits
    }

    /// What `head` makes of this row; computed once for all chains that begin
    /// with it, if it has no memory of its own.
    pub(super) fn narrow(&mut self, head: &Head, penalties: Option<&Penalties>) -> Narrowed {
        if head.is_stateful() {
            return self.compute(head, penalties);
        }
        if let Some((_, narrowed)) = self.scratch.narrowed.iter().find(|(known, _)| known == head) {
            return narrowed.clone();
        }
        let narrowed = self.compute(head, None);
        self.scratch.narrowed.push((head.clone(), narrowed.clone()));
        narrowed
    }

    fn compute(&mut self, head: &Head, penalties: Option<&Penalties>) -> Narrowed {
        if self.logits.is_empty() {
            return Narrowed::Undecided;
        }
        if head.reweightings.is_empty() {
            let extremes = *self.scratch.extremes.get_or_insert_with(|| scan::extremes(self.logits));
            return head.narrowing.of(self.logits, extremes);
        }
        let reweighted = &mut self.scratch.reweighted;
        reweighted.clear();
        reweighted.extend_from_slice(self.logits);
        for step in &head.reweightings {
            step.apply(reweighted, penalties);
        }
        head.narrowing.of(reweighted, scan::extremes(reweighted))
    }

    /// The token at which the sums that `head` gave reach `drawn` of the whole.
    pub(super) fn select(&self, head: &Head, sums: &RunningSums, drawn: f64) -> Option<Token> {
        let (start, target) = sums.block(drawn);
        let index = if head.is_stateful() {
            // Computed just now.
            sums.within(start, block(&self.scratch.reweighted, start), target)
        } else {
            let mut logits = block(self.logits, start).to_vec();
            head.reweightings.iter().for_each(|step| step.apply(&mut logits, None));
            sums.within(start, &logits, target)
        };
        index.map(|index| index as Token)
    }
}

fn block(logits: &[f32], start: usize) -> &[f32] {
    let rest = logits.get(start..).unwrap_or_default();
    &rest[..rest.len().min(BLOCK)]
}

impl Head {
    /// Whether what it gives depends on more than each logit and its own
    /// numbers.
    fn is_stateful(&self) -> bool {
        self.reweightings.iter().any(|step| match *step {
            Reweighting::Penalties => true,
            Reweighting::Temperature(t) => t <= 0.0,
        })
    }
}

impl Reweighting {
    fn apply(self, logits: &mut [f32], penalties: Option<&Penalties>) {
        match self {
            Self::Penalties => {
                let Some(penalties) = penalties else { return };
                for token in penalties.tokens() {
                    if let Some(logit) = usize::try_from(token).ok().and_then(|token| logits.get_mut(token)) {
                        *logit = penalties.penalised(token, *logit);
                    }
                }
            }
            Self::Temperature(t) if t > 0.0 => logits.iter_mut().for_each(|logit| *logit /= t),
            // `llama_sampler_temp_impl`: only the first maximum stays possible.
            Self::Temperature(_) => {
                if let Some(first) = scan::first_max(logits) {
                    let max = logits[first];
                    logits.fill(f32::NEG_INFINITY);
                    logits[first] = max;
                }
            }
        }
    }
}

impl Narrowing {
    fn of(self, logits: &[f32], extremes: Extremes) -> Narrowed {
        let Extremes { max, has_nan } = extremes;
        // A softmax of infinities is NaN all over, and what a sort makes of
        // NaN is undefined. `greedy` sorts nothing.
        if has_nan && self != Self::Greedy {
            return Narrowed::Undecided;
        }
        let sorted = |candidates| Narrowed::List(List { candidates, order: Order::Sorted });
        match self {
            Self::TopK(k) if sortable(max, k) => sorted(scan::largest(logits, k)),
            Self::TopP { top_p, at_most } if max.is_finite() && sortable(max, usize::MAX) => {
                sorted(top_p.of_vocabulary(logits, max, at_most))
            }
            Self::Dist if max.is_finite() && logits.len() > 1 => {
                Narrowed::Sums(Arc::new(RunningSums::new(logits, max)))
            }
            Self::TopK(_) | Self::TopP { .. } | Self::Dist => Narrowed::Undecided,
            Self::MinP(min_p) => {
                let min_logit = max.max(f32::MIN) + min_p.p.ln();
                // Where too few are left, `min_p` must see them all.
                let enough = logits.iter().filter(|&&logit| logit >= min_logit).count() >= min_p.min_keep.max(1);
                let kept = (0..).zip(logits).filter(|&(_, &logit)| !enough || logit >= min_logit);
                let candidates = kept.map(|(id, &logit)| Candidate { id, logit, tied: false }).collect();
                let mut list = List { candidates, order: Order::Vocabulary };
                match list.apply(Step::MinP(min_p), None) {
                    Ok(()) => Narrowed::List(list),
                    Err(_) => Narrowed::Undecided,
                }
            }
            Self::Greedy => {
                scan::first_max(logits).map_or(Narrowed::Undecided, |index| Narrowed::Token(index as Token))
            }
        }
    }
}
