//! Simulates how often intervals of a mean cover it. It is not a part of the program.
//!
//!     cargo test --release -p moe-sweep-score --lib -- --ignored --nocapture coverage_of_intervals
//!
//! Scores have two humps: a text that loops scores evenly from 0.5 to 1, another
//! one from 0 to 0.05. Either each prompt has one text, or it has four and its
//! own probability of a loop, spread as Beta(2P, 2(1 − P)).

use rayon::prelude::*;
use statrs::distribution::{Beta, ContinuousCDF, StudentsT};

use super::bootstrap::{Correction, Resamples, expanded_tail, quantile};
use super::testing::uniforms;
use super::{Hits, bca_interval_of_mean, clustered_share};

const RESAMPLES: usize = 2000;

#[derive(Clone, Copy, Debug)]
pub(super) enum Texts {
    OnePerPrompt,
    FourPerPrompt,
}

fn loop_score(p: f64, uniforms: &mut impl Iterator<Item = f64>) -> f64 {
    let (which, where_in) = (uniforms.next().unwrap(), uniforms.next().unwrap());
    if which < p { 0.5 + 0.5 * where_in } else { 0.05 * where_in }
}

/// The means of n prompts.
pub(super) fn sample(texts: Texts, p: f64, n: usize, set: u64) -> Vec<f64> {
    let mut uniforms = uniforms(set);
    let beta = Beta::new(2.0 * p, 2.0 * (1.0 - p)).unwrap();
    let prompt = |_| match texts {
        Texts::OnePerPrompt => loop_score(p, &mut uniforms),
        Texts::FourPerPrompt => {
            let p = beta.inverse_cdf(uniforms.next().unwrap());
            (0..4).map(|_| loop_score(p, &mut uniforms)).sum::<f64>() / 4.0
        }
    };
    (0..n).map(prompt).collect()
}

const METHODS: [&str; 6] = ["t", "percentile", "expanded", "BCa", "BCa expanded", "bootstrap-t"];

fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    (mean, (values.map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt())
}

/// The 95 % interval of each of the methods.
fn intervals(values: &[f64], drawn: &[Vec<usize>]) -> [[f64; 2]; 6] {
    let n = values.len();
    let (mean, se) = moments(values.iter().copied());
    let t = StudentsT::new(0.0, 1.0, n as f64 - 1.0).unwrap().inverse_cdf(0.975);
    let (mut means, mut ts) = (vec![], vec![]);
    for drawn in drawn {
        let (resampled, resampled_se) = moments(drawn.iter().map(|&i| values[i]));
        means.push(resampled);
        ts.push(if resampled_se > 1e-9 { (resampled - mean) / resampled_se } else { 0.0 });
    }
    let expanded = expanded_tail(n, 0.95);
    let jackknife: Vec<f64> = values.iter().map(|x| (mean * n as f64 - x) / (n as f64 - 1.0)).collect();
    let correction = Correction::new(mean, &jackknife, &means);
    let mut percentile = |low: f64, high: f64| [quantile(&mut means, low), quantile(&mut means, high)];
    [
        [mean - t * se, mean + t * se],
        percentile(0.025, 0.975),
        percentile(expanded, 1.0 - expanded),
        percentile(correction.of(0.025), correction.of(0.975)),
        percentile(correction.of(expanded), correction.of(1.0 - expanded)),
        [mean - quantile(&mut ts, 0.975) * se, mean - quantile(&mut ts, 0.025) * se],
    ]
}

/// Percent of the intervals that cover, and their mean width, for each method.
fn measure(texts: Texts, p: f64, n: usize, sets: u64) -> [(f64, f64); 6] {
    let truth = 0.75 * p + 0.025 * (1.0 - p);
    let drawn: Vec<Vec<usize>> = Resamples::of(n).iter().take(RESAMPLES).map(<[usize]>::to_vec).collect();
    let all: Vec<[[f64; 2]; 6]> =
        (0..sets).into_par_iter().map(|set| intervals(&sample(texts, p, n, set), &drawn)).collect();
    std::array::from_fn(|method| {
        let of_method = all.iter().map(|intervals| intervals[method]);
        let covering = of_method.clone().filter(|[low, high]| *low <= truth && truth <= *high).count();
        let width: f64 = of_method.map(|[low, high]| high - low).sum();
        (100.0 * covering as f64 / sets as f64, width / sets as f64)
    })
}

#[test]
#[ignore = "a simulation of some minutes"]
fn coverage_of_intervals() {
    for texts in [Texts::OnePerPrompt, Texts::FourPerPrompt] {
        println!(
            "\n{texts:?}: percent that cover (mean width)\n{:>12}{}",
            "",
            METHODS.map(|m| format!("{m:>16}")).concat()
        );
        for (p, n) in [0.05, 0.1, 0.3, 0.6].into_iter().flat_map(|p| [12, 24, 48].map(|n| (p, n))) {
            let cells = measure(texts, p, n, 4000).map(|(covering, width)| format!("{covering:>8.1} ({width:.3})"));
            println!("P={p:<4} n={n:<3} {}", cells.concat());
        }
    }
}

#[test]
fn the_interval_covers_as_often_as_it_says() {
    let covers = |set: &u64| {
        let clusters: Vec<[f64; 1]> = sample(Texts::FourPerPrompt, 0.3, 24, *set).into_iter().map(|x| [x]).collect();
        let interval = bca_interval_of_mean(&clusters, 0.95).unwrap();
        let truth = 0.75 * 0.3 + 0.025 * 0.7;
        interval.low <= truth && truth <= interval.high
    };
    let covering = (0..400_u64).into_par_iter().filter(covers).count();
    // 95 % of 400 is 380, with a standard deviation of 4.4.
    assert!((364..=396).contains(&covering), "{covering} of 400");
}

/// Texts that loop, of n prompts.
fn loops(texts: Texts, p: f64, n: usize, set: u64) -> Vec<Hits> {
    let mut uniforms = uniforms(set);
    let beta = Beta::new(2.0 * p, 2.0 * (1.0 - p)).unwrap();
    let mut prompt = |_| {
        let (p, n) = match texts {
            Texts::OnePerPrompt => (p, 1),
            Texts::FourPerPrompt => (beta.inverse_cdf(uniforms.next().unwrap()), 4),
        };
        Hits { hits: (0..n).filter(|_| uniforms.next().unwrap() < p).count() as u32, n }
    };
    (0..n).map(&mut prompt).collect()
}

/// Percent of the 95 % intervals of P(loop) that cover it.
fn measure_loops(texts: Texts, p: f64, n: usize, sets: u64) -> f64 {
    let covers = |set: &u64| {
        let interval = clustered_share(&loops(texts, p, n, *set), 0.95).unwrap().interval;
        interval.low <= p && p <= interval.high
    };
    100.0 * (0..sets).into_par_iter().filter(covers).count() as f64 / sets as f64
}

#[test]
#[ignore = "a simulation of some seconds, for its table"]
fn coverage_of_loop_intervals() {
    for texts in [Texts::OnePerPrompt, Texts::FourPerPrompt] {
        println!("\n{texts:?}: percent of the intervals of P(loop) that cover it");
        for (p, n) in itertools::iproduct!([0.05, 0.1, 0.3, 0.6], [12, 24, 48]) {
            println!("P={p:<4} n={n:<4} {:.1}", measure_loops(texts, p, n, 4000));
        }
    }
}
