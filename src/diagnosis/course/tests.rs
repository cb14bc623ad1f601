//! Goes whole courses over invented models: which setups loop, and how often, is known, so the cause is.
//!
//! A stage's own experiment file is read, and its texts go through the analysis of any run.

use std::convert::Infallible;
use std::path::PathBuf;

use super::*;
use crate::analysis::{Questions, analyse};
use crate::causes::Cause;
use crate::diagnosis::Like;
use crate::diagnosis::Overrides;
use crate::diagnosis::stage::{Frame, Target};
use crate::diagnosis::switches::{About, Experts, Known, Place};
use crate::domain::{Bos, Generation, Level, Step, Stop, Temperature, Template, Trial, TrialId};
use crate::experiment::{Surroundings, parse, resolve};
use crate::journal::record::Outcome as Text;
use crate::plan::Sequence;

/// How often a setup loops, from 0 to 1.
pub type World = fn(&Setup) -> f64;

fn about() -> About {
    About {
        place: Place::File,
        template: Known::Yes,
        thinking: Known::No,
        bos: Known::Yes,
        adds_bos: Known::Yes,
        experts: Experts::None,
        accelerator: Known::No,
        room_tokens: 640,
        ..About::default()
    }
}

fn frame() -> Frame {
    Frame {
        name: "diagnose-tiny".to_owned(),
        model: "tiny".to_owned(),
        target: Target::File(PathBuf::from("/tiny.gguf")),
        max_tokens: 128,
        context: 640,
        alpha: 0.05,
        negligible: 0.1,
    }
}

pub fn case(like: Like, overrides: Overrides) -> Case {
    let as_run = like.setup("tiny", overrides).unwrap().at(Level::from(Template::Jinja));
    let crate::diagnosis::Prompts { search, fresh } = crate::diagnosis::built_in();
    Case { as_run, about: about(), runtime: like.runtime(), findings: vec![], search, fresh }
}

/// A number from 0 to 1 that looks random.
fn chance(key: &str) -> f64 {
    let hash = blake3::hash(key.as_bytes());
    f64::from(u32::from_le_bytes(hash.as_bytes()[..4].try_into().unwrap())) / f64::from(u32::MAX)
}

/// A word of letters, of its own for each token.
fn word(token: i32) -> String {
    let hash = blake3::hash(&token.to_le_bytes());
    hash.as_bytes()[..6].iter().map(|byte| char::from(b'a' + byte % 26)).collect()
}

/// A stage's answer in a world: in seven cases of ten a prompt and seed have the same luck in all arms, as with the same
/// draws.
fn answer(world: World, salt: &str, stage: &Stage) -> Answer {
    let frame = frame();
    let text = stage.toml(&frame);
    let raw = parse("x.toml", &text).unwrap_or_else(|error| panic!("{text}\n{error:?}"));
    let surroundings = Surroundings {
        directory: PathBuf::from("/"),
        catalogue: vec![],
        prompts_file: None,
        grammars: std::collections::BTreeMap::new(),
    };
    let experiment = resolve("x.toml", &text, &raw, &surroundings).unwrap_or_else(|error| panic!("{text}\n{error:?}"));
    let mut trials = Vec::new();
    let mut texts = std::collections::HashMap::new();
    for (arm, prompt, seed) in itertools::iproduct!(&stage.arms, &experiment.prompts, &stage.seeds) {
        let cell = arm.setup.cell.clone();
        let id = TrialId::known(format!("{:?} {} {}", cell, prompt.text, seed.get()));
        let common = format!("{salt} {} {}", prompt.text, seed.get());
        let own = format!("{common} {:?}", arm.setup);
        let luck = if chance(&format!("whose {own}")) < 0.3 { chance(&own) } else { chance(&common) };
        let tokens: Vec<i32> = (0..128).map(|place| if luck < world(&arm.setup) { place % 4 } else { place }).collect();
        let words = tokens.iter().map(|token| word(*token)).collect::<Vec<_>>().join(" ");
        let generation = Generation::of_tokens(9, tokens, words, Stop::MaxTokens);
        texts.insert(id.clone(), Text::Generated(generation));
        trials.push(Trial { id, cell, prompt: prompt.id.clone(), seed: Some(*seed) });
    }
    let order = experiment.prompts.iter().map(|prompt| prompt.id.clone()).collect();
    let sequential = experiment.sequential.map(|s| Sequence {
        alpha: s.alpha,
        look: s.look,
        order_seed: s.order_seed,
        order,
        stop: s.stop,
    });
    let questions = Questions {
        hypotheses: &experiment.hypotheses,
        settings: experiment.settings,
        prompts: &experiment.prompts,
        sequential: sequential.as_ref(),
        ..Questions::default()
    };
    Answer::of(stage, &analyse(&trials, questions, |id| texts.get(id)), frame.alpha, Extent::Whole)
}

pub fn course(case: &Case, world: World, salt: &str) -> Diagnosis {
    let run = &mut |stage: &Stage| Ok::<_, Infallible>(answer(world, salt, stage));
    let Ok(diagnosis) = diagnose(case, run);
    diagnosis
}

pub fn causes(diagnosis: &Diagnosis) -> Vec<Vec<Cause>> {
    let of = |remedy: &Remedy| remedy.switches.iter().map(|switch| switch.cause).collect();
    diagnosis.remedies.iter().map(of).collect()
}

pub fn repeat(setup: &Setup) -> f32 {
    let repeat = setup.find(|step| match step {
        Step::Penalties { repeat, .. } => Some(*repeat),
        _ => None,
    });
    repeat.unwrap_or(1.0)
}

#[test]
fn a_penalty_of_zero_is_named_and_its_remedy_confirmed() {
    let world: World = |setup| if repeat(setup) == 0.0 { 0.9 } else { 0.05 };
    let found = course(&case(Like::Shimmy, Overrides::default()), world, "a");
    // Shimmy's penalties are in its code.
    assert_eq!((found.ending, causes(&found)), (Ending::NoRemedyHere, vec![vec![Cause::PenaltyZero]]), "{found:#?}");
    let remedy = &found.remedies[0];
    assert!(remedy.before.share().unwrap() > 0.7 && remedy.after.share().unwrap() < 0.2);
    assert_eq!(remedy.outcome.prompts, 24);
    assert!(remedy.found_after < 24, "{}", remedy.found_after);
}

#[test]
fn texts_that_repeat_themselves_are_counted_where_none_ends_in_a_loop() {
    let world: World = |setup| if repeat(setup) == 0.0 { 0.9 } else { 0.05 };
    let mut run = |stage: &Stage| {
        let mut answer = answer(world, "a", stage);
        if stage.counted == Counted::Loops {
            answer.arms.iter_mut().for_each(|arm| arm.loops = 0);
        }
        Ok::<_, Infallible>(answer)
    };
    let Ok(found) = diagnose(&case(Like::Shimmy, Overrides::default()), &mut run);
    assert_eq!((found.counted, found.ending), (Counted::Repeats, Ending::NoRemedyHere), "{found:#?}");
    assert_eq!(causes(&found), [[Cause::PenaltyZero]]);
    assert_eq!((found.as_run.texts, found.repeats), (48, found.as_run.loops), "{found:#?}");
}

#[test]
fn a_model_that_does_not_loop_is_clean_up_to_a_bound() {
    let found = course(&case(Like::LlamaServer, Overrides::default()), |_| 0.0, "a");
    assert_eq!(found.ending, Ending::NotReproduced);
    assert_eq!((found.as_run.texts, found.stages.len()), (48, 2));
    assert!((found.as_run.bound_of_none().unwrap() - 0.0605).abs() < 1e-3);
}

#[test]
fn few_loops_are_no_basis_for_a_cause() {
    let case = case(Like::LlamaServer, Overrides::default());
    let all: Vec<_> = (0..10).map(|salt| course(&case, |_| 0.03, &salt.to_string())).collect();
    let few: Vec<_> = all.iter().filter(|found| (1..3).contains(&found.as_run.loops)).collect();
    assert!(!few.is_empty() && few.iter().all(|found| found.ending == Ending::TooRare), "{few:?}");
}

#[test]
fn a_search_ends_where_more_prompts_show_that_hardly_any_text_loops() {
    let over = Overrides { presence_penalty: Some(-2.0), ..Overrides::default() };
    let case = case(Like::LlamaServer, over);
    let all: Vec<_> = (0..8).map(|salt| course(&case, |_| 0.04, &salt.to_string())).collect();
    let rare: Vec<_> = all.iter().filter(|found| found.stages.last().unwrap().name == "2-put-back").collect();
    assert!(!rare.is_empty(), "{:?}", all.iter().map(|found| &found.stages).collect::<Vec<_>>());
    for found in rare {
        assert_eq!(found.ending, Ending::TooRare);
        assert!(found.as_run.loops < 6 && found.as_run.texts > 48 && found.others.len() == 1, "{found:#?}");
    }
    let least = crate::stats::sequential::SignFlip::least_prompts_two_sided(-0.05_f64.ln());
    assert_eq!(LEAST_LOOPS, least as f64);
}

#[test]
fn a_model_that_loops_whatever_is_changed_is_said_to() {
    let found = course(&case(Like::LlamaServer, Overrides::default()), |_| 1.0, "a");
    assert_eq!((found.ending, found.remedies.len()), (Ending::LoopsWhatever, 0));
    let within = |tried: &Tried| tried.outcome.within == Some(0.1);
    assert!(!found.others.is_empty() && found.others.iter().all(within), "{:#?}", found.others);
}

#[test]
fn two_settings_that_each_suffice_need_both_put_back() {
    let over = Overrides { presence_penalty: Some(1.5), repeat_penalty: Some(1.4), ..Overrides::default() };
    let world: World = |setup| {
        let presence = setup.find(|step| match step {
            Step::Penalties { presence, .. } => Some(*presence),
            _ => None,
        });
        if presence == Some(1.5) || repeat(setup) > 1.3 { 0.8 } else { 0.02 }
    };
    let found = course(&case(Like::LlamaServer, over), world, "a");
    assert_eq!((found.ending, found.remedies.len()), (Ending::NeedsBoth, 1), "{found:#?}");
    let mut named = causes(&found).remove(0);
    named.sort();
    assert_eq!(named, [Cause::PenaltyStrong, Cause::PresencePenalty]);
}

fn is_greedy(setup: &Setup) -> bool {
    setup.chain.steps.contains(&Step::Greedy)
}

#[test]
fn of_two_that_do_as_much_the_defect_is_mended_and_the_choice_is_kept() {
    let world: World = |setup| match (repeat(setup) == 0.0, is_greedy(setup)) {
        (true, true) => 0.8,
        (false, true) => 0.06,
        (_, false) => 0.0,
    };
    let found = course(&case(Like::Shimmy, Overrides::default()), world, "a");
    assert_eq!(causes(&found), [[Cause::PenaltyZero], [Cause::Greedy]], "{found:#?}");
}

#[test]
fn what_a_cause_leaves_is_looked_into_where_more_was_set() {
    let over = Overrides { repeat_penalty: Some(0.7), frequency_penalty: Some(-1.0), ..Overrides::default() };
    let world: World = |setup| {
        let is_usual = setup.find(|step| match step {
            Step::Penalties { frequency, .. } => Some(*frequency == 0.0),
            _ => None,
        });
        match (is_usual == Some(true), repeat(setup) == 1.0) {
            (false, _) => 0.9,
            (true, false) => 0.22,
            (true, true) => 0.0,
        }
    };
    let case = case(Like::LlamaServer, over);
    let endings: Vec<Ending> = (0..10).map(|salt| course(&case, world, &salt.to_string()).ending).collect();
    let of_two = endings.iter().filter(|ending| **ending == Ending::TwoCauses).count();
    assert!(of_two > 5, "{endings:?}");
}

#[test]
fn of_two_that_were_tried_together_the_one_that_suffices_is_the_cause() {
    let over = Overrides { repeat_penalty: Some(1.4), ..Overrides::default() };
    // A doubled BOS alone makes it loop; the penalty adds nothing that is left without it.
    let world: World = |setup| match (*setup.cell.get::<Bos>() == Bos::Never, repeat(setup) > 1.3) {
        (true, _) => 0.0,
        (false, true) => 0.9,
        (false, false) => 0.45,
    };
    let found = course(&case(Like::LlamaServer, over), world, "a");
    assert_eq!(causes(&found), [[Cause::BosDoubled]], "{found:#?}");
}

#[test]
fn two_causes_are_found_one_after_the_other() {
    let over = Overrides { repeat_penalty: Some(1.4), ..Overrides::default() };
    let world: World = |setup| {
        let of_bos = if *setup.cell.get::<Bos>() == Bos::Never { 0.0 } else { 0.42 };
        of_bos + if repeat(setup) > 1.3 { 0.5 } else { 0.0 }
    };
    let found = course(&case(Like::LlamaServer, over), world, "a");
    assert_eq!(found.ending, Ending::TwoCauses, "{found:#?}");
    let mut named = causes(&found).remove(0);
    named.sort();
    assert_eq!(named, [Cause::PenaltyStrong, Cause::BosDoubled]);
}

#[test]
fn three_settings_that_each_suffice_are_put_back_together() {
    let over = Overrides {
        presence_penalty: Some(1.5),
        repeat_penalty: Some(1.4),
        frequency_penalty: Some(1.0),
        ..Overrides::default()
    };
    let world: World = |setup| {
        let is_usual = setup.find(|step| match step {
            Step::Penalties { presence, frequency, .. } => Some(*presence == 0.0 && *frequency == 0.0),
            _ => None,
        });
        if is_usual == Some(true) && repeat(setup) == 1.0 { 0.02 } else { 0.8 }
    };
    let found = course(&case(Like::LlamaServer, over), world, "a");
    assert_eq!((found.ending, found.remedies[0].switches.len()), (Ending::NeedsBoth, 3), "{found:#?}");
}

#[test]
fn where_few_texts_loop_more_prompts_are_asked() {
    let zero = Overrides { temperature: Some(0.0), ..Overrides::default() };
    let world: World = |setup| if setup.cell.temperature() > Temperature::new(0.0).unwrap() { 0.01 } else { 0.2 };
    let found = course(&case(Like::LlamaServer, zero), world, "a");
    assert_eq!((found.ending, causes(&found)), (Ending::Cause, vec![vec![Cause::Greedy]]), "{found:#?}");
    assert!(found.remedies[0].outcome.prompts > 48, "{}", found.remedies[0].outcome.prompts);
}

#[test]
fn a_stage_that_a_budget_cut_short_has_its_best_suspect_tested() {
    let world: World = |setup| if repeat(setup) == 0.0 { 0.9 } else { 0.05 };
    let run = &mut |stage: &Stage| {
        let mut answer = answer(world, "a", stage);
        if stage.kind == StageKind::PutBack {
            answer.extent = Extent::CutShort;
            for outcome in &mut answer.claims {
                outcome.state = crate::analysis::sequential::State::Open;
            }
        }
        Ok::<_, Infallible>(answer)
    };
    let Ok(found) = diagnose(&case(Like::Shimmy, Overrides::default()), run);
    assert_eq!(causes(&found), [[Cause::PenaltyZero]], "{found:#?}");
}

#[test]
fn a_remedy_that_looks_well_and_is_not_confirmed_is_put_to_more_prompts() {
    // So few loops that two dozen prompts may not show it.
    let zero = Overrides { temperature: Some(0.0), ..Overrides::default() };
    let world: World = |setup| if setup.cell.temperature() > Temperature::new(0.0).unwrap() { 0.04 } else { 0.25 };
    let case = case(Like::LlamaServer, zero);
    let all: Vec<_> = (0..12).map(|salt| course(&case, world, &salt.to_string())).collect();
    let more = |found: &&Diagnosis| found.stages.iter().any(|stage| stage.name == "4-remedy-on-more");
    let (of_more, at_once): (Vec<_>, Vec<_>) = all.iter().partition(more);
    assert!(!of_more.is_empty() && !at_once.is_empty(), "{} {}", of_more.len(), at_once.len());
    let confirmed = of_more.iter().find(|found| found.ending == Ending::Cause).expect("one of them is confirmed");
    assert_eq!(confirmed.remedies[0].outcome.prompts, 96, "{confirmed:#?}");
}

/// A stage that can't be run with flash attention off.
#[derive(Debug)]
struct Refused(Vec<Refusal>);

impl Refuses for Refused {
    fn refusals(&self) -> Vec<Refusal> {
        self.0.clone()
    }
}

#[test]
fn what_the_engine_refuses_is_left_out_and_said() {
    let off = Level::from(crate::domain::FlashAttention::Off);
    let world: World = |setup| if *setup.cell.get::<Bos>() == Bos::Never { 0.0 } else { 0.6 };
    let run = &mut |stage: &Stage| {
        let is_asked = stage.arms.iter().any(|arm| arm.setup.cell.level(off.factor()) == &off);
        let refusal = || Refusal { levels: vec![off.clone()], why: "it has no kernel".to_owned() };
        if is_asked { Err(Refused(vec![refusal()])) } else { Ok(answer(world, "a", stage)) }
    };
    let found = diagnose(&case(Like::LlamaServer, Overrides::default()), run).unwrap();
    assert_eq!(causes(&found), [[Cause::BosDoubled]], "{found:#?}");
    let refused = NotTried { what: "flash-attention off".to_owned(), why: "it has no kernel".to_owned() };
    assert!(found.not_tried.contains(&refused), "{:?}", found.not_tried);
}

#[test]
fn a_stage_that_fails_for_another_reason_ends_the_diagnosis() {
    let elsewhere = Refusal { levels: vec![Bos::Always.into()], why: "no arm has it".to_owned() };
    let world: World = |_| 0.6;
    let run = &mut |stage: &Stage| match stage.kind {
        StageKind::Medicines => Err(Refused(vec![elsewhere.clone()])),
        _ => Ok(answer(world, "a", stage)),
    };
    assert!(diagnose(&case(Like::LlamaServer, Overrides::default()), run).is_err());
}
