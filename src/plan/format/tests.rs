//! Every plan that was ever written is read or refused, and what is written now has these bytes.

use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;

use super::*;
use crate::domain::Temperature;
use crate::experiment::{Direction, Hypothesis, LookAfter, Settings, Sides, StopAt as Stop, Test};
use crate::format::strategies::{cells, chains, factors, generates, markers, seeds, selections};
use crate::format::{sample, samples};
use crate::metrics::{Metric, TextPart};
use crate::plan::{Design, DesignError, Doubt, Part, Sequence, Shard};
use crate::seal::{Seal, Trust, Unfit};

fn hypotheses() -> impl Strategy<Value = Hypothesis> {
    let expect = prop::sample::select(vec![Direction::Increasing, Direction::Decreasing, Direction::Different]);
    let tests = (0..4, factors(), factors(), expect, selections(), selections(), -1e9..1e9_f64);
    let tests = tests.prop_map(|(kind, factor, second, expect, base, other, margin)| match kind {
        0 => Test::Trend { factor, expect },
        1 => Test::Contrast { base, other, expect },
        2 => Test::Equivalence { base, other, margin },
        _ => Test::Interaction { factors: [factor, second] },
    });
    let parts = prop::sample::select(vec![TextPart::Whole, TextPart::Thought, TextPart::Answer]);
    let sides = prop::sample::select(vec![Sides::Two, Sides::One]);
    let metrics = prop::sample::select(Metric::ALL.to_vec());
    let what = (".*", ".*", metrics, parts, of(any::<u32>()));
    let how = (selections(), of(factors()), tests, sides, of(-1e9..1e9_f64));
    (what, how).prop_map(|((id, claim, metric, part, first), (within, each, test, sides, least))| Hypothesis {
        id,
        claim,
        metric,
        part,
        first,
        within,
        each,
        test,
        sides,
        least,
    })
}

fn trials() -> impl Strategy<Value = domain::Trial> {
    ("[0-9a-f]{32}", cells(), ".*", seeds()).prop_map(|(id, cell, prompt, seed)| domain::Trial {
        id: TrialId::known(id),
        cell,
        prompt,
        seed,
    })
}

fn sequences() -> impl Strategy<Value = Sequence> {
    let stops =
        of(0.0..1.0).prop_map(|negligible| negligible.map_or(Stop::All, |negligible| Stop::First { negligible }));
    (0.0..1.0, any::<u32>(), vec(".*", 0..4), stops).prop_map(|(alpha, order_seed, order, stop)| Sequence {
        alpha,
        look: LookAfter::Prompt,
        order_seed,
        order,
        stop,
    })
}

fn designs() -> impl Strategy<Value = Design> {
    let prompts = (".*", ".*", of(".*")).prop_map(|(id, text, group)| experiment::Prompt { id, text, group });
    let doubts = (".*", of(factors()), ".*").prop_map(|(model, factor, reason)| Doubt { model, factor, reason });
    let settings = (0.0..1.0, prop::sample::select(Metric::ALL.to_vec()));
    let settings = settings.prop_map(|(alpha, metric)| Settings { alpha, metric });
    let head =
        (".*", of(".*"), generates(), settings, vec(hypotheses(), 0..3), vec(prompts, 0..3), vec(chains(), 0..3));
    let notes = (of(".*"), vec(".*", 0..3), vec(factors(), 0..3), vec(doubts, 0..3), btree_map(".*", markers(), 0..3));
    let shards = (1..=9_u32, 0..9_u32).prop_map(|(index, more)| Shard::new(index, index + more).expect("it is one"));
    let body = (of(sequences()), vec(trials(), 0..5), of(shards), any::<(prop::sample::Index, prop::sample::Index)>());
    (head, notes, body).prop_map(|(head, notes, (sequential, trials, shard, (one, other)))| {
        let (name, question, generate, settings, hypotheses, prompts, chains) = head;
        let (caveat, notes, inert, doubts, thought_markers) = notes;
        let (one, other) = (one.index(trials.len() + 1), other.index(trials.len() + 1));
        let part = shard.map(|shard| Part { shard, trials: one.min(other)..one.max(other) });
        // A cell says what the experiment's setting is, or another level.
        let under_setting = |trial: domain::Trial| {
            let cell = trial.cell.under_setting(generate.bos);
            domain::Trial { cell, ..trial }
        };
        Design {
            name,
            question,
            generate,
            settings,
            hypotheses,
            prompts,
            chains,
            caveat,
            notes,
            inert,
            doubts,
            thought_markers,
            sequential,
            trials: trials.into_iter().map(under_setting).collect(),
            part,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_written_is_read(design in designs()) {
        let json = design.to_json();
        let (read, seal) = Design::from_json(&json, Trust::Seals).unwrap();
        prop_assert_eq!(seal, Seal::Whole);
        prop_assert_eq!(read.to_json(), json);
        prop_assert_eq!(read, design);
    }
}

#[test]
fn a_hypothesis_reads_back_as_it_was_written() {
    let offload = domain::Level::from(domain::Offload::Layers(1));
    let chain = domain::Level::Chain("pure".into());
    let (base, other) = (domain::Selection::of([chain]), domain::Selection::of([offload]));
    let test = Test::Equivalence { base, other, margin: 0.05 };
    let each = Hypothesis { each: Some(Factor::Temperature), ..Hypothesis::plain("same", test.clone()) };
    let group = domain::Selection { prompt: vec!["p1".to_owned(), "p4".to_owned()], ..domain::Selection::default() };
    let of_group = Hypothesis { within: group, ..Hypothesis::plain("trained", test) };
    for hypothesis in [each, of_group] {
        let json = serde_json::to_string(&hypothesis::Hypothesis::from(&hypothesis)).unwrap();
        let read: hypothesis::Hypothesis = serde_json::from_str(&json).unwrap();
        assert_eq!(Hypothesis::try_from(read).unwrap(), hypothesis);
    }
}

#[test]
fn a_plan_of_prompts_without_groups_does_not_speak_of_them() {
    let prompt = experiment::Prompt { id: "a".into(), text: "one".into(), group: None };
    let written = Prompt::from(prompt.clone());
    assert_eq!(serde_json::to_string(&written).unwrap(), r#"{"id":"a","text":"one"}"#);
    let read: Prompt = serde_json::from_str(r#"{"id":"a","text":"one"}"#).unwrap();
    assert_eq!(experiment::Prompt::from(read), prompt);
    let all = crate::format::Selection::from(&domain::Selection::default());
    assert!(!serde_json::to_string(&all).unwrap().contains("prompt"));
}

#[test]
fn plans_of_every_version_are_read_and_those_of_this_one_are_written_so() {
    let (mut n_sealed, mut n_unsealed, mut refused) = (0, 0, Vec::new());
    for (file, bytes) in samples("plan.json") {
        let (design, seal) = match Design::from_json(&bytes, Trust::Seals) {
            Ok(read) => read,
            Err(DesignError::Unfit(Unfit::Damaged(error))) if error.to_string().contains("missing field `inert`") => {
                refused.push(file);
                continue;
            }
            Err(error) => panic!("{file}: {error}"),
        };
        let written = design.to_json();
        match seal {
            Seal::Whole => {
                n_sealed += 1;
                assert_eq!(String::from_utf8(written.clone()), String::from_utf8(bytes), "{file}");
            }
            Seal::Absent => n_unsealed += 1,
            Seal::Broken => panic!("{file}: its seal is broken"),
        }
        assert_eq!(Design::from_json(&written, Trust::Seals).unwrap(), (design, Seal::Whole), "{file}");
    }
    assert_eq!(refused, ["11-23-0634/failed/run/plan.json", "11-23-0634/plain/run/plan.json"]);
    assert!(n_sealed > 10 && n_unsealed > 10, "{n_sealed} and {n_unsealed}");
}

#[test]
fn what_means_nothing_is_refused_for_what_it_is() {
    let plan = String::from_utf8(sample("11-29-0320/plain/run/plan.json")).expect("it is text");
    let refused = |from: &str, to: &str| {
        assert!(plan.contains(from), "{from}");
        Design::from_json(plan.replace(from, to).as_bytes(), Trust::Edits).expect_err(to).to_string()
    };
    let edits = [
        (r#""temperature":0.5"#, r#""temperature":-1"#, "unknown temperature \"-1\""),
        (r#""quant":"source""#, r#""quant":"q9""#, "unknown quant \"q9\""),
        (r#""model":"scripted","#, "", "missing field `model`"),
        (r#""temperature":[0.5]"#, r#""temperature":0.5"#, "this is not a list of temperatures"),
        (r#""inert":["offload""#, r#""inert":["load""#, "unknown factor \"load\""),
        (r#""metric":"repetition_score""#, r#""metric":"beauty""#, "unknown metric \"beauty\""),
        (r#""seed":0"#, r#""seed":4294967295"#, "the seed 4294967295 means 'random' to llama.cpp"),
    ];
    for (from, to, why) in edits {
        assert_eq!(refused(from, to), format!("it is not what moe-sweep wrote: {why}"));
    }
}

#[test]
fn a_plan_has_these_bytes() {
    let at = |t| Temperature::new(t).expect("it is a temperature");
    let hypothesis = Hypothesis {
        part: TextPart::Answer,
        first: Some(9),
        within: domain::Selection { prompt: vec!["p".to_owned()], ..domain::Selection::default() },
        each: Some(Factor::Chain),
        sides: Sides::One,
        least: Some(0.1),
        ..Hypothesis::plain("h", Test::Trend { factor: Factor::Temperature, expect: Direction::Decreasing })
    };
    let steps = vec![
        domain::Step::Temperature { t: domain::Slot::Trial },
        domain::Step::TemperatureExt { t: domain::Slot::Fixed(at(0.7)), delta: 0.1, exponent: 1.0 },
        domain::Step::LogitBias { biases: vec![domain::TokenBias { token: 1, bias: -0.5 }] },
        domain::Step::Dist,
    ];
    let cell = Cell::usual("m", "c", at(0.7)).with(domain::Offload::Layers(2)).with(domain::OpOffload::Off);
    let trial = domain::Trial { id: TrialId::known("f0"), cell, prompt: "p".to_owned(), seed: Seed::new(7) };
    let design = Design {
        name: "x".to_owned(),
        question: None,
        generate: domain::Generate {
            max_tokens: 8,
            context: 64,
            numerics: domain::Numerics::Invariant,
            bos: domain::Bos::Always,
            draws: domain::Draws::PerPrompt,
        },
        settings: Settings::default(),
        hypotheses: vec![hypothesis],
        prompts: vec![experiment::Prompt { id: "p".to_owned(), text: "t".to_owned(), group: Some("g".to_owned()) }],
        chains: vec![domain::Chain {
            id: "c".to_owned(),
            steps,
            fidelity: domain::Fidelity::Faithful,
            author: domain::Author::Experiment,
        }],
        caveat: Some("toy".to_owned()),
        notes: vec!["n".to_owned()],
        inert: vec![Factor::OpOffload],
        doubts: vec![Doubt { model: "m".to_owned(), factor: None, reason: "r".to_owned() }],
        thought_markers: [("m".to_owned(), crate::metrics::Markers { open: "<t>".into(), close: "</t>".into() })]
            .into(),
        sequential: Some(Sequence {
            alpha: 0.05,
            look: LookAfter::Prompt,
            order_seed: 3,
            order: vec!["p".to_owned()],
            stop: Stop::All,
        }),
        trials: vec![trial],
        part: Some(Part { shard: Shard::new(1, 2).expect("it is one"), trials: 0..1 }),
    };
    assert_eq!(String::from_utf8(design.to_json()).expect("it is text"), PINNED);
}

/// What this version writes. A change of it is a new version.
const PINNED: &str = concat!(
    r#"{"v":2,"name":"x","question":null,"#,
    r#""generate":{"max_tokens":8,"context":64,"numerics":"invariant","bos":"always","draws":"per-prompt"},"#,
    r#""settings":{"alpha":0.05,"metric":"repetition_score"},"#,
    r#""hypotheses":[{"id":"h","claim":"h","metric":"repetition_score","part":"answer","first":9,"#,
    r#""within":{"model":[],"chain":[],"offload":[],"quant":[],"template":[],"op_offload":[],"temperature":[],"#,
    r#""prompt":["p"]},"each":"chain","test":{"trend":{"factor":"temperature","expect":"decreasing"}},"#,
    r#""sides":"one","least":0.1}],"#,
    r#""prompts":[{"id":"p","text":"t","group":"g"}],"#,
    r#""chains":[{"id":"c","steps":[{"temperature":{"t":"T"}},"#,
    r#"{"temperature_ext":{"t":0.7,"delta":0.1,"exponent":1.0}},"#,
    r#"{"logit_bias":{"biases":[{"token":1,"bias":-0.5}]}},"dist"],"fidelity":"faithful"}],"#,
    r#""caveat":"toy","notes":["n"],"inert":["op_offload"],"#,
    r#""doubts":[{"model":"m","factor":null,"reason":"r"}],"#,
    r#""thought_markers":{"m":{"open":"<t>","close":"</t>"}},"#,
    r#""sequential":{"alpha":0.05,"look":"prompt","order_seed":3,"order":["p"]},"#,
    r#""trials":[{"id":"f0","model":"m","chain":"c","offload":{"layers":2},"quant":"source","template":"raw","#,
    r#""op_offload":false,"temperature":0.7,"prompt":"p","seed":7}],"#,
    r#""part":{"shard":{"index":1,"count":2},"trials":{"start":0,"end":1}},"seal":"bed4805a0d4468db57e38efcc29d6a61"}"#,
    "\n",
);
