//! Has what the tests of statistics share: the oracle file and simulated data.

use rand_chacha::rand_core::Rng;
use serde::de::DeserializeOwned;

use super::random::generator;

/// A section of `tests/oracles/stats.json`, which `stats.py` beside it writes.
pub(super) fn oracle<T: DeserializeOwned>(section: &str) -> T {
    let all: serde_json::Value = serde_json::from_str(include_str!("../../tests/oracles/stats.json")).unwrap();
    serde_json::from_value(all[section].clone()).unwrap()
}

#[track_caller]
pub(super) fn assert_near(actual: f64, expected: f64, tolerance: f64) {
    assert!((actual - expected).abs() <= tolerance, "{actual} is not within {tolerance} of {expected}");
}

/// Uniform numbers between 0 and 1, another sequence for each number of a set.
pub(super) fn uniforms(set: u64) -> impl Iterator<Item = f64> {
    let mut rng = generator(b"moe-sweep: simulated test data..");
    rng.set_stream(set);
    std::iter::repeat_with(move || (f64::from(rng.next_u32()) + 0.5) / 2_f64.powi(32))
}

/// Standard normal numbers (Box and Muller 1958).
pub(super) fn gaussians(set: u64) -> impl Iterator<Item = f64> {
    let mut uniforms = uniforms(set);
    std::iter::from_fn(move || {
        let (radius, angle) = (uniforms.next()?, uniforms.next()?);
        Some((-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos())
    })
}

/// Checks that p-values under the null hypothesis are uniform where it matters:
/// the share of them at or below 1 %, 5 %, 20 % and 50 % is that, within four
/// standard errors, or less where p-values are coarse.
#[track_caller]
pub(super) fn share_below(p: Vec<f64>) {
    for nominal in [0.01, 0.05, 0.2, 0.5] {
        let share = p.iter().filter(|p| **p <= nominal).count() as f64 / p.len() as f64;
        assert_near(share, nominal, 4.0 * (nominal * (1.0 - nominal) / p.len() as f64).sqrt());
    }
}
