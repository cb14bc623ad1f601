//! Has the rules for what makes a chain a sane one, and turns raw steps into [`Step`]s.

use std::ops::Range;

use super::spanned::Spanned;

use super::error::Problems;
use super::faults::{Fault, faults};
use super::model::check_path;
use super::raw_chain::{RawChain, RawGrammar, RawSlot, RawStep};
use super::surroundings::{Grammars, Unreadable};
use crate::domain::{Author, Chain, Fidelity, SaidValue, Slot, Step, StepKind, Temperature};

/// Checks a chain; None, with the reasons in `problems`, when it can't be used.
pub fn resolve_chain(raw: &RawChain, grammars: &Grammars, problems: &mut Problems) -> Option<Chain> {
    let id = raw.id.get_ref();
    let steps = raw.steps.get_ref();
    let resolved: Vec<Option<Step<Slot>>> = steps.iter().map(|step| resolve_step(step, grammars, problems)).collect();
    let resolved: Vec<_> = resolved.into_iter().collect::<Option<_>>()?;

    if let Some(at) = resolved.iter().position(|step| matches!(step, Step::Request(_))) {
        return of_server(raw, resolved, at, problems);
    }
    // Nothing can be sampled without one, however faithful the chain.
    let selection = resolved.iter().position(|step| step.kind() == StepKind::Selection);
    let Some(selection) = selection else {
        let help = "end it with \"dist\" (a draw), \"greedy\", or one of the mirostat or adaptive_p samplers";
        problems.add(raw.steps.span(), format!("chain {id} selects no token"), help);
        return None;
    };
    if !raw.faithful {
        let faithful = "or, to reproduce somebody's chain with its faults, add faithful = true";
        for step in &steps[selection + 1..] {
            problems.add(
                step.span(),
                format!("chain {id} goes on after it has selected a token"),
                format!("move this step before the selection, or remove it; {faithful}"),
            );
        }
        for (step, at) in resolved.iter().zip(steps) {
            for Fault { what, remedy } in faults(step) {
                problems.add(at.span(), format!("chain {id}: {what}"), format!("{remedy}; {faithful}"));
            }
        }
    }
    let fidelity = if raw.faithful { Fidelity::Faithful } else { Fidelity::Checked };
    Some(Chain { id: id.clone(), steps: resolved, fidelity, author: Author::Experiment })
}

/// A chain whose steps are the server's: what a request says of it, its step at `at`, is all that is stated.
fn of_server(raw: &RawChain, steps: Vec<Step<Slot>>, at: usize, problems: &mut Problems) -> Option<Chain> {
    let id = raw.id.get_ref();
    let span = || raw.steps.get_ref()[at].span();
    if steps.len() > 1 {
        let message = format!("chain {id} has a request beside other steps, which would be the server's");
        problems.add(span(), message, "let request be the only step, or write the whole chain without it");
        return None;
    }
    if steps.iter().any(Step::is_off) {
        let help =
            "name a parameter, such as { request = { repeat_penalty = 1.0 } }, or use chain = \"server-defaults\"";
        problems.add(span(), format!("chain {id} says nothing in its request"), help);
        return None;
    }
    // What a request says is sent as it is: a fault of it may be what is looked for.
    Some(Chain { id: id.clone(), steps, fidelity: Fidelity::Faithful, author: Author::Server })
}

/// The files that the steps of these chains name.
pub fn grammar_files(raw: &[RawChain]) -> impl Iterator<Item = &String> {
    let steps = raw.iter().flat_map(|chain| chain.steps.get_ref());
    steps.filter_map(|step| match step.get_ref() {
        RawStep::Grammar(grammar) => grammar.file.as_ref().map(Spanned::get_ref),
        _ => None,
    })
}

fn resolve_step(raw: &Spanned<RawStep>, grammars: &Grammars, problems: &mut Problems) -> Option<Step<Slot>> {
    if let Some(number) = numbers(raw.get_ref()).into_iter().find(|number| !number.is_finite()) {
        problems.add(raw.span(), format!("{number} is not a number to sample with"), "give a finite number");
        return None;
    }
    Some(match raw.get_ref() {
        RawStep::Temperature(t) => Step::Temperature { t: slot(t, raw.span(), problems)? },
        RawStep::TemperatureExt(range) => {
            let t = slot(&range.t, raw.span(), problems)?;
            Step::TemperatureExt { t, delta: range.delta, exponent: range.exponent }
        }
        RawStep::TopK(k) => Step::TopK { k: *k },
        RawStep::TopP(share) => Step::TopP { p: share.p, min_keep: share.min_keep },
        RawStep::MinP(share) => Step::MinP { p: share.p, min_keep: share.min_keep },
        RawStep::Typical(share) => Step::Typical { p: share.p, min_keep: share.min_keep },
        RawStep::TopNSigma(n) => Step::TopNSigma { n: *n },
        RawStep::Xtc(raw) => Step::Xtc { p: raw.p, threshold: raw.threshold, min_keep: raw.min_keep },
        RawStep::Penalties(raw) => {
            Step::Penalties { last_n: raw.last_n, repeat: raw.repeat, frequency: raw.frequency, presence: raw.presence }
        }
        RawStep::Dry(raw) => Step::Dry {
            multiplier: raw.multiplier,
            base: raw.base,
            allowed_length: raw.allowed_length,
            last_n: raw.last_n,
            sequence_breakers: raw.sequence_breakers.clone(),
        },
        RawStep::LogitBias(biases) => Step::LogitBias { biases: biases.clone() },
        RawStep::Grammar(grammar) => {
            Step::Grammar { grammar: text_of(grammar, raw.span(), grammars, problems)?, root: grammar.root.clone() }
        }
        RawStep::Json => Step::Json,
        RawStep::Infill => Step::Infill,
        RawStep::Greedy => Step::Greedy,
        RawStep::Dist => Step::Dist,
        RawStep::Mirostat(raw) => Step::Mirostat { tau: raw.tau, eta: raw.eta, m: raw.m },
        RawStep::MirostatV2(raw) => Step::MirostatV2 { tau: raw.tau, eta: raw.eta },
        RawStep::AdaptiveP(raw) => Step::AdaptiveP { target: raw.target, decay: raw.decay },
        RawStep::Request(said) => Step::Request(*said),
    })
}

/// None, with the reason in `problems`, where it is no temperature.
fn slot(raw: &RawSlot, span: Range<usize>, problems: &mut Problems) -> Option<Slot> {
    let RawSlot::Fixed(t) = *raw else { return Some(Slot::Trial) };
    let temperature = Temperature::new(t);
    if temperature.is_none() {
        problems.add(span, format!("a temperature can't be {t}"), "give a number from 0 up, or \"T\"");
    }
    temperature.map(Slot::Fixed)
}

/// A grammar's text; None, with the reason in `problems`, where there is none.
fn text_of(raw: &RawGrammar, span: Range<usize>, grammars: &Grammars, problems: &mut Problems) -> Option<String> {
    let file = match (&raw.grammar, &raw.file) {
        (Some(text), None) => return Some(text.clone()),
        (None, Some(file)) => file,
        (None, None) | (Some(_), Some(_)) => {
            problems.add(span, "a grammar needs either grammar or file", "give one of them, and only one");
            return None;
        }
    };
    check_path(file, problems);
    match grammars.get(file.get_ref()) {
        Some(Ok(text)) => Some(text.clone()),
        Some(Err(Unreadable { why, remedy })) => {
            problems.add(file.span(), format!("cannot read {}: {why}", file.get_ref()), remedy);
            None
        }
        None => {
            let message = format!("cannot read {}: it was not read", file.get_ref());
            problems.add(file.span(), message, "this is a fault of moe-sweep: report it");
            None
        }
    }
}

/// Every parameter of a step that TOML could write as `nan` or `inf`,
/// temperatures aside.
fn numbers(step: &RawStep) -> Vec<f32> {
    match step {
        RawStep::TopP(share) | RawStep::MinP(share) | RawStep::Typical(share) => vec![share.p],
        RawStep::TopNSigma(n) => vec![*n],
        RawStep::TemperatureExt(raw) => vec![raw.delta, raw.exponent],
        RawStep::Xtc(raw) => vec![raw.p, raw.threshold],
        RawStep::Penalties(raw) => vec![raw.repeat, raw.frequency, raw.presence],
        RawStep::Dry(raw) => vec![raw.multiplier, raw.base],
        RawStep::LogitBias(biases) => biases.iter().map(|bias| bias.bias).collect(),
        RawStep::Mirostat(raw) => vec![raw.tau, raw.eta],
        RawStep::MirostatV2(raw) => vec![raw.tau, raw.eta],
        RawStep::AdaptiveP(raw) => vec![raw.target, raw.decay],
        RawStep::Request(said) => said
            .parameters()
            .filter_map(|(_, value)| match value {
                SaidValue::Number(x) => Some(x),
                SaidValue::Integer(_) => None,
            })
            .collect(),
        RawStep::Temperature(_)
        | RawStep::TopK(_)
        | RawStep::Grammar(_)
        | RawStep::Json
        | RawStep::Infill
        | RawStep::Greedy
        | RawStep::Dist => vec![],
    }
}
