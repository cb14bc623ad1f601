//! How often `moe-sweep check` fails, passes and can't tell, over simulated releases
//! whose truth is known.
//!
//!     cargo run --release --example false_alarms
//!
//! A release is four arms of 24 prompts; an arm has eight temperatures with one text
//! each (a chain without a draw) or four. Scores have two humps: a text that loops scores
//! evenly from 0.5 to 1, another one from 0 to 0.05. Each prompt has its own probability
//! of a loop, Beta(2P, 2(1 − P)), the same in the baseline and the release, but for the
//! shift: so much more of the mean score in every arm. Baseline and release are drawn anew
//! each time, which is the worst case: an unchanged release of the same engine writes the same
//! texts.

use moe_sweep::check::{Outcome, Rule, Unit, decide};
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use statrs::distribution::{Beta, ContinuousCDF as _};

const RELEASES: u64 = 500;
const ARMS: usize = 4;
const PROMPTS: usize = 24;
const TEMPERATURES: usize = 8;
const RULE: Rule = Rule { margin: 0.05, alpha: 0.05 };
/// Of a loop's score over that of another text.
const STEP: f64 = 0.75 - 0.025;

fn main() {
    println!(
        "margin {}, alpha {}, {RELEASES} releases each, {ARMS} arms of {PROMPTS} prompts",
        RULE.margin, RULE.alpha
    );
    println!("Percent, with Wilson's 95 % intervals\n");
    println!("| P(loop) | texts a cell | worse by | fail | pass | inconclusive |\n|---|---|---|---|---|---|");
    for p in [0.05, 0.3, 0.6] {
        for texts in [1, 4] {
            for shift in [0.0, 0.05, 0.1, 0.2] {
                let outcomes: Vec<Outcome> =
                    (0..RELEASES).into_par_iter().map(|release| gate(p, texts, shift, release)).collect();
                let rate = |wanted| percent(outcomes.iter().filter(|&&outcome| outcome == wanted).count() as f64);
                let [fail, pass, open] = [Outcome::Fail, Outcome::Pass, Outcome::Inconclusive].map(rate);
                println!("| {p} | {texts} | {shift} | {fail} | {pass} | {open} |");
            }
        }
    }
}

fn gate(p: f64, texts: usize, shift: f64, release: u64) -> Outcome {
    let mut rng = ChaCha8Rng::seed_from_u64(release);
    let spread = Beta::new(2.0 * p, 2.0 * (1.0 - p)).expect("0 < p < 1");
    let units: Vec<Unit> = (0..ARMS)
        .map(|arm| {
            let difference = |_| {
                let loops = spread.inverse_cdf(rng.random::<f64>());
                let before = mean_score(loops, texts, &mut rng);
                mean_score((loops + shift / STEP).min(1.0), texts, &mut rng) - before
            };
            Unit {
                name: arm.to_string(),
                differences: (0..PROMPTS).map(difference).collect(),
                blind: None,
                loops_more: None,
            }
        })
        .collect();
    decide(&units, RULE).outcome
}

/// Of a prompt's texts over the temperatures.
fn mean_score(loops: f64, texts: usize, rng: &mut ChaCha8Rng) -> f64 {
    let n = TEMPERATURES * texts;
    let mut score = || {
        let place: f64 = rng.random();
        if rng.random::<f64>() < loops { 0.5 + 0.5 * place } else { 0.05 * place }
    };
    (0..n).map(|_| score()).sum::<f64>() / n as f64
}

/// Wilson 1927, "Probable Inference".
fn percent(hits: f64) -> String {
    let (n, z) = (RELEASES as f64, 1.96);
    let share = hits / n;
    let centre = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    format!("{:.1} [{:.1}, {:.1}]", 100.0 * share, 100.0 * (centre - half).max(0.0), 100.0 * (centre + half))
}
