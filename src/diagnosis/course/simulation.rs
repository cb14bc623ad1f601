//! Simulates courses over invented models, as docs/diagnose.md has it: how often a cause is named where nothing that
//! is switched matters, and how often the right one where something does.

use itertools::Itertools as _;

use super::tests::{World, case, causes, course, repeat};
use super::*;
use crate::causes::Cause;
use crate::diagnosis::{Like, Overrides};
use crate::domain::Temperature;

/// What it is called, how the model is run, how often it loops, and what that is the cause of.
type Simulated = (&'static str, (Like, Overrides), World, Option<Cause>);

/// Whether tokens are drawn.
fn warmer(setup: &Setup) -> bool {
    setup.cell.temperature() > Temperature::new(0.0).expect("it is one")
}

#[test]
#[ignore = "a simulation of many minutes, for its table"]
fn how_courses_end() {
    let n = 100;
    let zero = Overrides { temperature: Some(0.0), ..Overrides::default() };
    let (shimmy, greedy) = ((Like::Shimmy, Overrides::default()), (Like::LlamaServer, zero));
    let worlds: [Simulated; 9] = [
        ("0.15 whatever is switched", shimmy, |_| 0.15, None),
        ("0.3 whatever is switched", shimmy, |_| 0.3, None),
        ("0.5 whatever is switched", shimmy, |_| 0.5, None),
        ("0.8 whatever is switched", shimmy, |_| 0.8, None),
        ("0.5 whatever is switched, greedy", greedy, |_| 0.5, None),
        ("0.9, 0.05 without the zero", shimmy, |s| if repeat(s) == 0.0 { 0.9 } else { 0.05 }, Some(Cause::PenaltyZero)),
        ("0.6, 0.1 without the zero", shimmy, |s| if repeat(s) == 0.0 { 0.6 } else { 0.1 }, Some(Cause::PenaltyZero)),
        ("0.4, 0.1 without the zero", shimmy, |s| if repeat(s) == 0.0 { 0.4 } else { 0.1 }, Some(Cause::PenaltyZero)),
        ("0.17, 0.02 at T 0.8, greedy", greedy, |s| if warmer(s) { 0.02 } else { 0.17 }, Some(Cause::Greedy)),
    ];
    println!("| loops | right cause | another cause | other endings | texts |");
    for (place, (name, (like, overrides), world, cause)) in worlds.into_iter().enumerate() {
        let case = case(like, overrides);
        let all: Vec<Diagnosis> = (0..n).map(|salt| course(&case, world, &format!("{place} {salt}"))).collect();
        let is_confirmed = |found: &Diagnosis| {
            use Ending::{Cause, NeedsBoth, NoRemedyHere, TwoCauses};
            matches!(found.ending, Cause | NoRemedyHere | TwoCauses | NeedsBoth)
        };
        let right = |found: &Diagnosis| causes(found).first().is_some_and(|named| named.as_slice() == cause.as_slice());
        let (confirmed, rest): (Vec<_>, Vec<_>) = all.iter().partition(|found| is_confirmed(found));
        let n_right = confirmed.iter().filter(|found| right(found)).count();
        let endings = rest.iter().map(|found| found.ending.to_string()).sorted().dedup_with_count();
        let endings: Vec<_> = endings.map(|(n, ending)| format!("{ending} {n}")).collect();
        let texts: usize = all.iter().flat_map(|found| &found.stages).map(|stage| stage.texts).sum();
        let wrong = confirmed.len() - n_right;
        println!("| {name} | {n_right} | {wrong} | {} | {} |", endings.join(", "), texts / n as usize);
    }
}
