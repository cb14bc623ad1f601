//! How many prompts a sequential experiment takes, and how often it errs, over simulated sweeps whose truth is known.
//!
//!     cargo run --release --example sequential_looks
//!
//! A prompt has four texts in each of two arms. A text that loops scores evenly from 0.5 to 1, another one from
//! 0 to 0.05. Each prompt loops with a probability of its own, Beta(2P, 2(1 − P)), at the same quantile in both
//! arms. It is looked at after every prompt, with alpha 0.05, two-sided; Student's t beside it, once at the end as
//! in a fixed design, and, as it must not be used, after every prompt from the sixth on.

use moe_sweep::stats::sequential::{Bounds, HedgedBet, MarginBets, SignFlip};
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use statrs::distribution::{Beta, ContinuousCDF as _, StudentsT};

const SWEEPS: u64 = 2000;
const TEXTS: usize = 4;
const ALPHA: f64 = 0.05;
const CUT: f64 = 0.95;
const MARGIN: f64 = 0.2;
/// Of a loop's score over that of another text.
const STEP: f64 = 0.75 - 0.025;

/// After how many prompts it is decided; `None` where it never is.
type Stop = Option<usize>;

fn main() {
    println!(
        "{SWEEPS} sweeps a row, {TEXTS} texts a prompt and arm, alpha {ALPHA}. Percent decided; in brackets the mean"
    );
    println!("number of prompts used.\n");
    println!(
        "| P(loop) | mean difference | prompts | sign-flip | one-sided | betting | within {MARGIN} | t at the end | t at \
         every look |\n|---|---|---|---|---|---|---|---|---|"
    );
    for (base, other) in
        [(0.05, 0.05), (0.3, 0.3), (0.05, 0.1), (0.05, 0.2), (0.05, 0.4), (0.05, 0.6), (0.05, 0.8), (0.05, 0.9)]
    {
        for n in [24, 96] {
            let sweeps: Vec<[Stop; 6]> = (0..SWEEPS).into_par_iter().map(|key| looks(base, other, n, key)).collect();
            let cell = |which: usize| {
                let stops: Vec<Stop> = sweeps.iter().map(|sweep| sweep[which]).collect();
                let decided = stops.iter().flatten().count() as f64 / stops.len() as f64;
                let used = stops.iter().map(|stop| stop.unwrap_or(n)).sum::<usize>() as f64 / stops.len() as f64;
                format!("{:.1} ({used:.0})", 100.0 * decided)
            };
            let cells: Vec<String> = (0..6).map(cell).collect();
            println!("| {base} → {other} | {:.2} | {n} | {} |", (other - base) * STEP, cells.join(" | "));
        }
    }
}

/// One sweep of up to `n` prompts: when each of the instruments decides.
fn looks(base: f64, other: f64, n: usize, key: u64) -> [Stop; 6] {
    let mut rng = ChaCha8Rng::seed_from_u64(key);
    let spread = |p: f64| Beta::new(2.0 * p, 2.0 * (1.0 - p)).expect("0 < p < 1");
    let arms = [spread(base), spread(other)];
    let mut flip = SignFlip::default();
    let mut bet = HedgedBet::new(0.5, ALPHA, CUT).expect("they lie between 0 and 1");
    let mut margin = MarginBets::new(MARGIN, ALPHA).expect("it lies between 0 and 1");
    let needed = -ALPHA.ln();
    let mut stops = [None; 6];
    let mut differences = Vec::new();
    for t in 1..=n {
        let quantile: f64 = rng.random();
        let [base, other] = [0, 1].map(|arm: usize| mean_score(arms[arm].inverse_cdf(quantile), &mut rng));
        let difference = other - base;
        differences.push(difference);
        flip.observe(Bounds::exactly(difference));
        bet.observe(f64::midpoint(difference, 1.0));
        margin.observe(Bounds::exactly(difference));
        let decided = [
            flip.ln_either() >= needed,
            flip.ln_up() >= needed,
            bet.ln_wealth() >= needed,
            margin.ln_within() >= needed,
            t == n && student(&differences),
            t >= 6 && student(&differences),
        ];
        for (stop, decided) in stops.iter_mut().zip(decided) {
            *stop = stop.or(decided.then_some(t));
        }
    }
    stops
}

fn mean_score(loops: f64, rng: &mut ChaCha8Rng) -> f64 {
    let mut score = || {
        let place: f64 = rng.random();
        if rng.random::<f64>() < loops { 0.5 + 0.5 * place } else { 0.05 * place }
    };
    (0..TEXTS).map(|_| score()).sum::<f64>() / TEXTS as f64
}

/// Whether Student's t finds the mean to be another than 0, two-sided.
fn student(differences: &[f64]) -> bool {
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let t = mean.abs() / (variance / n).sqrt();
    2.0 * StudentsT::new(0.0, 1.0, n - 1.0).expect("degrees of freedom are positive").sf(t) <= ALPHA
}
