//! How often `moe-sweep recommend` says a false "under" or a false "over", over simulated runs
//! whose truth is known.
//!
//!     cargo run --release --example promises_recommend [RUNS]
//!
//! One chain at eight temperatures that do nothing. A text loops with its prompt's own probability,
//! Beta(2P, 2(1 − P)), and then scores 48 to 94 of 95 trigrams; another one 0 (60 %) or 1 to 5 of 95. Under
//! the limits of 0.2 for P(loop) and 0.1 for the mean, P up to 0.118 is under, and any other is not.

use itertools::{Itertools as _, iproduct};
use moe_sweep::analysis::{Advice, Analysis, Limits, Recommendation, ScoredTrial, Standing, TrialResult, recommend};
use moe_sweep::domain::{Cell, Generation, Seed, Stop, Temperature, Trial, TrialId};
use moe_sweep::metrics::{Metric, Scores};
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use statrs::distribution::{Beta, ContinuousCDF as _};

const LIMITS: Limits = Limits { p_loop: 0.2, score: 0.1, metric: Metric::RepetitionScore };
const TEMPERATURES: u8 = 8;
/// Of a text that loops, and of another one.
const MEANS: [f64; 2] = [71.0 / 95.0, 1.2 / 95.0];

fn main() {
    let runs: u64 = std::env::args().nth(1).and_then(|runs| runs.parse().ok()).unwrap_or(300);
    println!("Percent of {runs} runs each; a false one is marked *\n");
    println!("| P(loop) | mean | texts a prompt | prompts | each is under | some are under | some are over |");
    println!("|---|---|---|---|---|---|---|");
    for (design, (p, k, n)) in iproduct!([0.05, 0.1, 0.115, 0.13, 0.2, 0.3], [1, 4], [24, 36, 48, 96]).enumerate() {
        let mean = p * MEANS[0] + (1.0 - p) * MEANS[1];
        let found: Vec<Recommendation> = (0..runs)
            .into_par_iter()
            .filter_map(|run| recommend(&simulated(p, k, n, design as u64 * 100_000 + run), LIMITS).pop())
            .collect();
        let is_under = p <= LIMITS.p_loop && mean <= LIMITS.score;
        let percent = |is_true: bool, test: fn(&Recommendation) -> bool| {
            let share = found.iter().filter(|found| test(found)).count() as f64 / found.len() as f64;
            format!("{:.1}{}", 100.0 * share, if is_true { "" } else { " *" })
        };
        let each = percent(is_under, |found| matches!(found.advice, Advice::NoLimit { .. }));
        let some = percent(is_under, |found| matches!(found.advice, Advice::Range { .. }));
        let over = percent(!is_under, |found| found.temperatures.iter().any(|at| at.standing == Standing::Over));
        println!("| {p} | {mean:.3} | {k} | {n} | {each} | {some} | {over} |");
    }
}

fn simulated(p: f64, k: u32, n: usize, run: u64) -> Analysis {
    let mut random = ChaCha8Rng::seed_from_u64(run);
    let beta = Beta::new(2.0 * p, 2.0 * (1.0 - p)).expect("P lies between 0 and 1");
    let prompts = (0..n).map(|_| beta.inverse_cdf(random.random_range(1e-9..1.0))).collect_vec();
    let mut analysis = Analysis::default();
    for (at, (prompt, own), seed) in iproduct!(0..TEMPERATURES, prompts.iter().enumerate(), 0..k) {
        let loops = random.random_bool(*own);
        let score = match random.random_range(0.0..1.0) {
            at if loops => (48.0 + f64::floor(47.0 * at)) / 95.0,
            at if at < 0.6 => 0.0,
            at => (f64::floor((at - 0.6) / 0.4 * 5.0) + 1.0) / 95.0,
        };
        let scores = Scores::from_fn(|metric| match metric {
            Metric::RepetitionScore => Some(score),
            Metric::Loop => Some(f64::from(u8::from(loops))),
            _ => None,
        });
        let generation = Generation::of_tokens(1, Vec::new(), String::new(), Stop::MaxTokens);
        analysis.trials.push(ScoredTrial::new(trial(at, prompt, seed), TrialResult::Scored { generation, scores }));
    }
    analysis
}

fn trial(at: u8, prompt: usize, seed: u32) -> Trial {
    let id: TrialId = TrialId::known("00".repeat(16));
    let cell = Cell::usual("m", "pure", Temperature::new(0.1 + 0.2 * f32::from(at)).expect("it is one"));
    Trial { id, cell, prompt: prompt.to_string(), seed: Seed::new(seed) }
}
