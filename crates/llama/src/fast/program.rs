//! Compiles a chain of llama.cpp's samplers to what the fast path runs.

use super::history::Penalties;
use super::list::{MinP, Step};
use super::nucleus::TopP;
use super::vocabulary::{Head, Narrowing, Reweighting};
use crate::Step as Theirs;

/// A chain without its memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    pub head: Head,
    /// What follows the first truncation.
    pub tail: Vec<Step>,
    pub selection: Selection,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    Greedy,
    Dist,
}

/// What one sampler of a chain amounts to.
enum CompiledStep {
    /// llama.cpp puts an empty sampler in its place (`llama_sampler_init_empty`).
    Nothing,
    Step(Step),
    Selection(Selection),
    NotCovered,
}

/// None for a chain that is left to llama.cpp.
pub fn compile(chain: &[Theirs]) -> Option<(Program, Option<Penalties>)> {
    let mut penalties = None;
    let mut steps = Vec::new();
    let mut selection = None;
    for step in chain {
        // After a selection, a step would move it to another token.
        let None = selection else { return None };
        match compile_step(step, &mut penalties) {
            CompiledStep::Nothing => {}
            CompiledStep::Step(step) => steps.push(step),
            CompiledStep::Selection(selected) => selection = Some(selected),
            CompiledStep::NotCovered => return None,
        }
    }
    let selection = selection?;
    let narrows = |step: &Step| matches!(step, Step::TopK(_) | Step::TopP(_) | Step::MinP(_));
    let first = steps.iter().position(narrows);
    let tail = steps.split_off(first.map_or(steps.len(), |first| first + 1));
    let narrowing = match (first.and_then(|_| steps.pop()), tail.first()) {
        (Some(Step::TopK(k)), _) => Narrowing::TopK(k),
        (Some(Step::TopP(top_p)), Some(&Step::TopK(k))) => Narrowing::TopP { top_p, at_most: Some(k) },
        (Some(Step::TopP(top_p)), _) => Narrowing::TopP { top_p, at_most: None },
        (Some(Step::MinP(min_p)), _) => Narrowing::MinP(min_p),
        _ if selection == Selection::Dist => Narrowing::Dist,
        _ => Narrowing::Greedy,
    };
    // Penalties undo a sort; to sort again, the order of ties would matter.
    let penalised = tail.iter().position(|step| *step == Step::Penalties);
    if penalised.is_some_and(|penalised| tail[penalised..].iter().any(narrows)) {
        return None;
    }
    let reweightings = steps.into_iter().map(|step| match step {
        Step::Penalties => Some(Reweighting::Penalties),
        Step::Temperature(t) => Some(Reweighting::Temperature(t)),
        Step::TopK(_) | Step::TopP(_) | Step::MinP(_) => None,
    });
    let head = Head { reweightings: reweightings.collect::<Option<_>>()?, narrowing };
    Some((Program { head, tail, selection }, penalties))
}

/// Parameters that switch a step off have it left to llama.cpp: whoever wants the speed leaves such a step out.
fn compile_step(step: &Theirs, penalties: &mut Option<Penalties>) -> CompiledStep {
    match *step {
        Theirs::Temperature { t: 1.0 } => CompiledStep::Nothing,
        Theirs::Temperature { t } => CompiledStep::Step(Step::Temperature(t)),
        Theirs::TopK { k: k @ 1.. } => CompiledStep::Step(Step::TopK(k.unsigned_abs() as usize)),
        Theirs::TopP { p, min_keep } if p < 1.0 => CompiledStep::Step(Step::TopP(TopP { p, min_keep })),
        Theirs::MinP { p, min_keep } if p > 0.0 => CompiledStep::Step(Step::MinP(MinP { p, min_keep })),
        Theirs::Penalties { last_n, repeat, frequency, presence } => {
            // Compilers may round `count · frequency + presence` once or twice.
            if penalties.is_some() || (frequency != 0.0 && presence != 0.0) {
                return CompiledStep::NotCovered;
            }
            *penalties = Penalties::new(last_n, repeat, frequency, presence);
            if penalties.is_none() { CompiledStep::Nothing } else { CompiledStep::Step(Step::Penalties) }
        }
        Theirs::Greedy => CompiledStep::Selection(Selection::Greedy),
        Theirs::Dist => CompiledStep::Selection(Selection::Dist),
        Theirs::TopK { .. }
        | Theirs::TopP { .. }
        | Theirs::MinP { .. }
        | Theirs::TemperatureExt { .. }
        | Theirs::Typical { .. }
        | Theirs::TopNSigma { .. }
        | Theirs::Xtc { .. }
        | Theirs::Dry { .. }
        | Theirs::LogitBias { .. }
        | Theirs::Grammar { .. }
        | Theirs::Infill
        | Theirs::Mirostat { .. }
        | Theirs::MirostatV2 { .. }
        | Theirs::AdaptiveP { .. } => CompiledStep::NotCovered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(steps: &[Theirs]) -> Option<Program> {
        compile(steps).map(|(program, _)| program)
    }

    const TOP_P: Theirs = Theirs::TopP { p: 0.9, min_keep: 1 };
    const PENALTIES: Theirs = Theirs::Penalties { last_n: 64, repeat: 1.1, frequency: 0.0, presence: 0.0 };

    #[test]
    fn no_more_of_the_nucleus_is_looked_for_than_top_k_keeps() {
        let program = compiled(&[TOP_P, Theirs::TopK { k: 40 }, Theirs::Greedy]).unwrap();
        let top_p = TopP { p: 0.9, min_keep: 1 };
        assert_eq!(program.head.narrowing, Narrowing::TopP { top_p, at_most: Some(40) });
        assert_eq!(program.tail, [Step::TopK(40)]);
    }

    #[test]
    fn steps_that_do_nothing_vanish() {
        let idle = [
            Theirs::Temperature { t: 1.0 },
            Theirs::Penalties { last_n: 64, repeat: 1.0, frequency: 0.0, presence: 0.0 },
        ];
        assert_eq!(compiled(&[&idle[..], &[Theirs::Dist]].concat()), compiled(&[Theirs::Dist]));
    }

    #[test]
    fn what_is_not_covered_is_left_alone() {
        let top_k = Theirs::TopK { k: 40 };
        let both = Theirs::Penalties { last_n: 64, repeat: 1.0, frequency: 0.1, presence: 0.1 };
        for steps in [
            &[TOP_P][..],
            &[Theirs::Greedy, TOP_P],
            &[Theirs::Greedy, Theirs::Dist],
            &[Theirs::Typical { p: 0.9, min_keep: 1 }, Theirs::Dist],
            &[Theirs::MirostatV2 { tau: 5.0, eta: 0.1 }],
            &[Theirs::TopK { k: 0 }, Theirs::Dist],
            &[Theirs::TopP { p: 1.0, min_keep: 1 }, Theirs::Dist],
            &[Theirs::MinP { p: 0.0, min_keep: 1 }, Theirs::Dist],
            &[PENALTIES, PENALTIES, Theirs::Dist],
            &[both, Theirs::Dist],
            &[TOP_P, PENALTIES, top_k.clone(), Theirs::Dist],
        ] {
            assert_eq!(compiled(steps), None, "{steps:?}");
        }
        assert!(compiled(&[PENALTIES, TOP_P, top_k, Theirs::Dist]).is_some());
    }
}
