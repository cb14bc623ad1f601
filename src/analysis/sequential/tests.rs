//! Looks at invented scores whose truth is known.

use super::*;
use crate::analysis::{Conclusion, Verdict};
use crate::domain::{Cell, Factor, Generation, Level, ModelId, Offload, Seed, Selection, Stop, Temperature, TrialId};
use crate::experiment::{Direction, Hypothesis, LookAfter, Sides, StopAt, Test};
use crate::journal::record::Failure;
use crate::metrics::{Metric, Scores};
use crate::plan::Sequence;

const MODELS: [&str; 2] = ["a", "b"];
const TEMPERATURES: [f32; 2] = [0.1, 0.9];

fn at(temperature: f32) -> Selection {
    Selection::of([Temperature::new(temperature).unwrap()])
}

fn rises(expect: Direction) -> Hypothesis {
    Hypothesis::plain("contrast", Test::Contrast { base: at(0.1), other: at(0.9), expect })
}

fn trend(expect: Direction) -> Hypothesis {
    Hypothesis::plain("trend", Test::Trend { factor: Factor::Temperature, expect })
}

fn same(margin: f64) -> Hypothesis {
    Hypothesis::plain("same", Test::Equivalence { base: at(0.1), other: at(0.9), margin })
}

/// A number from 0 to 1 that looks random.
fn chance(key: &str) -> f64 {
    let hash = blake3::hash(key.as_bytes());
    f64::from(u32::from_le_bytes(hash.as_bytes()[..4].try_into().unwrap())) / f64::from(u32::MAX)
}

/// What becomes of a text.
enum Made {
    Score(f64),
    Failed,
    Missing,
}

/// `n` prompts x two models x two temperatures x two seeds.
fn sweep(n: usize, made: impl Fn(usize, &str, f32, f64) -> Made) -> Vec<ScoredTrial> {
    let mut trials = Vec::new();
    for (model, prompt, temperature, seed) in itertools::iproduct!(MODELS, 0..n, TEMPERATURES, 0..2) {
        let cell = Cell::usual(model, "pure", Temperature::new(temperature).unwrap());
        let key = format!("{prompt} {model} {temperature} {seed}");
        let id = TrialId::known(key.clone());
        let trial = Trial { id, cell, prompt: format!("p{prompt:02}"), seed: Seed::new(seed) };
        let result = match made(prompt, model, temperature, chance(&key)) {
            Made::Score(score) => TrialResult::Scored {
                generation: Generation::of_tokens(1, vec![], String::new(), Stop::Eos),
                scores: Scores::from_fn(|metric| (metric == Metric::RepetitionScore).then_some(score)),
            },
            Made::Failed => TrialResult::Failed(Failure { reason: "died".to_owned(), attempts: 2 }),
            Made::Missing => TrialResult::Missing,
        };
        trials.push(ScoredTrial::new(trial, result));
    }
    trials
}

/// A clear effect of 0.5 on average.
fn effect(n: usize) -> Vec<ScoredTrial> {
    sweep(n, |_, _, t, chance| Made::Score(if t > 0.5 { 0.3 + 0.6 * chance } else { 0.2 * chance }))
}

fn sequence(n: usize) -> Sequence {
    // The last prompt first.
    let order = (0..n).rev().map(|prompt| format!("p{prompt:02}")).collect();
    Sequence { alpha: 0.05, look: LookAfter::Prompt, order_seed: 0, order, stop: StopAt::All }
}

fn judge(scored: &[ScoredTrial], n: usize, hypotheses: &[Hypothesis]) -> (Sequential, Vec<Verdict>) {
    judge_in(sequence(n), scored, hypotheses)
}

fn judge_in(sequence: Sequence, scored: &[ScoredTrial], hypotheses: &[Hypothesis]) -> (Sequential, Vec<Verdict>) {
    let planned: Vec<Trial> = scored.iter().map(|scored| scored.trial.clone()).collect();
    let questions = Questions { hypotheses, sequential: Some(&sequence), ..Questions::default() };
    let sequential = decide(&planned, questions, scored).unwrap();
    let verdicts = verdicts(scored, questions, &sequential);
    (sequential, verdicts)
}

/// As `analyse` has them: of the prompts that were looked at.
fn verdicts(scored: &[ScoredTrial], questions: Questions<'_>, sequential: &Sequential) -> Vec<Verdict> {
    let looked: Vec<ScoredTrial> = scored.iter().filter(|scored| sequential.used(&scored.trial)).cloned().collect();
    crate::analysis::decided(&looked, questions, Some(sequential))
}

/// Model a is cured by a high temperature, b is left as it is.
fn suspects() -> [Hypothesis; 2] {
    MODELS.map(|model| Hypothesis {
        id: model.to_owned(),
        within: Selection::of([ModelId::from(model)]),
        ..rises(Direction::Decreasing)
    })
}

#[test]
fn the_first_suspect_that_is_supported_ends_a_search() {
    let scored = sweep(24, |_, model, t, _| Made::Score(if model == "a" && t < 0.5 { 0.9 } else { 0.1 }));
    let search = Sequence { stop: StopAt::First { negligible: 0.2 }, ..sequence(24) };
    let (sequential, verdicts) = judge_in(search, &scored, &suspects());
    assert_eq!(sequential.ending, Ending::Decided);
    let t = sequential.prompts.len();
    assert!(t < 12, "{t}");
    assert_eq!(
        verdicts.iter().map(|v| v.outcome).collect::<Vec<_>>(),
        [Conclusion::Supported, Conclusion::Inconclusive]
    );
    let said = sequential.sentence();
    assert!(said.starts_with(&format!("the first hypothesis was supported after {t} of 24 prompts")), "{said}");
    // Where all are to be decided, it goes on.
    assert_eq!(judge(&scored, 24, &suspects()).0.ending, Ending::Spent);
}

#[test]
fn a_suspect_that_changes_next_to_nothing_is_let_go_of() {
    let scored = |beyond: fn() -> Made| {
        move |prompt: usize, model: &str, t: f32, chance: f64| match (model, t > 0.5) {
            // From the 16th prompt on.
            ("b", _) if prompt < 24 - 15 => beyond(),
            ("a", high) => Made::Score(if chance < if high { 0.45 } else { 0.55 } { 1.0 } else { 0.0 }),
            _ => Made::Score(0.1),
        }
    };
    let search = || Sequence { stop: StopAt::First { negligible: 0.2 }, ..sequence(24) };
    // A margin of 0.2 takes 15 prompts at least.
    let (sequential, verdicts) = judge_in(search(), &sweep(24, scored(|| Made::Missing)), &suspects());
    let states: Vec<_> = sequential.paths.iter().map(|path| (path.state(), path.looks.len())).collect();
    assert_eq!(states, [(State::Open, 24), (State::Negligible, 15)]);
    assert_eq!(verdicts[1].outcome, Conclusion::Inconclusive);
    assert!(verdicts[1].sentence.contains("dropped after 15 of 24 prompts"), "{}", verdicts[1].sentence);
    // Its texts of the other nine prompts are not missed.
    assert_eq!((sequential.ending, sequential.n_texts), (Ending::Spent, 24 * 4 + 15 * 4));
    assert_eq!((sequential.let_go.len(), sequential.n_texts_beyond), (9 * 4, 0));
    // Where they are there, they are not used.
    let (with, verdicts_with) = judge_in(search(), &sweep(24, scored(|| Made::Score(0.9))), &suspects());
    assert_eq!((with.n_texts_beyond, verdicts_with), (9 * 4, verdicts));
}

fn alone(scored: &[ScoredTrial], n: usize, hypothesis: Hypothesis) -> (Sequential, Verdict) {
    let (sequential, mut verdicts) = judge(scored, n, &[hypothesis]);
    (sequential, verdicts.remove(0))
}

#[test]
fn a_clear_effect_is_decided_early_and_by_the_first_prompts_only() {
    let scored = effect(24);
    let (sequential, verdict) = alone(&scored, 24, rises(Direction::Increasing));
    assert_eq!((sequential.ending, verdict.outcome), (Ending::Decided, Conclusion::Supported));
    let t = sequential.prompts.len();
    assert!((6..=12).contains(&t), "{t}");
    assert_eq!(sequential.prompts[0], "p23");
    assert_eq!((verdict.n_prompts, verdict.n_texts), (t, 8 * t));
    assert_eq!((sequential.n_texts, sequential.n_texts_planned, sequential.n_texts_beyond), (8 * t, 192, 192 - 8 * t));
    let decision = verdict.sequential.as_ref().unwrap();
    assert_eq!((decision.decided_after, decision.instrument), (Some(t), Instrument::SignFlip));
    assert_eq!(verdict.p, Some(sequential.paths[0].looks[t - 1].p));
    assert!(verdict.p.is_some_and(|p| p <= 0.05 && (p - 10_f64.powf(-decision.log10_e)).abs() < 1e-12));
    assert!(verdict.sentence.contains(&format!("decided after {t} of 24 prompts")), "{}", verdict.sentence);
    let said = sequential.sentence();
    assert!(said.contains(&format!("a fixed design would have generated the other {}", 192 - 8 * t)), "{said}");
    assert!(said.contains("are not used"), "{said}");

    // What lies beyond moves nothing.
    let other = sweep(24, |prompt, _, t, chance| {
        let used = prompt >= 24 - sequential.prompts.len();
        Made::Score(if used && t > 0.5 { 0.3 + 0.6 * chance } else { 0.2 * chance })
    });
    assert_eq!(judge(&other, 24, &[rises(Direction::Increasing)]).1, [verdict]);
}

#[test]
fn the_opposite_is_refuted_and_one_side_leaves_it_open() {
    let scored = effect(24);
    let (sequential, verdict) = alone(&scored, 24, rises(Direction::Decreasing));
    assert_eq!((sequential.ending, verdict.outcome), (Ending::Decided, Conclusion::Refuted));
    assert!(verdict.sentence.contains("for the opposite"), "{}", verdict.sentence);
    let one = Hypothesis { sides: Sides::One, ..rises(Direction::Decreasing) };
    let (sequential, verdict) = alone(&scored, 24, one);
    assert_eq!((sequential.ending, verdict.outcome, verdict.p), (Ending::Spent, Conclusion::Inconclusive, Some(1.0)));
    // One side is decided no later than two.
    let looks = |sides| alone(&scored, 24, Hypothesis { sides, ..rises(Direction::Increasing) }).0.prompts.len();
    assert!(looks(Sides::One) <= looks(Sides::Two));
}

#[test]
fn trends_and_interactions_are_decided_on_the_way() {
    let (sequential, verdict) = alone(&effect(24), 24, trend(Direction::Increasing));
    assert_eq!((sequential.ending, verdict.outcome), (Ending::Decided, Conclusion::Supported));
    let crossed = || Hypothesis::plain("crossed", Test::Interaction { factors: [Factor::Model, Factor::Temperature] });
    let only_a = sweep(24, |_, model, t, chance| Made::Score(if model == "a" && t > 0.5 { 0.9 } else { 0.1 * chance }));
    let (sequential, verdict) = alone(&only_a, 24, crossed());
    assert_eq!((sequential.ending, verdict.outcome), (Ending::Decided, Conclusion::Supported));
    assert_eq!(alone(&effect(24), 24, crossed()).1.outcome, Conclusion::Inconclusive);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "analyses hundreds of runs: for optimised builds")]
fn chance_alone_goes_to_the_end_and_is_inconclusive() {
    let (mut alarms, n) = (0, 60);
    for salt in 0..n {
        let scored = sweep(24, |prompt, model, t, _| Made::Score(chance(&format!("{salt} {prompt} {model} {t}"))));
        let (sequential, verdict) = alone(&scored, 24, rises(Direction::Different));
        alarms += i32::from(verdict.outcome != Conclusion::Inconclusive);
        assert_eq!(verdict.outcome == Conclusion::Inconclusive, sequential.ending == Ending::Spent);
    }
    // Of 60 at 5 %, 9 or fewer but once in two hundred times.
    assert!(alarms <= 9, "{alarms} of {n}");
}

#[test]
fn nothing_is_shown_by_texts_that_never_differ() {
    let (sequential, verdict) = alone(&sweep(24, |_, _, _, _| Made::Score(0.0)), 24, rises(Direction::Increasing));
    assert_eq!((sequential.ending, verdict.outcome, verdict.p), (Ending::Spent, Conclusion::Inconclusive, Some(1.0)));
}

#[test]
fn an_equivalence_takes_the_prompts_that_its_margin_asks_for() {
    let clean = |n| sweep(n, |_, _, _, _| Made::Score(0.0));
    let (sequential, verdict) = alone(&clean(24), 24, same(0.2));
    assert_eq!((sequential.ending, verdict.outcome), (Ending::Decided, Conclusion::Supported));
    assert!((15..=16).contains(&sequential.prompts.len()), "{}", sequential.sentence());
    // 62 at least: it is not waited for, and nothing else is there to wait for.
    let (sequential, verdict) = alone(&clean(24), 24, same(0.05));
    assert_eq!((sequential.ending, verdict.outcome), (Ending::Spent, Conclusion::Inconclusive));
    assert!(sequential.notes[0].contains("needs at least 62"), "{:?}", sequential.notes);
    // What differs by more is refuted long before that, and beside another the other is waited for.
    let (sequential, verdicts) = judge(&effect(24), 24, &[same(0.05), rises(Direction::Increasing)]);
    let outcomes: Vec<_> = verdicts.iter().map(|verdict| verdict.outcome).collect();
    assert_eq!(outcomes[1], Conclusion::Supported);
    assert_ne!(outcomes[0], Conclusion::Supported);
    assert_eq!(sequential.ending, Ending::Decided);
    let wide = effect(24);
    assert_eq!(alone(&wide, 24, same(0.2)).1.outcome, Conclusion::Refuted);
}

#[test]
fn bets_are_on_shares_only() {
    let tokens = Hypothesis { metric: Metric::TailOnset, ..same(0.2) };
    let (sequential, verdict) = alone(&effect(8), 8, tokens);
    assert_eq!((sequential.ending, sequential.paths.len()), (Ending::Spent, 0));
    assert_eq!(verdict.outcome, Conclusion::Inconclusive);
    assert!(sequential.notes[0].contains("is not bounded by 0 and 1"), "{:?}", sequential.notes);
}

#[test]
fn a_claim_of_each_level_waits_for_the_weakest() {
    let only_a = sweep(24, |_, model, t, chance| {
        Made::Score(if t > 0.5 && model == "a" { 0.3 + 0.6 * chance } else { 0.2 * chance })
    });
    let each = || Hypothesis { each: Some(Factor::Model), ..rises(Direction::Increasing) };
    let (sequential, verdict) = alone(&only_a, 24, each());
    assert_eq!((sequential.ending, verdict.outcome), (Ending::Spent, Conclusion::Inconclusive));
    let levels: Vec<_> = verdict.levels.iter().map(|of_level| (&*of_level.level, of_level.outcome)).collect();
    assert_eq!(levels, [("a", Conclusion::Supported), ("b", Conclusion::Inconclusive)]);
    assert!(verdict.sentence.contains("weakest for b"), "{}", verdict.sentence);
    let (sequential, verdict) = alone(&effect(24), 24, each());
    assert_eq!((sequential.ending, verdict.outcome), (Ending::Decided, Conclusion::Supported));
    let opposed = sweep(24, |_, model, t, chance| {
        Made::Score(if (t > 0.5) == (model == "a") { 0.3 + 0.6 * chance } else { 0.2 * chance })
    });
    assert_eq!(alone(&opposed, 24, each()).1.outcome, Conclusion::Refuted);
}

#[test]
fn several_hypotheses_take_more_evidence() {
    let scored = effect(24);
    let one = judge(&scored, 24, &[rises(Direction::Increasing)]).0.prompts.len();
    let many: Vec<_> =
        (0..20).map(|place| Hypothesis { id: format!("h{place}"), ..rises(Direction::Increasing) }).collect();
    let all = judge(&scored, 24, &many).0.prompts.len();
    assert!(all > one, "{all} and {one}");
}

#[test]
fn texts_without_a_score_count_against_the_claim() {
    // Failures of cold texts may hide loops: they weigh against "rises", and those of hot ones as well.
    let decided_after = |failed: &dyn Fn(usize, f32) -> bool| {
        let scored = sweep(24, |prompt, _, t, chance| match (failed(prompt, t), t > 0.5) {
            (true, _) => Made::Failed,
            (false, true) => Made::Score(0.3 + 0.6 * chance),
            (false, false) => Made::Score(0.2 * chance),
        });
        let (sequential, verdict) = alone(&scored, 24, rises(Direction::Increasing));
        (sequential.ending == Ending::Decided).then_some((sequential.prompts.len(), verdict))
    };
    let clean = decided_after(&|_, _| false).unwrap().0;
    let (few, verdict) = decided_after(&|prompt, t| prompt == 22 && t < 0.5).unwrap();
    assert!(few > clean, "{few} and {clean}");
    assert!(verdict.sentence.contains("4 texts without a score"), "{}", verdict.sentence);
    assert!(decided_after(&|_, t| t < 0.5).is_none());
    // Half of the prompts have nothing left to differ in, whichever texts failed.
    let hot = decided_after(&|prompt, t| prompt % 2 == 0 && t > 0.5);
    assert!(hot.is_none_or(|(n, _)| n > clean));
}

#[test]
fn evidence_that_the_mean_has_left_decides_nothing() {
    // The last prompt is looked at first. Model a rises in six prompts, which is enough for one hypothesis and not
    // for the first of two; then it falls by more. Model b rises when that is over.
    let difference = |prompt: usize, model: &str| match (23 - prompt, model) {
        (0..6, "a") => 0.5,
        (6..10, "a") => -0.9,
        (12.., "b") => 0.9,
        _ => 0.0,
    };
    let scored = sweep(24, |prompt, model, t, _| {
        let d: f64 = difference(prompt, model);
        Made::Score(if (t > 0.5) == (d > 0.0) { d.abs() } else { 0.0 })
    });
    let of = |model: &str| Hypothesis {
        id: model.to_owned(),
        within: Selection::of([Level::Model(model.into())]),
        ..rises(Direction::Increasing)
    };
    let (sequential, verdicts) = judge(&scored, 24, &[of("a"), of("b")]);
    assert_eq!(verdicts[1].outcome, Conclusion::Supported);
    // After Holm its evidence would be enough by then.
    assert!(verdicts[0].p_holm.is_some_and(|p| p <= 0.05), "{:?}", verdicts[0]);
    assert_eq!((verdicts[0].outcome, sequential.ending), (Conclusion::Inconclusive, Ending::Spent));
    assert!(verdicts[0].sentence.contains("the mean no longer agrees"), "{}", verdicts[0].sentence);
}

#[test]
fn a_prompt_that_lacks_a_text_is_not_looked_at() {
    let scored = sweep(24, |prompt, _, t, chance| match (prompt, t > 0.5) {
        (20, true) => Made::Missing,
        (_, true) => Made::Score(0.3 + 0.6 * chance),
        (_, false) => Made::Score(0.2 * chance),
    });
    let (sequential, verdict) = alone(&scored, 24, rises(Direction::Increasing));
    assert_eq!((sequential.ending, sequential.prompts.len()), (Ending::Open, 3));
    assert_eq!((verdict.outcome, verdict.n_prompts), (Conclusion::Inconclusive, 3));
}

#[test]
fn what_cannot_be_decided_on_the_way_is_tested_at_the_end() {
    let wide = Hypothesis::plain("wide", Test::Interaction { factors: [Factor::Model, Factor::Temperature] });
    // A third model, so that there is no single difference of differences.
    let mut scored = effect(24);
    let third = scored.iter().filter(|scored| scored.trial.cell.model() == "a").cloned().map(|mut scored| {
        scored.trial.cell = scored.trial.cell.with(Level::Model("c".into()));
        scored
    });
    let third: Vec<_> = third.collect();
    scored.extend(third);
    let (sequential, verdicts) = judge(&scored, 24, &[wide, rises(Direction::Increasing)]);
    assert_eq!((sequential.ending, sequential.prompts.len()), (Ending::Spent, 24));
    assert_eq!(sequential.at_the_end, ["wide"]);
    assert_eq!(verdicts[1].outcome, Conclusion::Supported);
    assert!(verdicts[0].sequential.is_none() && verdicts[0].p.is_some());
}

#[test]
fn what_moves_nothing_is_neither_compared_nor_waited_for() {
    let scored = effect(24);
    let offload = |offload| Selection::of([offload]);
    let inert = Test::Equivalence { base: offload(Offload::None), other: offload(Offload::All), margin: 0.1 };
    let hypotheses = [Hypothesis::plain("inert", inert), rises(Direction::Increasing)];
    let sequence = sequence(24);
    let planned: Vec<Trial> = scored.iter().map(|scored| scored.trial.clone()).collect();
    let inert = [Factor::Offload];
    let questions =
        Questions { hypotheses: &hypotheses, inert: &inert, sequential: Some(&sequence), ..Questions::default() };
    let sequential = decide(&planned, questions, &scored).unwrap();
    assert_eq!((sequential.ending, sequential.paths.len()), (Ending::Decided, 1));
    let verdicts = verdicts(&scored, questions, &sequential);
    assert_eq!((verdicts[0].outcome, verdicts[0].p), (Conclusion::Inconclusive, None));
    assert_eq!(verdicts[1].p_holm, verdicts[1].p);
}

#[test]
fn the_first_part_is_what_a_decision_takes() {
    let least = |n, hypotheses: &[Hypothesis]| {
        let sequence = sequence(n);
        let scored = effect(n);
        let planned: Vec<Trial> = scored.iter().map(|scored| scored.trial.clone()).collect();
        let questions = Questions { hypotheses, sequential: Some(&sequence), ..Questions::default() };
        Looks::new(&planned, questions).unwrap().least_prompts()
    };
    assert_eq!(least(24, &[rises(Direction::Increasing)]), 6);
    assert_eq!(least(24, &[Hypothesis { sides: Sides::One, ..rises(Direction::Increasing) }]), 5);
    assert_eq!(least(24, &[rises(Direction::Increasing), trend(Direction::Increasing)]), 7);
    assert_eq!(least(4, &[rises(Direction::Increasing)]), 4);
}
