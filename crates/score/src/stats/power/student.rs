//! Computes the power of tests of a mean as a function of its size: Student's t, and any other whose critical value is
//! a multiple of the sample's standard deviation.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// The power of a test as a function of d_z, the mean in units of the differences' standard
/// deviation σ.
///
/// With s the sample's standard deviation the test finds something where z̄√n/σ lies beyond
/// ±c·s/σ. Mean and s are independent, so the power is integrated over s/σ; statrs has no
/// noncentral t.
pub struct Reach {
    root_n: f64,
    /// Values of c·s/σ and their weights, which sum to 1.
    thresholds: Vec<(f64, f64)>,
}

/// Points of the integral over s/σ.
const POINTS: u32 = 1000;

impl Reach {
    /// Of the paired t-test, two-sided. `n` is at least 2.
    pub fn student(n: usize, alpha: f64) -> Self {
        let critical = critical(n, alpha / 2.0);
        Self::new(n, spreads(n, POINTS).map(|(spread, weight)| (critical * spread, weight)).collect())
    }

    pub fn new(n: usize, thresholds: Vec<(f64, f64)>) -> Self {
        Self { root_n: (n as f64).sqrt(), thresholds }
    }

    /// That of a two-sided test, for either side.
    pub fn power(&self, dz: f64) -> f64 {
        let (delta, normal) = (dz * self.root_n, Normal::standard());
        self.sum(|threshold| normal.sf(threshold - delta) + normal.cdf(-threshold - delta))
    }

    /// Of the claim that the mean lies within ±`margin`, in units of σ, where it is 0.
    pub fn power_within(&self, margin: f64) -> f64 {
        let (delta, normal) = (margin * self.root_n, Normal::standard());
        self.sum(|threshold| (1.0 - 2.0 * normal.sf(delta - threshold)).max(0.0))
    }

    /// Of the claim that the mean lies below `margin`, in units of σ, where it is 0.
    pub fn power_below(&self, margin: f64) -> f64 {
        let (delta, normal) = (margin * self.root_n, Normal::standard());
        self.sum(|threshold| normal.cdf(delta - threshold))
    }

    fn sum(&self, of: impl Fn(f64) -> f64) -> f64 {
        self.thresholds.iter().map(|&(threshold, weight)| weight * of(threshold)).sum()
    }
}

/// With so many degrees of freedom t is normal, and s is σ, to more digits than are shown;
/// statrs's quantile of t does not come back within minutes there.
const AS_NORMAL: f64 = 1e6;

/// What Student's t of the mean of `n` exceeds with this probability.
fn critical(n: usize, tail: f64) -> f64 {
    let degrees = n as f64 - 1.0;
    if degrees > AS_NORMAL {
        return Normal::standard().inverse_cdf(1.0 - tail);
    }
    StudentsT::new(0.0, 1.0, degrees).expect("degrees of freedom are positive").inverse_cdf(1.0 - tail)
}

/// Values of s/σ of `n` normal numbers, evenly spaced as far as they have any weight, and their
/// weights, which sum to 1. Its density is that of χ/√ν, with ν = n − 1 degrees of freedom.
pub fn spreads(n: usize, points: u32) -> impl Iterator<Item = (f64, f64)> {
    let degrees = n as f64 - 1.0;
    let points = if degrees > AS_NORMAL { 1 } else { points };
    let reach = 9.0 / (2.0 * degrees).sqrt();
    let (low, high) = ((1.0 - reach).max(0.0), 1.0 + reach);
    let at = move |point: u32| low + (high - low) * (f64::from(point) + 0.5) / f64::from(points);
    // Relative to the density at 1, or large ν overflows.
    let density = move |s: f64| ((degrees - 1.0) * s.ln() - degrees * (s * s - 1.0) / 2.0).exp();
    let sum: f64 = (0..points).map(|point| density(at(point))).sum();
    (0..points).map(move |point| (at(point), density(at(point)) / sum))
}

/// The least size from 0 on at which a power that grows with it reaches `power`.
pub fn least(of: impl Fn(f64) -> f64, power: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while of(high) < power {
        high *= 2.0;
    }
    while high - low > 1e-7 * high {
        let middle = f64::midpoint(low, high);
        if of(middle) < power { low = middle } else { high = middle }
    }
    high
}

/// The least number of prompts, from 2 on, that is enough; more are, too. `None` where it is beyond
/// what can be counted with.
pub fn prompts(is_enough: impl Fn(usize) -> bool) -> Option<usize> {
    const MOST: usize = 1 << 50;
    let (mut few, mut enough) = (1, 2);
    while !is_enough(enough) {
        if enough == MOST {
            return None;
        }
        few = enough;
        enough *= 2;
    }
    while enough - few > 1 {
        let middle = few.midpoint(enough);
        if is_enough(middle) { enough = middle } else { few = middle }
    }
    Some(enough)
}
