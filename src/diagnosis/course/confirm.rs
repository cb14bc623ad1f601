//! Puts what a search found to the test of prompts and seeds that nothing was chosen by, and says what that comes to.

use super::super::evidence::{Answer, Outcome};
use super::super::stage::{Claim, Prompt, Stage, StageKind};
use super::super::switch::Switch;
use super::case::{Case, Diagnosis, Ending, Remedy};
use super::choice::Found;
use super::compare::{FRESH_SEED, against, seeds};
use crate::analysis::sequential::State;
use crate::causes::Adjustment;

/// The fewest fresh prompts, where there are as many.
pub const FEWEST_PROMPTS: usize = 24;
/// The prompts that a confirmation wants to see a difference of, if the search saw it rightly. It saw it too large, so
/// these are more than its test needs.
const SOUGHT_DIFFERENCES: f64 = 12.0;
/// The greatest p of a remedy that more prompts are asked for.
const PROMISING_P: f64 = 0.3;

/// The stage: what was found against the model as it is run; where that is several switches, each of them alone too,
/// and all of them against each.
pub fn stage(case: &Case, kind: StageKind, found: &Found, prompts: &[Prompt]) -> Stage {
    let singles = if found.best.len() > 1 { found.best.as_slice() } else { &[] };
    let mut sets = vec![found.best.clone()];
    sets.extend(found.alternatives.iter().chain(singles).map(|switch| vec![switch.clone()]));
    let mut stage = against(kind, &case.as_run, &sets);
    let first_single = stage.arms.len() - singles.len();
    // All are needed only where each alone does less.
    let beyond = (first_single..stage.arms.len()).map(|single| Claim {
        id: format!("all-against-{}", stage.arms[single].id),
        base: single,
        other: 1,
    });
    let beyond: Vec<Claim> = beyond.collect();
    stage.claims.extend(beyond);
    stage.prompts = prompts.to_vec();
    stage.seeds = seeds(FRESH_SEED);
    stage
}

/// Its prompts, of those that are fresh: the smaller the difference, the more it takes to see it; as many as are to be
/// decoded together, at least.
pub fn prompts<'a>(case: &Case, fresh: &'a [Prompt], found: &Found) -> &'a [Prompt] {
    let wanted = (SOUGHT_DIFFERENCES / found.least_effect.abs().max(0.01)).ceil() as usize;
    &fresh[..wanted.max(FEWEST_PROMPTS).max(case.as_run.width()).min(fresh.len())]
}

/// Whether a remedy that is not confirmed looks well enough for more prompts: the search saw its effect too large, so
/// that its test may have had too few.
pub fn may_hold(answer: &Answer) -> bool {
    let Outcome { effect, p, .. } = &answer.claims[0];
    *effect < 0.0 && *p <= PROMISING_P
}

/// Reads the answer of that stage.
pub fn confirm(case: &Case, found: &Found, answer: &Answer, diagnosis: &mut Diagnosis) {
    let remedy = |switches: Vec<Switch>, arm: usize| Remedy {
        switches,
        before: answer.arms[0],
        after: answer.arms[arm],
        outcome: answer.claims[arm - 1].clone(),
        found_after: found.after,
    };
    let holds = |claim: usize| answer.claims[claim].state == State::Supported;
    (diagnosis.ending, diagnosis.remedies) = if let [best] = found.best.as_slice() {
        let switches = std::iter::once(best).chain(&found.alternatives);
        let remedies: Vec<Remedy> =
            switches.enumerate().map(|(place, switch)| remedy(vec![switch.clone()], place + 1)).collect();
        let is_confirmed = |remedy: &&Remedy| remedy.outcome.state == State::Supported;
        let confirmed: Vec<Remedy> = remedies.iter().filter(is_confirmed).cloned().collect();
        if confirmed.is_empty() { (Ending::NotConfirmed, remedies) } else { (Ending::Cause, confirmed) }
    } else {
        // Claims: all; each alone; all against each.
        let n = found.best.len();
        let alone: Vec<bool> = (1..=n).map(holds).collect();
        let beyond: Vec<bool> = (n + 1..=2 * n).map(holds).collect();
        let all = remedy(found.best.clone(), 1);
        let alone_helps = alone.iter().position(|holds| *holds);
        // Of what helps alone, one that all together are not shown to beat: the others are not needed.
        let suffices = alone.iter().zip(&beyond).position(|(alone, beyond)| *alone && !*beyond);
        let all_are_needed = beyond.iter().all(|holds| *holds);
        let one = |place: usize| (Ending::Cause, vec![remedy(vec![found.best[place].clone()], place + 2)]);
        match (holds(0), suffices, alone_helps) {
            (_, Some(place), _) | (false, None, Some(place)) => one(place),
            (true, None, Some(_)) => (Ending::TwoCauses, vec![all]),
            (true, None, None) if all_are_needed => (Ending::NeedsBoth, vec![all]),
            (true, None, None) => (Ending::Cause, vec![all]),
            (false, None, None) => (Ending::NotConfirmed, vec![all]),
        }
    };
    let has_words = |a: &Adjustment| case.runtime.line(a).or_else(|| case.runtime.request(a)).is_some();
    let can_be_said = |remedy: &Remedy| remedy.switches.iter().flat_map(|switch| &switch.adjustments).all(has_words);
    if diagnosis.ending == Ending::Cause && !diagnosis.remedies.iter().any(can_be_said) {
        diagnosis.ending = Ending::NoRemedyHere;
    }
}
