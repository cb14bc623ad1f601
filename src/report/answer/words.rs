//! Words the parts of an answer, in plain units.

use crate::analysis::{AskedBy, Change, Course, RunAnswer, Says, Side, p_in_words};
use crate::domain::{Factor, Level};
use crate::metrics::Metric;
use crate::report::number::{bracketed, percent, points, short, signed_bracketed};

/// The one sentence.
pub fn headline(answer: &RunAnswer) -> String {
    let texts = answer.texts;
    match &answer.says {
        Says::Changes(changes) => change(&changes[0]),
        Says::Alike(claims) | Says::Entangled(claims) => format!("Shown: {}", claims.join(" ")),
        Says::Clean { bound } => format!(
            "None of {} texts loops, so fewer than {}\u{a0}% of prompts would (95\u{a0}% sure)",
            texts.scored,
            percent(*bound)
        ),
        Says::Undecided => {
            format!("Not decided: no setting that varies is shown to change repetition; {}", overall(answer))
        }
        Says::Measured => format!("{}; no setting varies that could change it", overall(answer)),
        Says::NotTested { .. } => format!("{}; the effect of settings could not be tested", overall(answer)),
        Says::Cut => format!(
            "Not known: the server cut {} of {} texts before their end",
            texts.censored,
            texts.scored + texts.censored
        ),
        Says::NoTexts => "No text yet".to_owned(),
    }
}

/// How much is repeated in all of it.
fn overall(answer: &RunAnswer) -> String {
    amount(answer.metric, &answer.overall)
}

/// From how much to how much something changes it.
pub fn change(change: &Change) -> String {
    let Change { metric, course, factors, within, from, to, .. } = change;
    let at = |amount: String, side: &Side| format!("{amount} {}", with(&side.levels));
    let sides = format!("{}, {}", at(amount(*metric, from), from), at(number(*metric, to), to));
    let within = if within.is_empty() { String::new() } else { format!(" ({})", listed(within)) };
    let named = factors.iter().map(|factor| spaced(*factor)).collect::<Vec<_>>().join(" and ");
    match course {
        Course::Along => {
            let goes = if change.lessens() { "falls" } else { "rises" };
            format!("Repetition {goes} with the {named}: {sides}{within}")
        }
        Course::Between => {
            let matter = if is_plural(factors) { "matter" } else { "matters" };
            format!("The {named} {matter}: {sides}{within}")
        }
    }
}

/// Whether their names, one after the other, are a plural.
fn is_plural(factors: &[Factor]) -> bool {
    factors.len() > 1 || matches!(factors, [Factor::PrefixTokens | Factor::ExpertsUsed])
}

/// What a person would do about it; None where there is nothing.
pub fn advice(answer: &RunAnswer, run: &str) -> Option<String> {
    match &answer.says {
        Says::Changes(changes) => Some(of_change(&changes[0], run)),
        Says::Undecided => Some("more prompts may decide it; moe-sweep power says how many".to_owned()),
        Says::Measured => Some("give a factor in [grid] at least two levels, or use moe-sweep diagnose".to_owned()),
        Says::Cut => Some("let the server write longer texts: docs/servers.md".to_owned()),
        Says::Entangled(_) | Says::Alike(_) | Says::Clean { .. } | Says::NotTested { .. } | Says::NoTexts => None,
    }
}

fn of_change(change: &Change, run: &str) -> String {
    let factor = change.factors.first().copied();
    match (change.course, factor) {
        (Course::Along, Some(Factor::Temperature)) => {
            let which = if change.lessens() { "higher" } else { "lower" };
            format!("run it at a {which} temperature; moe-sweep recommend {run} says which are clean")
        }
        (Course::Along, _) => {
            let better = if change.lessens() { &change.to } else { &change.from };
            format!("run it {}, or near that", with(&better.levels))
        }
        (Course::Between, _) => format!("run it {}", with(&change.to.levels)),
    }
}

/// What the answer stands on.
pub fn sure(answer: &RunAnswer) -> String {
    let RunAnswer { n_questions, overall: Side { n_prompts, .. }, .. } = answer;
    let questions = match n_questions {
        0 => String::new(),
        1 => ", one question".to_owned(),
        n => format!(", corrected for {n} questions"),
    };
    match &answer.says {
        Says::Changes(changes) => {
            let Change { difference, interval, p, n_prompts, metric, .. } = &changes[0];
            let by = if metric.ends_at_1() {
                format!("{} points{}", points(*difference), signed_bracketed(*interval))
            } else {
                format!("difference {}", short(*difference))
            };
            let p = p.map_or(String::new(), |p| format!(", p {}", p_in_words(p)));
            format!("{by}, {n_prompts} prompts{p}{questions}{}", asked_by(answer))
        }
        Says::Clean { .. } => format!("{n_prompts} prompts; over all texts {}", overall(answer)),
        _ => format!("{n_prompts} prompts{questions}{}", asked_by(answer)),
    }
}

/// "31 % [19, 46] of word trigrams repeat".
pub fn amount(metric: Metric, side: &Side) -> String {
    let number = number(metric, side);
    match metric {
        _ if side.mean.is_none() => number,
        Metric::RepetitionScore => format!("{number} of word trigrams repeat"),
        Metric::Loop => format!("{number} of texts end in a loop"),
        _ => format!("{} is {number}", metric.name()),
    }
}

/// "31 % [19, 46]", or as it is where it is no share.
fn number(metric: Metric, side: &Side) -> String {
    let Some(mean) = side.mean else { return "no score".to_owned() };
    if metric.ends_at_1() {
        return format!("{}\u{a0}%{}", percent(mean), bracketed(side.interval));
    }
    let interval = side.interval.map_or(String::new(), |i| format!(" [{}, {}]", short(i.low), short(i.high)));
    format!("{}{interval}", short(mean))
}

/// "with chain llama.cpp", "at temperature 0.9".
fn with(levels: &[Level]) -> String {
    match levels {
        [one] if one.factor() == Factor::Temperature => format!("at {}", one.in_cell()),
        _ => format!("with {}", listed(levels)),
    }
}

fn listed(levels: &[Level]) -> String {
    levels.iter().map(Level::in_title).collect::<Vec<_>>().join(", ")
}

fn spaced(factor: Factor) -> String {
    factor.to_string().replace('_', " ")
}

/// Who asked, where it was nobody.
fn asked_by(answer: &RunAnswer) -> &'static str {
    match answer.asked_by {
        AskedBy::Experiment => "",
        AskedBy::Design => "; the experiment states no hypothesis, so moe-sweep chose these questions",
    }
}
