//! No looping model is ever called clean: whatever repeats itself, wherever it stands, no gate
//! passes, no recommendation lifts a limit, no hypothesis finds it as clean.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::*;
use crate::analysis::{Advice, Analysis, Conclusion, Limits, Questions, analyse, recommend};
use crate::domain::{
    Bos, Cell, Draws, Generate, Generation, Numerics, Selection, Stop, Temperature, Token, Trial, TrialId,
};
use crate::experiment::{Hypothesis, Test};
use crate::journal::record::Outcome;
use crate::metrics::Metric;

/// 59 are the fewest that can show, without a loop, that fewer than one in twenty loop.
const PROMPTS: usize = 60;

/// Forty words, all of them of this prompt alone.
fn clean(prompt: usize) -> String {
    let word = |i: usize| {
        let number = prompt * 40 + i;
        let syllables =
            ["ba", "ne", "to", "ri", "mu", "ka", "so", "le", "pi", "du", "va", "ho", "ce", "ga", "ni", "wo"];
        [number % 16, number / 16 % 16, number / 256 % 16, number * 7 % 16].map(|at| syllables[at]).concat()
    };
    (0..40).map(word).collect::<Vec<_>>().join(" ")
}

/// Where the repetition stands.
#[derive(Clone, Copy, Debug)]
enum LoopSite {
    Answer,
    /// As a server tells it apart, a clean answer behind it.
    Thought,
    /// Between the model's markers, a clean answer behind it.
    Marked,
    /// The same, and no answer came any more.
    Unanswered,
    /// Behind a clean thought.
    BehindAThought,
}

const LOOP_SITES: [LoopSite; 5] =
    [LoopSite::Answer, LoopSite::Thought, LoopSite::Marked, LoopSite::Unanswered, LoopSite::BehindAThought];

fn looping(site: LoopSite, loops: &str, prompt: usize, has_tokens: bool) -> Generation {
    let (thought, text) = match site {
        LoopSite::Answer => (None, loops.to_owned()),
        LoopSite::Thought => (Some(loops.to_owned()), clean(prompt)),
        LoopSite::Marked => (None, format!("<think>{loops}</think>{}", clean(prompt))),
        LoopSite::Unanswered => (Some(loops.to_owned()), String::new()),
        LoopSite::BehindAThought => (Some(clean(prompt)), loops.to_owned()),
    };
    generation(thought, text, has_tokens)
}

/// Without a tokenizer, a character is a token.
fn generation(thought: Option<String>, text: String, has_tokens: bool) -> Generation {
    let characters = thought.iter().flat_map(|thought| thought.chars()).chain(text.chars());
    let tokens: Vec<Token> = characters.map(|c| u32::from(c).cast_signed()).collect();
    let known = Generation::of_tokens(7, tokens, text, Stop::MaxTokens);
    let n_stated_tokens = known.n_tokens();
    let known = Generation { thought, ..known };
    if has_tokens { known } else { Generation { tokens: None, n_stated_tokens, ..known } }
}

fn id(prompt: usize, temperature: f32) -> TrialId {
    TrialId::known(format!("{prompt} {temperature}"))
}

fn trial(prompt: usize, temperature: f32) -> Trial {
    let cell = Cell::usual("tiny", "pure", Temperature::new(temperature).expect("it is one"));
    Trial { id: id(prompt, temperature), cell, prompt: format!("p{prompt:02}"), seed: None }
}

/// Texts at T 0.5, and others at 1.
fn analysis(hypotheses: &[Hypothesis], text: impl Fn(usize, f32) -> Generation) -> Analysis {
    let points: Vec<(usize, f32)> = (0..PROMPTS).flat_map(|prompt| [(prompt, 0.5), (prompt, 1.0)]).collect();
    let trials: Vec<Trial> = points.iter().map(|&(prompt, t)| trial(prompt, t)).collect();
    let outcomes: HashMap<TrialId, Outcome> =
        points.iter().map(|&(prompt, t)| (id(prompt, t), Outcome::Generated(text(prompt, t)))).collect();
    analyse(&trials, Questions { hypotheses, ..Questions::default() }, |id| outcomes.get(id))
}

fn baseline(analysis: &Analysis) -> Baseline {
    let generate = Generate {
        max_tokens: 100,
        context: 512,
        numerics: Numerics::Invariant,
        bos: Bos::Model,
        draws: Draws::PerPrompt,
    };
    let (models, chains, prompts) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let facts = Facts {
        experiment: "e".to_owned(),
        generate,
        models,
        chains,
        prompts,
        moe_sweep: "0".to_owned(),
        engines: vec![],
        cpus: vec![],
    };
    Baseline::new(facts, analysis)
}

fn gate(of: &Analysis, metric: Metric, by: By) -> Gate {
    let before = baseline(&analysis(&[], |prompt, _| generation(None, clean(prompt), true)));
    let units = units(&before, &baseline(of), of, metric, by).expect("baselines keep the metric");
    decide(&units, Rule { margin: 0.05, alpha: 0.05 })
}

/// That the texts at T 1 are as clean as those at 0.5, and cleaner.
fn claims(metric: Metric) -> Vec<Hypothesis> {
    let at = |t: f32| Selection::of([Temperature::new(t).expect("it is one")]);
    let of = |id: &str, test| Hypothesis { metric, ..Hypothesis::plain(id, test) };
    let expect = crate::experiment::Direction::Decreasing;
    vec![
        of("as clean", Test::Equivalence { base: at(0.5), other: at(1.0), margin: 0.05 }),
        of("cleaner", Test::Contrast { base: at(0.5), other: at(1.0), expect }),
    ]
}

fn units_of_text() -> impl Strategy<Value = String> {
    let paragraph = "\\PC{200,600}";
    prop_oneof![
        "[a-z]{1,9}( [a-z]{1,9}){0,9}[ .]{0,2}",
        "[\u{4e00}-\u{4e80}]{1,30}",
        "[\u{e01}-\u{e30}]{1,30}",
        "[ \n\t.]{1,4}",
        "[0-9]{1,5}[ ,]{0,1}",
        "\\PC{1,60}",
        paragraph,
    ]
}

/// No gate, recommendation or hypothesis takes texts that consist of `loops` for clean ones.
fn never_clean(loops: &str, site: LoopSite, has_tokens: bool) -> Result<(), TestCaseError> {
    let run = analysis(&[], |prompt, _| looping(site, loops, prompt, has_tokens));
    for metric in Baseline::GATED {
        for by in [By::Arm, By::Cell] {
            let gate = gate(&run, metric, by);
            prop_assert_ne!(gate.outcome, GateStatus::Pass, "{} of {:?}", metric.name(), loops);
        }
    }
    for metric in [Metric::RepetitionScore, Metric::Covered20Chars] {
        for arm in recommend(&run, Limits { p_loop: 0.2, score: 0.1, metric }) {
            prop_assert!(arm.highest().is_none(), "{:?} of {loops:?}", arm.advice);
        }
    }
    for metric in [Metric::RepetitionScore, Metric::Covered20Chars, Metric::Loop] {
        let heated = |prompt, t: f32| match t {
            1.0 => looping(site, loops, prompt, has_tokens),
            _ => generation(None, clean(prompt), has_tokens),
        };
        for verdict in analysis(&claims(metric), heated).verdicts {
            let said = format!("{} by {}: {}, of {loops:?}", verdict.id, metric.name(), verdict.sentence);
            prop_assert_ne!(verdict.outcome, Conclusion::Supported, "{}", said);
        }
    }
    Ok(())
}

/// Six characters: a third of their n-grams repeat, which clean texts reach by these metrics too.
#[test]
#[cfg_attr(debug_assertions, ignore = "analyses hundreds of runs: for optimised builds")]
fn the_shortest_loops_are_not_clean() {
    for (loops, site) in itertools::iproduct!(["0 0 0 ", "a a a ", "aaaaaa", ". . . ", "从前从前从前"], LOOP_SITES)
    {
        never_clean(loops, site, false).unwrap_or_else(|error| panic!("{site:?}: {error}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    #[cfg_attr(debug_assertions, ignore = "analyses hundreds of runs: for optimised builds")]
    fn no_looping_model_is_ever_called_clean(
        unit in units_of_text(),
        copies in 3..12_usize,
        site in prop::sample::select(&LOOP_SITES),
        has_tokens: bool,
    ) {
        never_clean(&unit.repeat(copies), site, has_tokens)?;
    }

    /// A loop at the end of a long text, of which a mean of shares counts little.
    #[test]
    #[cfg_attr(debug_assertions, ignore = "analyses hundreds of runs: for optimised builds")]
    fn a_late_loop_is_a_loop(unit in "[a-z]{1,9}( [a-z]{1,9}){0,9} ", has_tokens: bool) {
        let loops = unit.repeat(120 / unit.len() + 3);
        let late = |prompt: usize| (0..20).map(|i| clean(prompt + 30 * i) + " ").collect::<String>() + &loops;
        let run = analysis(&[], |prompt, _| generation(None, late(prompt), has_tokens));
        for metric in Baseline::GATED {
            prop_assert_ne!(gate(&run, metric, By::Arm).outcome, GateStatus::Pass, "{}", metric.name());
        }
    }

    /// Or the property above would hold of a gate that never passes anything.
    #[test]
    #[cfg_attr(debug_assertions, ignore = "analyses hundreds of runs: for optimised builds")]
    fn a_clean_model_is_called_clean(thinks: bool, has_tokens: bool) {
        let thought = |prompt: usize| thinks.then(|| clean(prompt + 100));
        let run = analysis(&claims(Metric::Loop), |prompt, _| generation(thought(prompt), clean(prompt), has_tokens));
        for metric in [Metric::RepetitionScore, Metric::Loop, Metric::Covered20Chars, Metric::TailShareChars] {
            prop_assert_eq!(gate(&run, metric, By::Cell).outcome, GateStatus::Pass, "{}", metric.name());
        }
        let limits = Limits { p_loop: 0.2, score: 0.2, metric: Metric::RepetitionScore };
        let advice = recommend(&run, limits).remove(0).advice;
        prop_assert!(matches!(advice, Advice::NoLimit { .. }), "{advice:?}");
        prop_assert_eq!(run.verdicts[0].outcome, Conclusion::Supported, "{}", run.verdicts[0].sentence);
    }
}
