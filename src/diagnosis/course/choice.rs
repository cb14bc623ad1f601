//! Chooses, of what a stage tried, what is put to the test. Must not know what comes of it: whatever is chosen here was
//! chosen by looking, so that nothing may be claimed of it.

use std::cmp::{Ordering, Reverse};

use super::super::evidence::{Extent, Outcome};
use super::super::switch::{Kind, Switch};
use super::case::Tried;
use crate::analysis::sequential::State;
use crate::causes::Cause;

/// A switch with at least this share of the best one's effect is as good a remedy.
const AS_GOOD: f64 = 0.8;
/// The most remedies that are confirmed side by side.
const MOST_REMEDIES: usize = 2;
/// Suspects that are paired with each other.
const PAIRED: usize = 4;
/// The greatest p, whenever one looks, of a suspect of a search that had to stop before its end.
const HASTY_P: f64 = 0.5;

/// What a search found: one switch or several together, and others that do as much.
pub struct Found {
    pub best: Vec<Switch>,
    pub alternatives: Vec<Switch>,
    /// What the search saw of it: the share of loops with it less that without.
    pub effect: f64,
    /// The smallest effect that its confirmation has to see: where one switch is on top of another, that of the lesser.
    pub least_effect: f64,
    /// The prompts that it took.
    pub after: usize,
}

/// What explains it best, and those that do as much; None where nothing is supported.
pub fn choose(tried: &[Tried]) -> Option<Found> {
    let of = |states: &[State]| -> Vec<&Tried> {
        tried.iter().filter(|tried| states.contains(&tried.outcome.state)).collect()
    };
    // One that is not decided yet may have the same effect; fresh prompts will say.
    explain(&of(&[State::Supported]), of(&[State::Supported, State::Open]))
}

/// What looks best where a stage supports nothing. A test that may stop at any prompt sees less than an interval at its
/// end does: where that is below zero, or where the stage had to stop, there is a suspect. That many were looked at is no
/// objection, for what is put to the test on fresh prompts may be chosen in any way.
pub fn suspect(tried: &[Tried], extent: Extent) -> Option<Found> {
    let looks_good = |tried: &&Tried| {
        let Outcome { state, effect, interval, p, .. } = &tried.outcome;
        let is_below_zero = match extent {
            Extent::Whole => interval.is_some_and(|interval| interval.high < 0.0),
            Extent::CutShort => *effect < 0.0 && *p <= HASTY_P,
        };
        *state == State::Open && is_below_zero
    };
    let suspects: Vec<&Tried> = tried.iter().filter(looks_good).collect();
    explain(&suspects, suspects.clone())
}

/// The preferred of the candidates that do as much as the best of `shown`, and others of them.
fn explain(shown: &[&Tried], mut candidates: Vec<&Tried>) -> Option<Found> {
    let best = shown.iter().map(|tried| tried.outcome.effect).min_by(f64::total_cmp)?;
    candidates.retain(|tried| is_as_good(tried.outcome.effect, best));
    candidates.sort_by(|a, b| preference(a, b));
    let (first, others) = candidates.split_first()?;
    let alternatives = others.iter().filter_map(|tried| single(tried)).take(MOST_REMEDIES - 1).cloned();
    Some(Found {
        alternatives: single(first).map_or_else(Vec::new, |_| alternatives.collect()),
        after: shown.iter().map(|tried| tried.outcome.prompts).max().unwrap_or(0),
        ..found(first)
    })
}

/// Whether a remedy of this effect is as good as one of that.
pub fn is_as_good(effect: f64, best: f64) -> bool {
    effect <= AS_GOOD * best
}

/// The switch, where it was tried by itself.
fn single(tried: &Tried) -> Option<&Switch> {
    match tried.switches.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

fn found(tried: &Tried) -> Found {
    let Tried { switches, outcome, .. } = tried;
    let (best, alternatives, effect) = (switches.clone(), vec![], outcome.effect);
    Found { best, alternatives, effect, least_effect: effect, after: outcome.prompts }
}

/// One switch explains more than several, what was put back to the usual more than a medicine; a defect is mended before
/// a choice is given up; then the greater effect.
fn preference(a: &Tried, b: &Tried) -> Ordering {
    let of_each = |tried: &Tried| tried.switches.iter().map(|switch| (switch.kind, switch.cause.nature())).max();
    let key = |tried: &Tried| (tried.switches.len(), of_each(tried));
    let by_effect = a.outcome.effect.total_cmp(&b.outcome.effect);
    key(a).cmp(&key(b)).then(by_effect).then_with(|| cause(a).cmp(&cause(b)))
}

fn cause(tried: &Tried) -> Option<Cause> {
    tried.switches.first().map(|switch| switch.cause)
}

/// Which single switches may matter together with another one, the most suspect first.
pub fn suspects(tried: &[Tried]) -> Vec<&Tried> {
    // What is not as usual may need another switch to matter at all, so that it is no suspect by itself.
    let may_matter = |tried: &&Tried| match (tried.switches.as_slice(), tried.outcome.state) {
        ([_], State::Open) => true,
        ([one], State::Negligible) => one.kind == Kind::Undo,
        _ => false,
    };
    let mut suspects: Vec<&Tried> = tried.iter().filter(may_matter).collect();
    suspects.sort_by(|a, b| {
        let kind = |tried: &Tried| tried.switches[0].kind;
        let by_p = a.outcome.p.total_cmp(&b.outcome.p);
        kind(a).cmp(&kind(b)).then(by_p).then(a.outcome.effect.total_cmp(&b.outcome.effect))
    });
    suspects.truncate(PAIRED);
    suspects
}

/// What people report to go wrong together only (FIELD.md 8): the second matters where the first is as it is.
const KNOWN_PAIRS: [(&[Cause], &[Cause]); 4] = [
    (&[Cause::Offload, Cause::OpOffload], &[Cause::Width]),
    (&[Cause::FlashAttention], &[Cause::PromptLength]),
    (&[Cause::CacheType], &[Cause::FlashAttention]),
    (
        &[Cause::PenaltyMissing, Cause::PenaltyStrong, Cause::PresencePenalty],
        &[Cause::TemplateMissing, Cause::TemplateForm, Cause::TemplateUsed],
    ),
];

/// The pairs of what was tried by itself that are known to go together.
pub fn known_pairs(tried: &[Tried]) -> Vec<[&Switch; 2]> {
    let singles: Vec<&Switch> = tried.iter().filter_map(single).collect();
    let of = |causes: &[Cause]| singles.iter().copied().filter(|switch| causes.contains(&switch.cause)).collect();
    let mut pairs = Vec::new();
    for (ones, others) in KNOWN_PAIRS {
        let (ones, others): (Vec<&Switch>, Vec<&Switch>) = (of(ones), of(others));
        pairs.extend(ones.iter().flat_map(|one| others.iter().map(|other| [*one, *other])));
    }
    pairs.sort_by_key(|pair| Reverse(pair.iter().filter(|switch| switch.kind == Kind::Undo).count()));
    pairs
}
