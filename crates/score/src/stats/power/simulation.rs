//! Simulates how often what is called detectable is found in scores that are far from normal. It is not a part of the
//! program.
//!
//!     cargo test --release -p moe-sweep-score --lib -- --ignored --nocapture power_on_scores_that_loop
//!
//! Scores are those of the simulated coverage (`coverage`): few texts loop and score evenly from
//! 0.5 to 1, the others from 0 to 0.05. One arm loops with P, the other so much more that the mean
//! difference is what [`detectable`] names for the true spread of prompts.

use rayon::prelude::*;

use super::super::coverage::{Texts, sample};
use super::super::permutation::turn_signs;
use super::{Detectable, Target, detectable};

const POWER: f64 = 0.8;

/// Mean and variance of a prompt's mean score in an arm.
fn moments(texts: Texts, p: f64) -> (f64, f64) {
    let mean = 0.75 * p + 0.025 * (1.0 - p);
    // Of squares of numbers spread evenly from 0.5 to 1, and from 0 to 0.05.
    let variance = p * 7.0 / 12.0 + (1.0 - p) * 0.0025 / 3.0 - mean * mean;
    let between = 0.725_f64.powi(2) * p * (1.0 - p) / 3.0;
    match texts {
        Texts::OnePerPrompt => (mean, variance),
        Texts::FourPerPrompt => (mean, between + (variance - between) / 4.0),
    }
}

/// The P(loop) of the other arm at which the mean difference is detectable; `None` where none is.
fn other(texts: Texts, p: f64, n: usize, target: Target) -> Option<f64> {
    let Detectable::From(dz) = detectable(1.0, n, target).unwrap() else { return None };
    let base = moments(texts, p);
    let is_enough = |p: f64| {
        let other = moments(texts, p);
        other.0 - base.0 >= dz * (base.1 + other.1).sqrt()
    };
    (1..=1000).map(|step| p + (1.0 - p) * f64::from(step) / 1000.0).find(|&p| is_enough(p))
}

/// Percent of data sets in which the other arm is found to be higher.
fn measure(texts: Texts, p: f64, n: usize, target: Target, sets: u64) -> Option<f64> {
    let higher = other(texts, p, n, target)?;
    let is_found = |&set: &u64| {
        let arms = [(p, 2 * set), (higher, 2 * set + 1)].map(|(p, set)| sample(texts, p, n, set));
        let differences: Vec<f64> = arms[0].iter().zip(&arms[1]).map(|(base, other)| other - base).collect();
        let sum = |signs: &[f64]| differences.iter().zip(signs).map(|(difference, sign)| difference * sign).sum();
        // Without the interval that `sign_test` has beside its p.
        turn_signs(n, sum).p <= target.alpha && differences.iter().sum::<f64>() > 0.0
    };
    let found = (0..sets).into_par_iter().filter(is_found).count();
    Some(100.0 * found as f64 / sets as f64)
}

#[test]
#[ignore = "a simulation of a minute, for its table"]
fn power_on_scores_that_loop() {
    for texts in [Texts::OnePerPrompt, Texts::FourPerPrompt] {
        println!("\n{texts:?}: percent in which what is detectable with 80 is found, m = 1, 5, 10");
        for (p, n) in itertools::iproduct!([0.05, 0.2], [6, 8, 12, 16, 24, 48]) {
            let cells = [1.0, 5.0, 10.0].map(|m| {
                let target = Target { alpha: 0.05 / m, power: POWER };
                measure(texts, p, n, target, 1000).map_or_else(|| "–".to_owned(), |found| format!("{found:.1}"))
            });
            println!("P={p:<4} n={n:<3} {}", cells.join(" / "));
        }
    }
}
