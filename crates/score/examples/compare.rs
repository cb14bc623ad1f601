//! Scores two groups of texts, and says how much more one of them repeats itself, with an interval.
//!
//!     cargo run -p moe-sweep-score --example compare [BASE OTHER]
//!
//! BASE and OTHER are files with a text a line; line n of both answers prompt n. Without them texts are made up, of
//! which two thirds of the other group's end in a loop.

use std::error::Error;
use std::fs;

use moe_sweep_score::metrics::{Metric, Scores, score};
use moe_sweep_score::stats::{Kinds, PromptDifference, Range, test_difference};

const METRIC: Metric = Metric::RepetitionScore;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [base, other] = match &arguments[..] {
        [] => [made_up(|_| false), made_up(|prompt| prompt % 3 > 0)],
        [base, other] => [lines_of(base)?, lines_of(other)?],
        _ => return Err("give two files of texts, or none".into()),
    };
    if base.len() != other.len() {
        return Err(format!(
            "there are {} and {} texts, but each prompt needs one in both files",
            base.len(),
            other.len()
        )
        .into());
    }
    let mut differences = Vec::new();
    for (prompt, (base, other)) in base.iter().zip(&other).enumerate() {
        let (base, other) = (score(base, None), score(other, None));
        let [from, to] = [&base, &other].map(|scores| scores.get(METRIC).filter(|_| scores.sees(METRIC)));
        println!("prompt {prompt}: {} {}, {}", METRIC.name(), shown(from), shown(to));
        // A text that the metric can't see into must not count as clean.
        let (Some(from), Some(to)) = (from, to) else { continue };
        differences.push(PromptDifference { value: to - from, base: kinds(&base), other: kinds(&other) });
    }
    let found = test_difference(&differences, 0.0, Range::Unit)?;
    let interval = match found.mean.interval {
        Some(interval) => format!("95 % interval {:+.3} to {:+.3}", interval.low, interval.high),
        None => "too few prompts for an interval".to_owned(),
    };
    println!(
        "mean difference {:+.3} over {} prompts, {interval}, p {:.4}",
        found.mean.estimate, found.n_prompts, found.p.p
    );
    Ok(())
}

fn lines_of(path: &str) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// A text for each of 24 prompts.
fn made_up(ends_in_a_loop: impl Fn(usize) -> bool) -> Vec<String> {
    let text = |prompt: usize| {
        let free: String = (1..60).map(|place| word((prompt + 1) * 7919 + place * place * 31)).collect();
        let rest = if ends_in_a_loop(prompt) { "and to be able ".repeat(10) } else { String::new() };
        free + &rest
    };
    (0..24).map(text).collect()
}

/// Two to five syllables, and a space.
fn word(mut number: usize) -> String {
    let mut word = String::new();
    for _ in 0..2 + number % 4 {
        word.push_str(["ba", "ce", "di", "fo", "gu", "ha", "le", "mi", "no", "ru", "sa"][number % 11]);
        number = number / 11 + number % 7 * 131;
    }
    word + " "
}

/// What one text is: with several of a prompt, there may be both kinds.
fn kinds(scores: &Scores) -> Kinds {
    let loops = scores.get(METRIC).is_some_and(|value| scores.loops_by(METRIC, value));
    Kinds { loops, free: !loops }
}

fn shown(value: Option<f64>) -> String {
    value.map_or("unseen".to_owned(), |value| format!("{value:.3}"))
}
