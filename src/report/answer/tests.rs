//! What is said of every kind of answer.

use super::*;
use crate::analysis::{AskedBy, Change, Course, Side};
use crate::domain::{ChainId, Factor, Level, Temperature};
use crate::metrics::Metric;
use crate::stats::Interval;

fn interval(low: f64, high: f64) -> Option<Interval> {
    Some(Interval { low, high, level: 0.95 })
}

fn side(level: impl Into<Level>, mean: f64) -> Side {
    Side { levels: vec![level.into()], mean: Some(mean), interval: interval(mean - 0.1, mean + 0.1), n_prompts: 24 }
}

fn changes() -> Vec<Change> {
    let chain = |name: &str| ChainId::from(name);
    let t = |t| Temperature::new(t).unwrap();
    let change = |course, factor, from: Side, to: Side, within: Vec<Level>| Change {
        id: "h".to_owned(),
        claim: "A claim.".to_owned(),
        metric: Metric::RepetitionScore,
        course,
        factors: vec![factor],
        within,
        difference: to.mean.unwrap() - from.mean.unwrap(),
        interval: interval(-0.7, -0.4),
        from,
        to,
        p: Some(0.0004),
        n_prompts: 24,
    };
    vec![
        change(Course::Between, Factor::Chain, side(chain("shimmy-1.7"), 0.6), side(chain("llama.cpp"), 0.104), vec![]),
        change(
            Course::Along,
            Factor::Temperature,
            side(t(0.1), 0.14),
            side(t(0.9), 0.6),
            vec![chain("shimmy-1.7").into()],
        ),
    ]
}

fn answer(says: Says) -> RunAnswer {
    RunAnswer {
        says,
        metric: Metric::RepetitionScore,
        asked_by: AskedBy::Design,
        n_questions: 4,
        texts: Texts { planned: 96, scored: 90, censored: 0, failed: 2, missing: 4, loops: 30 },
        overall: Side { levels: vec![], mean: Some(0.31), interval: interval(0.19, 0.46), n_prompts: 24 },
    }
}

#[test]
fn the_verb_follows_what_changes_it() {
    let mut tokens = changes().remove(0);
    tokens.factors = vec![Factor::PrefixTokens];
    let headline = |change: Change| said(&answer(Says::Changes(vec![change])), "mine").headline;
    assert!(headline(tokens).starts_with("The prefix tokens matter: "));
    assert!(headline(changes().remove(0)).starts_with("The chain matters: "));
}

#[test]
fn each_answer_is_said() {
    let mut falls = changes();
    falls.remove(0);
    let Change { from, to, .. } = &mut falls[0];
    std::mem::swap(&mut from.mean, &mut to.mean);
    falls[0].difference = -falls[0].difference;
    let all = [
        ("changes", Says::Changes(changes())),
        ("falls", Says::Changes(falls)),
        ("alike", Says::Alike(vec!["The offload changes nothing.".to_owned()])),
        ("entangled", Says::Entangled(vec!["What the temperature does depends on the chain.".to_owned()])),
        ("clean", Says::Clean { bound: 0.117 }),
        ("undecided", Says::Undecided),
        ("measured", Says::Measured),
        ("not_tested", Says::NotTested { why: "a test takes 6 prompts".to_owned() }),
        ("cut", Says::Cut),
        ("no_texts", Says::NoTexts),
    ];
    for (name, says) in all {
        let Said { headline, lines } = said(&answer(says), "mine");
        let lines: String = lines.iter().map(|Line { head, text }| format!("{head:<6}{text}\n")).collect();
        insta::assert_snapshot!(name, format!("{headline}\n{lines}"));
    }
}

#[test]
fn programs_read_the_same() {
    let mut json = Vec::new();
    write(&answer(Says::Changes(changes())), "mine", Some("Why?"), &mut json).unwrap();
    insta::assert_snapshot!("json", String::from_utf8(json).unwrap());
}
