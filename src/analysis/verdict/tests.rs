//! Verdicts over invented scores whose truth is known.

use super::*;
use crate::analysis::TrialResult;
use crate::domain::{Cell, Factor, Generation, Level, Seed, Selection, Stop, Temperature, Trial, TrialId};
use crate::experiment::{Direction, Sides};
use crate::metrics::{Scores, TextPart};

const TEMPERATURES: [f32; 4] = [0.1, 0.5, 0.9, 1.3];

/// 12 prompts × 2 chains × 4 temperatures × 3 seeds (one for `shimmy-1.7`), the
/// score as `score` has it, chance from −0.5 to 0.5.
fn trials(score: impl Fn(&str, f32, f64) -> f64) -> Vec<ScoredTrial> {
    // A salt at which chance alone raises no alarm, as 19 of 20 do.
    salted(1, score)
}

fn salted(salt: u32, score: impl Fn(&str, f32, f64) -> f64) -> Vec<ScoredTrial> {
    let mut trials = Vec::new();
    for (prompt, chain) in itertools::iproduct!(0..12, ["shimmy-1.7", "pure"]) {
        for temperature in TEMPERATURES {
            let seeds = if chain == "pure" { vec![Some(0), Some(1), Some(2)] } else { vec![None] };
            for seed in seeds {
                let key = format!("{prompt} {chain} {temperature} {seed:?}");
                let chance = uniform(&format!("{salt} {key}")) - 0.5;
                trials.push(trial(prompt, chain, temperature, seed, score(chain, temperature, chance)));
            }
        }
    }
    trials
}

fn trial(prompt: usize, chain: &str, temperature: f32, seed: Option<u32>, score: f64) -> ScoredTrial {
    let cell = Cell::usual("tiny", chain, Temperature::new(temperature).unwrap());
    let name = format!("{prompt} {chain} {temperature} {seed:?}");
    let scores = Scores::from_fn(|metric| (metric == Metric::RepetitionScore).then_some(score));
    let id = TrialId::known(name.clone());
    let generation = Generation::of_tokens(1, vec![], name, Stop::Eos);
    let trial = Trial { id, cell, prompt: format!("p{prompt:02}"), seed: seed.and_then(Seed::new) };
    ScoredTrial::new(trial, TrialResult::Scored { generation, scores })
}

fn uniform(key: &str) -> f64 {
    let hash = blake3::hash(key.as_bytes());
    f64::from(u32::from_le_bytes(hash.as_bytes()[..4].try_into().unwrap())) / f64::from(u32::MAX)
}

fn hypothesis(test: Test) -> Hypothesis {
    Hypothesis::plain("it", test)
}

fn chain(name: &str) -> Selection {
    Selection::of([Level::Chain(name.into())])
}

fn at(temperature: f32) -> Selection {
    Selection::of([Temperature::new(temperature).unwrap()])
}

fn trend(expect: Direction) -> Hypothesis {
    hypothesis(Test::Trend { factor: Factor::Temperature, expect })
}

fn judge(trials: &[ScoredTrial], hypothesis: Hypothesis) -> Verdict {
    judge_all(trials, &[hypothesis]).remove(0)
}

fn judge_all(trials: &[ScoredTrial], hypotheses: &[Hypothesis]) -> Vec<Verdict> {
    verdicts(trials, Questions { hypotheses, ..Questions::default() })
}

/// Rises with the temperature under one chain only.
fn broken_chain() -> Vec<ScoredTrial> {
    trials(|chain, t, chance| if chain == "shimmy-1.7" { f64::from(t) + chance } else { 0.2 + 0.1 * chance })
}

#[test]
fn a_trend_is_supported_or_refuted_by_its_direction() {
    let rising = broken_chain();
    let within = chain("shimmy-1.7");
    let verdict = |expect| judge(&rising, Hypothesis { within: within.clone(), ..trend(expect) });
    assert_eq!(verdict(Direction::Increasing).outcome, Conclusion::Supported);
    assert_eq!(verdict(Direction::Decreasing).outcome, Conclusion::Refuted);
    assert_eq!(verdict(Direction::Different).outcome, Conclusion::Supported);
    let supported = verdict(Direction::Increasing);
    assert_eq!((supported.n_prompts, supported.n_texts), (12, 48));
    assert!(supported.effects[0].estimate > 0.7 && supported.detectable.is_none());
    assert!(supported.p.is_some_and(|p| p < 0.005), "{:?}", supported.p);
}

#[test]
fn chance_alone_is_inconclusive_and_says_what_it_would_have_seen() {
    let (mut alarms, n) = (0, 100);
    for salt in 0..n {
        let verdict = judge(&salted(salt, |_, _, chance| chance), trend(Direction::Increasing));
        if verdict.outcome != Conclusion::Inconclusive {
            alarms += 1;
            continue;
        }
        assert!(verdict.detectable.is_some_and(|least| least > 0.05 && least < 1.0));
        assert!(verdict.sentence.contains("could detect"), "{}", verdict.sentence);
    }
    // Of 100 at 5 %, 10 or fewer but once in a hundred times.
    assert!(alarms <= 10, "{alarms} of {n}");
}

#[test]
fn one_side_halves_p_and_cannot_refute() {
    let rising = broken_chain();
    let one = |expect| judge(&rising, Hypothesis { sides: Sides::One, ..trend(expect) });
    let two = judge(&rising, trend(Direction::Increasing));
    assert_eq!(one(Direction::Increasing).p, two.p.map(|p| p / 2.0));
    assert_eq!(one(Direction::Decreasing).outcome, Conclusion::Inconclusive);
}

#[test]
fn a_claim_of_a_direction_leaves_empty_texts_out_and_one_of_equality_counts_them_against() {
    // Half of the prompts have no text under the server's chain.
    let mut trials = broken_chain();
    for scored in &mut trials {
        let is_silent = scored.trial.cell.chain() == "shimmy-1.7" && scored.trial.prompt.as_str() >= "p06";
        if let (true, TrialResult::Scored { scores, .. }) = (is_silent, &mut scored.result) {
            *scores = crate::metrics::score("", None);
        }
    }
    let test = Test::Contrast { base: chain("pure"), other: chain("shimmy-1.7"), expect: Direction::Increasing };
    let verdict = judge(&trials, hypothesis(test));
    assert_eq!(verdict.outcome, Conclusion::Supported, "{}", verdict.sentence);
    assert_eq!(verdict.n_prompts, 6, "{}", verdict.sentence);
    let equal = Test::Equivalence { base: at(0.1), other: at(0.5), margin: 0.68 };
    let of_all = Hypothesis { within: chain("shimmy-1.7"), ..hypothesis(equal) };
    assert_eq!(judge(&broken_chain(), of_all.clone()).outcome, Conclusion::Supported);
    assert_eq!(judge(&trials, of_all).outcome, Conclusion::Inconclusive);
}

#[test]
fn a_text_without_a_seed_pairs_with_every_seed() {
    let test = Test::Contrast { base: chain("pure"), other: chain("shimmy-1.7"), expect: Direction::Increasing };
    let verdict = judge(&broken_chain(), hypothesis(test));
    assert_eq!(verdict.outcome, Conclusion::Supported);
    assert_eq!((verdict.n_prompts, verdict.n_texts), (12, 12 * 4 * 4));
    let names: Vec<_> = verdict.effects.iter().map(|effect| effect.name).collect();
    assert_eq!(names, ["mean difference", "in P(loop)", "where neither text loops"]);
    // (0.1 + 0.5 + 0.9 + 1.3) / 4 − 0.2, and chance.
    assert!((verdict.effects[0].estimate - 0.5).abs() < 0.1);
}

#[test]
fn equivalence_is_shown_refuted_or_open() {
    let trials = broken_chain();
    let verdict = |name: &str, margin| {
        let test = Test::Equivalence { base: at(0.1), other: at(1.3), margin };
        judge(&trials, Hypothesis { within: chain(name), ..hypothesis(test) }).outcome
    };
    // No text of 12 prompts loops under pure: that shows 0.25, and not 0.1.
    assert_eq!(verdict("pure", 0.25), Conclusion::Supported);
    assert_eq!(verdict("pure", 0.1), Conclusion::Inconclusive);
    assert_eq!(verdict("shimmy-1.7", 0.1), Conclusion::Refuted);
    assert_eq!(verdict("pure", 0.001), Conclusion::Inconclusive);
}

#[test]
fn an_equivalence_of_one_side_minds_only_what_is_higher() {
    let falling = trials(|_, t, chance| 1.3 - f64::from(t) + 0.1 * chance);
    let verdict = |sides, base, other| {
        let test = Test::Equivalence { base: at(base), other: at(other), margin: 0.1 };
        judge(&falling, Hypothesis { sides, ..hypothesis(test) }).outcome
    };
    assert_eq!(verdict(Sides::Two, 0.1, 1.3), Conclusion::Refuted);
    assert_eq!(verdict(Sides::One, 0.1, 1.3), Conclusion::Supported);
    assert_eq!(verdict(Sides::One, 1.3, 0.1), Conclusion::Refuted);
}

#[test]
fn a_trend_in_a_few_prompts_is_none_over_prompts() {
    // Steep in 2 prompts of 12, in which it falls, and nothing in the others.
    let mut trials = trials(|_, _, _| 0.0);
    for scored in &mut trials {
        let falls = matches!(&*scored.trial.prompt, "p00" | "p01");
        let t = f64::from(scored.trial.cell.temperature().get());
        if let TrialResult::Scored { scores, .. } = &mut scored.result {
            let value = if falls { 2.0 - t } else { 0.0 };
            *scores = Scores::from_fn(|metric| (metric == Metric::RepetitionScore).then_some(value));
        }
    }
    assert_eq!(judge(&trials, trend(Direction::Increasing)).outcome, Conclusion::Inconclusive);
}

#[test]
fn an_interaction_is_seen_where_there_is_one() {
    let test = || hypothesis(Test::Interaction { factors: [Factor::Chain, Factor::Temperature] });
    assert_eq!(judge(&broken_chain(), test()).outcome, Conclusion::Supported);
    let additive = trials(|chain, t, chance| f64::from(t) + f64::from(u8::from(chain == "pure")) + 0.2 * chance);
    assert_eq!(judge(&additive, test()).outcome, Conclusion::Inconclusive);
}

#[test]
fn a_claim_about_each_level_needs_them_all() {
    let verdict = judge(&broken_chain(), Hypothesis { each: Some(Factor::Chain), ..trend(Direction::Increasing) });
    assert_eq!(verdict.outcome, Conclusion::Inconclusive, "{}", verdict.sentence);
    let levels: Vec<_> = verdict.levels.iter().map(|of_level| (&*of_level.level, of_level.outcome)).collect();
    assert_eq!(levels, [("shimmy-1.7", Conclusion::Supported), ("pure", Conclusion::Inconclusive)]);
    assert!(verdict.sentence.contains("weakest for pure"), "{}", verdict.sentence);

    let both = trials(|_, t, chance| f64::from(t) + chance);
    let verdict = judge(&both, Hypothesis { each: Some(Factor::Chain), ..trend(Direction::Increasing) });
    assert_eq!(verdict.outcome, Conclusion::Supported);

    let opposed = trials(|chain, t, chance| if chain == "pure" { -f64::from(t) } else { f64::from(t) } + chance);
    let verdict = judge(&opposed, Hypothesis { each: Some(Factor::Chain), ..trend(Direction::Increasing) });
    assert_eq!(verdict.outcome, Conclusion::Refuted);
}

#[test]
fn what_nobody_saw_differ_is_no_verdict() {
    let same = trials(|_, _, _| 0.25);
    let contrast = Test::Contrast { base: at(0.1), other: at(0.9), expect: Direction::Different };
    let equivalence = Test::Equivalence { base: at(0.1), other: at(0.9), margin: 0.01 };
    for test in [contrast, equivalence.clone(), trend(Direction::Increasing).test] {
        let verdict = judge(&same, hypothesis(test));
        assert_eq!(verdict.outcome, Conclusion::Inconclusive);
        let said = "no text of 12 prompts loops in either arm; at most 22.1 % of other prompts would";
        assert!(verdict.sentence.contains(said) || verdict.test == TestKind::Trend, "{}", verdict.sentence);
    }
    // The same texts are a fact, and no test.
    let mut texts = same;
    for scored in &mut texts {
        if let TrialResult::Scored { generation, .. } = &mut scored.result {
            generation.text = scored.trial.prompt.clone();
        }
    }
    let verdict = judge(&texts, hypothesis(equivalence));
    assert_eq!((verdict.outcome, verdict.p), (Conclusion::Supported, None));
    assert!(verdict.sentence.contains("all texts are the same, word for word"), "{}", verdict.sentence);
    assert_eq!(judge(&texts, trend(Direction::Increasing)).outcome, Conclusion::Inconclusive);
    // A chain that ignores the temperature has no other texts.
    for scored in &mut texts {
        scored.trial.id = TrialId::known(scored.trial.prompt.clone());
    }
    assert_eq!(judge(&texts, trend(Direction::Increasing)).outcome, Conclusion::Refuted);
}

/// Of 12 prompts, at 0.1 and 1.3.
fn lost(scored: &ScoredTrial, prompts: usize) -> bool {
    scored.trial.cell.temperature().get() > 1.0 && scored.trial.prompt.as_str() < format!("p{prompts:02}").as_str()
}

#[test]
fn a_claim_holds_whatever_the_failed_texts_were() {
    let test = Test::Contrast { base: at(0.1), other: at(1.3), expect: Direction::Increasing };
    let judged = |prompts, expect_lower: bool| {
        let mut trials = trials(|_, t, chance| 0.3 + 0.3 * f64::from(t) + 0.1 * chance);
        for scored in &mut trials {
            if lost(scored, prompts) {
                let reason = "it took too long".to_owned();
                scored.result = TrialResult::Failed(crate::journal::record::Failure { reason, attempts: 2 });
            }
        }
        let test = match (&test, expect_lower) {
            (Test::Contrast { base, other, .. }, true) => {
                Test::Contrast { base: base.clone(), other: other.clone(), expect: Direction::Decreasing }
            }
            (test, _) => test.clone(),
        };
        judge(&trials, hypothesis(test))
    };
    let few = judged(1, false);
    assert_eq!(few.outcome, Conclusion::Supported, "{}", few.sentence);
    assert!(
        few.sentence.contains("this holds even if the 4 of 96 texts that failed count against it"),
        "{}",
        few.sentence
    );
    let many = judged(9, false);
    assert_eq!(many.outcome, Conclusion::Inconclusive, "{}", many.sentence);
    assert!(many.sentence.contains("36 of 96 texts failed"), "{}", many.sentence);
    assert_eq!(judged(9, true).outcome, Conclusion::Inconclusive);
}

#[test]
fn a_least_effect_is_claimed_and_refuted() {
    let test = Test::Contrast { base: at(0.1), other: at(1.3), expect: Direction::Increasing };
    // One chain loops and the other does not, so neither is rare.
    let base = |chain: &str| if chain == "pure" { 0.1 } else { 0.6 };
    let trials = trials(|chain, t, chance| base(chain) + 0.1 * f64::from(t) + 0.02 * chance);
    let verdict = |least| judge(&trials, Hypothesis { least, ..hypothesis(test.clone()) }).outcome;
    // The mean rises by 0.12.
    assert_eq!(verdict(None), Conclusion::Supported);
    assert_eq!(verdict(Some(0.05)), Conclusion::Supported);
    assert_eq!(verdict(Some(0.12)), Conclusion::Inconclusive);
    assert_eq!(verdict(Some(0.3)), Conclusion::Refuted);
}

#[test]
fn few_prompts_say_how_many_it_takes() {
    let rising = broken_chain();
    let few: Vec<ScoredTrial> = rising.into_iter().filter(|scored| scored.trial.prompt.as_str() < "p04").collect();
    let test = Test::Contrast { base: at(0.1), other: at(1.3), expect: Direction::Increasing };
    let verdict = judge(&few, hypothesis(test));
    assert_eq!(verdict.outcome, Conclusion::Inconclusive);
    let said = "4 prompts can't decide this: p can't be below 0.125; 6 could";
    assert!(verdict.sentence.contains(said), "{}", verdict.sentence);
    assert_eq!(verdict.effects[0].interval, None);
    let test = Test::Equivalence { base: at(0.1), other: at(1.3), margin: 0.68 };
    let verdict = judge(&few, hypothesis(test));
    assert!(verdict.sentence.contains("at least 6 prompts are needed"), "{}", verdict.sentence);
}

#[test]
fn more_hypotheses_ask_for_more() {
    let trials = broken_chain();
    let alone = judge(&trials, trend(Direction::Increasing));
    let among: Vec<_> = (0..5).map(|_| trend(Direction::Increasing)).collect();
    let among = judge_all(&trials, &among);
    assert_eq!(among[0].p, alone.p);
    assert_eq!(among[0].p_holm, alone.p.map(|p| (5.0 * p).min(1.0)));
}

#[test]
fn without_texts_nothing_is_concluded() {
    for test in [
        trend(Direction::Increasing).test,
        Test::Contrast { base: at(0.1), other: at(0.9), expect: Direction::Different },
        Test::Interaction { factors: [Factor::Chain, Factor::Temperature] },
    ] {
        let verdict = judge(&[], hypothesis(test));
        assert_eq!((verdict.outcome, verdict.p, verdict.n_texts), (Conclusion::Inconclusive, None, 0));
    }
    let each = Hypothesis { each: Some(Factor::Model), ..trend(Direction::Increasing) };
    assert_eq!(judge(&[], each).outcome, Conclusion::Inconclusive);
}

#[test]
fn what_moves_nothing_is_not_compared() {
    let test = Test::Contrast { base: at(0.1), other: at(1.3), expect: Direction::Increasing };
    let hypotheses = [Hypothesis { each: Some(Factor::Chain), ..hypothesis(test) }];
    let inert = [Factor::Temperature];
    let questions = Questions { hypotheses: &hypotheses, inert: &inert, ..Questions::default() };
    let verdict = verdicts(&broken_chain(), questions).remove(0);
    assert_eq!((verdict.outcome, verdict.p, verdict.levels.len()), (Conclusion::Inconclusive, None, 0));
    assert!(verdict.sentence.contains("temperature has no effect here"), "{}", verdict.sentence);
}

/// Texts at T 0.1 and 0.9; those of `hidden` repeat one letter, of which the score sees nothing.
fn with_hidden(hidden: impl Fn(usize, f32) -> bool) -> Vec<ScoredTrial> {
    let letter = |number: usize| char::from(b'a' + (number % 16) as u8);
    let word = |number: usize| format!("{}{}{} ", letter(number), letter(number / 16), letter(number / 256));
    let text = |prompt: usize, t: f32| match (hidden(prompt, t), t > 0.5) {
        (true, _) => "t".repeat(300),
        (false, true) => format!("prompt {prompt} goes on and on {}", "and on and on ".repeat(20 + prompt)),
        // Forty words, each of this text alone.
        (false, false) => (0..40).map(|i| word(prompt * 40 + i)).collect(),
    };
    let mut trials = Vec::new();
    for (prompt, t) in itertools::iproduct!(0..24, [0.1, 0.9]) {
        let mut scored = trial(prompt, "pure", t, Some(0), 0.0);
        let TrialResult::Scored { scores, .. } = &mut scored.result else { unreachable!("it was scored above") };
        *scores = crate::metrics::score(&text(prompt, t), None);
        trials.push(scored);
    }
    trials
}

#[test]
fn what_the_metric_cannot_see_may_not_undo_a_verdict() {
    let claim = |expect| hypothesis(Test::Contrast { base: at(0.1), other: at(0.9), expect });
    let rises = || claim(Direction::Increasing);
    // A few loops that it scores 0 on the side that loops anyway: they only weaken the claim.
    let hot = judge(&with_hidden(|prompt, t| t > 0.5 && prompt < 6), rises());
    assert_eq!(hot.outcome, Conclusion::Supported, "{}", hot.sentence);
    assert!(
        hot.sentence
            .contains("this holds even if all 6 of 48 texts that repetition_score can't judge count against it"),
        "{}",
        hot.sentence
    );
    // As many on the other side could undo it, and they do.
    let cold = judge(&with_hidden(|prompt, t| t < 0.5 && prompt < 22), rises());
    assert_eq!(cold.outcome, Conclusion::Inconclusive, "{}", cold.sentence);
    assert!(cold.sentence.contains("can't see whether 22 of 48 texts"), "{}", cold.sentence);
    // All of what loops is hidden: no claim of less is believed, and no equivalence.
    let all = with_hidden(|_, t| t > 0.5);
    assert_eq!(judge(&all, claim(Direction::Decreasing)).outcome, Conclusion::Inconclusive);
    assert_eq!(judge(&all, claim(Direction::Different)).outcome, Conclusion::Inconclusive);
    let as_clean = hypothesis(Test::Equivalence { base: at(0.1), other: at(0.9), margin: 0.05 });
    assert_eq!(judge(&all, as_clean).outcome, Conclusion::Inconclusive);
    let trend = hypothesis(Test::Trend { factor: Factor::Temperature, expect: Direction::Decreasing });
    assert_eq!(judge(&all, trend).outcome, Conclusion::Inconclusive);
}

#[test]
fn the_head_of_a_whole_is_of_all_that_was_written() {
    // The first ten words of the whole are the thought's, and the markers belong to two of them.
    let text = "<think>so it so it so it so it so it</think> one two three four five six seven eight nine ten";
    let judged = |part| {
        let mut trials = broken_chain();
        for scored in &mut trials {
            let TrialResult::Scored { generation, .. } = &mut scored.result else {
                unreachable!("it was scored above")
            };
            generation.text = text.to_owned();
            generation.tokens = None;
            let of = |text: &str| crate::metrics::score(text, None);
            let written = crate::metrics::Written::of(text, None, None);
            let (thought, answer) = (written.thought.unwrap_or_default().into_owned(), written.answer.into_owned());
            let (thought_scores, answer_scores) = (of(&thought), of(&answer));
            scored.apart = Some(Box::new(crate::analysis::Apart { thought, thought_scores, answer, answer_scores }));
        }
        let test = Test::Equivalence { base: at(0.1), other: at(1.3), margin: 0.05 };
        let hypothesis = Hypothesis { part, first: Some(10), ..hypothesis(test) };
        let sample = sample::Sample::of(&hypothesis, &trials);
        let (base, other) = (at(0.1), at(1.3));
        sample.pairs(&base, &other).prompts[0].pairs[0].base
    };
    assert_eq!(judged(TextPart::Whole), 0.5);
    assert_eq!(judged(TextPart::Thought), 0.75);
    assert_eq!(judged(TextPart::Answer), 0.0);
}
