//! An answer of every kind, each from texts.

use std::collections::HashMap;

use super::*;
use crate::analysis::analyse;
use crate::analysis::tests::{generated, trial};
use crate::domain::{Generation, Level, Selection, Stop, Temperature, Trial, TrialId};
use crate::experiment::{Direction, Test};
use crate::journal::record::{Failure, Outcome};

/// Words that never repeat, or the same eight over and over; of the prompt's own.
fn words(prompt: usize, is_loop: bool) -> String {
    // Without digits, which count as one character where a loop counts up.
    let letters = |number: usize| number.to_string().bytes().map(|digit| char::from(digit + 49)).collect::<String>();
    let word = |place: usize| letters((prompt * 1000 + place) * 7919 % 99_991);
    (0..80).map(|place| word(if is_loop { place % 8 } else { place })).collect::<Vec<_>>().join(" ")
}

fn text(prompt: usize, is_loop: bool) -> Outcome {
    let tokens: Vec<i32> = (0..80).map(|place| if is_loop { place % 8 } else { place }).collect();
    generated(&words(prompt, is_loop), &tokens)
}

/// Trials of `n` prompts at two temperatures; `loops` says which of the prompts loop at each.
fn texts(n: usize, loops: impl Fn(usize, usize) -> bool) -> Vec<(Trial, Option<Outcome>)> {
    let at = |prompt: usize, (place, t): (usize, f32)| {
        let name = format!("{prompt} {t}");
        (trial(&name, t, &format!("prompt {prompt}"), 0), Some(text(prompt, loops(prompt, place))))
    };
    (0..n)
        .flat_map(|prompt| [0.1, 0.9].into_iter().enumerate().map(move |t| at(prompt, t)).collect::<Vec<_>>())
        .collect()
}

fn answer_to(texts: &[(Trial, Option<Outcome>)], hypotheses: &[Hypothesis]) -> RunAnswer {
    let outcomes: HashMap<&TrialId, &Outcome> =
        texts.iter().filter_map(|(trial, outcome)| Some((&trial.id, outcome.as_ref()?))).collect();
    let trials: Vec<Trial> = texts.iter().map(|(trial, _)| trial.clone()).collect();
    let questions = Questions { hypotheses, ..Questions::default() };
    RunAnswer::of(&analyse(&trials, questions, |id| outcomes.get(id).copied()), questions)
}

fn at(t: f32) -> Level {
    Temperature::new(t).unwrap().into()
}

#[test]
fn where_no_hypothesis_is_stated_the_designs_own_are_asked() {
    let answer = answer_to(&texts(24, |prompt, hot| hot == 1 && prompt < 18), &[]);
    let Says::Changes(changes) = &answer.says else { panic!("{answer:?}") };
    assert_eq!((answer.asked_by, answer.n_questions, changes.len()), (AskedBy::Design, 1, 1));
    let Change { course, from, to, difference, interval, p, within, .. } = &changes[0];
    assert_eq!((*course, &from.levels[..], &to.levels[..]), (Course::Along, &[at(0.1)][..], &[at(0.9)][..]));
    assert_eq!(within, &[]);
    assert!(to.mean.unwrap() - from.mean.unwrap() > 0.6 && (difference - 0.67).abs() < 0.1, "{answer:?}");
    assert!(interval.unwrap().low > 0.4 && p.unwrap() < 0.01, "{answer:?}");
    assert!(!changes[0].lessens());
}

#[test]
fn a_hypothesis_that_is_stated_is_answered_from_what_repeats_more_to_what_repeats_less() {
    let (base, other) = (Selection::of([at(0.1)]), Selection::of([at(0.9)]));
    let contrast = Hypothesis::plain("hot", Test::Contrast { base, other, expect: Direction::Different });
    let answer = answer_to(&texts(24, |prompt, hot| hot == 1 && prompt < 18), &[contrast]);
    let Says::Changes(changes) = &answer.says else { panic!("{answer:?}") };
    let Change { course, from, to, difference, interval, .. } = &changes[0];
    assert_eq!((answer.asked_by, *course), (AskedBy::Experiment, Course::Between));
    assert_eq!((&from.levels[..], &to.levels[..]), (&[at(0.9)][..], &[at(0.1)][..]));
    assert!(*difference < -0.5 && interval.unwrap().high < -0.4 && changes[0].lessens());
}

#[test]
fn of_a_claim_about_first_words_the_sides_are_those_words() {
    // All texts loop at last, and half of them from the beginning.
    let late = |prompt: usize| format!("{} {}", words(prompt, false), words(prompt, true));
    let mut texts = texts(24, |_, hot| hot == 1);
    for (place, (_, outcome)) in texts.iter_mut().enumerate().filter(|(place, _)| place % 2 == 0) {
        *outcome = Some(generated(&late(place / 2), &[]));
    }
    let (base, other) = (Selection::of([at(0.1)]), Selection::of([at(0.9)]));
    let contrast = Hypothesis::plain("hot", Test::Contrast { base, other, expect: Direction::Different });
    let answer = answer_to(&texts, &[Hypothesis { first: Some(40), ..contrast }]);
    let Says::Changes(changes) = &answer.says else { panic!("{answer:?}") };
    let Change { from, to, difference, .. } = &changes[0];
    assert_eq!(to.mean, Some(0.0), "{answer:?}");
    assert!((from.mean.unwrap() + difference).abs() < 1e-9 && *difference < -0.5, "{answer:?}");
}

#[test]
fn one_level_of_several_may_be_shown_where_a_claim_about_all_is_open() {
    let mut texts = texts(24, |prompt, hot| hot == 1 && prompt < 18);
    // Another chain, under which nothing loops.
    let more: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(place, (trial, _))| {
            let cell = trial.cell.clone().with(crate::domain::ChainId::from("greedy"));
            let trial = Trial { id: TrialId::known(format!("other {place}")), cell, ..trial.clone() };
            (trial, Some(text(place / 2, false)))
        })
        .collect();
    texts.extend(more);
    let answer = answer_to(&texts, &[]);
    let Says::Changes(changes) = &answer.says else { panic!("{answer:?}") };
    assert_eq!((answer.n_questions, changes[0].course), (2, Course::Along), "{answer:?}");
    assert_eq!(changes[0].within.iter().map(ToString::to_string).collect::<Vec<_>>(), ["pure"]);
    // It is one of two questions.
    assert!(changes[0].p.unwrap() <= 0.05);
}

#[test]
fn nothing_is_shown_by_chance_alone() {
    let answer = answer_to(&texts(24, |prompt, hot| (prompt + hot) % 3 == 0), &[]);
    assert_eq!(answer.says, Says::Undecided, "{answer:?}");
}

#[test]
fn texts_without_a_loop_are_clean_up_to_a_bound() {
    let answer = answer_to(&texts(24, |_, _| false), &[]);
    let Says::Clean { bound } = answer.says else { panic!("{answer:?}") };
    assert!((bound - 0.117).abs() < 1e-3, "{bound}");
}

#[test]
fn texts_too_short_for_a_loop_are_not_called_clean() {
    let short: Vec<_> = (0..24)
        .map(|place| {
            (
                trial(&place.to_string(), 0.9, &format!("prompt {place}"), 0),
                Some(generated("one two three", &[1, 2, 3])),
            )
        })
        .collect();
    assert_eq!(answer_to(&short, &[]).says, Says::Measured);
}

#[test]
fn runs_that_are_too_short_for_a_loop_are_not_called_clean() {
    // In one text of four, which has no word that the finding's score could see.
    let mut texts = texts(24, |_, _| false);
    for (place, (_, outcome)) in texts.iter_mut().enumerate() {
        if place % 4 == 0 {
            *outcome = Some(generated(&".".repeat(45), &[7; 45]));
        }
    }
    let answer = answer_to(&texts, &[]);
    assert!(!matches!(answer.says, Says::Clean { .. }), "{answer:?}");
}

#[test]
fn texts_that_repeat_themselves_without_a_loop_at_the_end_are_not_called_clean() {
    let tokens: Vec<i32> = (0..90).collect();
    let text = |place: usize| format!("{0} {0} {0} {1}", words(place, false), words(100 + place, false));
    let repeated: Vec<_> = (0..24)
        .map(|place| {
            let trial = trial(&place.to_string(), 0.9, &format!("prompt {place}"), 0);
            (trial, Some(generated(&text(place), &tokens)))
        })
        .collect();
    let answer = answer_to(&repeated, &[]);
    assert_eq!((&answer.says, answer.texts.loops), (&Says::Measured, 0));
}

#[test]
fn where_nothing_varies_there_is_only_how_much() {
    let mut texts = texts(24, |prompt, _| prompt < 12);
    texts.retain(|(trial, _)| trial.cell.temperature().get() > 0.5);
    let answer = answer_to(&texts, &[]);
    assert_eq!((&answer.says, answer.n_questions), (&Says::Measured, 0));
    assert!(answer.overall.interval.is_some_and(|interval| interval.low > 0.2));
}

#[test]
fn too_few_prompts_are_no_test() {
    let answer = answer_to(&texts(1, |_, hot| hot == 1), &[]);
    assert!(matches!(&answer.says, Says::NotTested { why } if !why.is_empty()), "{answer:?}");
}

#[test]
fn what_a_server_cut_is_not_known() {
    let mut texts = texts(24, |prompt, hot| hot == 1 && prompt < 18);
    for (_, outcome) in texts.iter_mut().take(30) {
        let Some(Outcome::Generated(Generation { stop, .. })) = outcome else { panic!() };
        *stop = Stop::Cut;
    }
    let answer = answer_to(&texts, &[]);
    assert_eq!((&answer.says, answer.texts.censored), (&Says::Cut, 30));
}

#[test]
fn what_is_missing_or_failed_is_counted() {
    let mut texts = texts(24, |prompt, hot| hot == 1 && prompt < 18);
    texts[0].1 = None;
    texts[3].1 = Some(Outcome::Failed(Failure { reason: "the worker died".to_owned(), attempts: 2 }));
    let Texts { planned, scored, failed, missing, .. } = answer_to(&texts, &[]).texts;
    assert_eq!((planned, scored, failed, missing), (48, 46, 1, 1));
    for (_, outcome) in &mut texts {
        *outcome = None;
    }
    assert_eq!(answer_to(&texts, &[]).says, Says::NoTexts);
}
