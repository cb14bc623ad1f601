//! Verdicts in a sentence each.

use super::test::Tested;
use super::{NamedEffect, Outcome, Part, PartVerdict};
use crate::experiment::Hypothesis;
use crate::stats::Interval;

/// Of a hypothesis; `weakest` is the part that speaks least for it.
pub fn sentence(
    hypothesis: &Hypothesis,
    weakest: Option<&Part>,
    parts: &[PartVerdict],
    outcome: Outcome,
    p_holm: Option<f64>,
) -> String {
    let Some(weakest) = weakest else { return "no scored trial".to_owned() };
    let Some(each) = hypothesis.each.filter(|_| !parts.is_empty()) else { return of_part(weakest, outcome, p_holm) };
    let count = |wanted| parts.iter().filter(|part| part.outcome == wanted).count();
    let held = match parts.len() {
        n if count(Outcome::Supported) == n => format!("holds for each {each} ({n} of them)"),
        n => format!(
            "of {n} levels of {each}, it holds for {}, is refuted for {} and inconclusive for {}",
            count(Outcome::Supported),
            count(Outcome::Refuted),
            count(Outcome::Inconclusive)
        ),
    };
    format!("{held}; weakest for {}: {}", weakest.level, of_part(weakest, outcome, p_holm))
}

/// Of one test.
pub fn of_part(part: &Part, outcome: Outcome, p_holm: Option<f64>) -> String {
    let tested = match &part.tested {
        Ok(tested) => tested,
        Err(error) => return format!("not tested: {error}"),
    };
    let mut sentence = tested.effects.first().map(in_words).unwrap_or_default();
    sentence += &format!(", n = {} prompts, {} texts", tested.n_prompts, tested.n_texts);
    match (tested.plain, p_holm) {
        (Some(_), _) => sentence += "; the same for every prompt, so nothing to test",
        (None, Some(p)) => sentence += &format!(", p {}", p_in_words(p)),
        (None, None) => {}
    }
    match (&tested.unseen, outcome) {
        (Some(blind), Outcome::Inconclusive) => {
            sentence += &format!(" if the texts that it can't see into speak against it; {blind}");
        }
        (Some(blind), _) => {
            let (n_unseen, n_texts) = (blind.n_unseen, blind.n_texts);
            sentence += &format!(
                "; so even if all texts that {} can't see into, {n_unseen} of {n_texts}, speak against it",
                blind.metric.name()
            );
        }
        (None, Outcome::Inconclusive) => sentence += &blind_spot(tested),
        (None, _) => {}
    }
    sentence
}

pub fn in_words(NamedEffect { name, effect }: &NamedEffect) -> String {
    let Interval { low, high, level } = effect.interval;
    format!("{name} {:.3} [{low:.3}, {high:.3}] ({:.0} %)", effect.estimate, 100.0 * level)
}

fn blind_spot(tested: &Tested) -> String {
    match tested.detectable {
        Some(least) => format!("; the least that this design would have seen: {least:.3}"),
        None => String::new(),
    }
}

pub fn p_in_words(p: f64) -> String {
    match p {
        p if p < 0.0001 => "below 0.0001".to_owned(),
        p if p < 0.001 => format!("= {p:.4}"),
        p => format!("= {p:.3}"),
    }
}
