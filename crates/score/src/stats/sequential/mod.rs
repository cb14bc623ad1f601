//! Has evidence that may be looked at after every prompt, and acted upon.
//!
//! An e-process is a non-negative number that begins at 1 and, where the claim is false, is not
//! expected to grow: it ever reaches 1/α with a probability of at most α (Ville 1939, "Étude critique
//! de la notion de collectif"), however often one looks. p = min(1, 1 / the greatest so far) is then
//! a p-value at any moment.
//!
//! Processes are kept as logarithms: some hundred prompts take them beyond what a float holds.

mod betting;
mod e_holm;
mod rho;
mod sign_flip;

pub use betting::{Bet, HedgedBet, MarginBets, Towards};
pub use e_holm::e_holm;
pub use rho::rho_bounds;
pub use sign_flip::SignFlip;

/// What is known of a prompt's difference: it lies from `low` to `high`, which are the same unless
/// some of its texts have no score that counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    pub low: f64,
    pub high: f64,
}

impl Bounds {
    pub fn exactly(value: f64) -> Self {
        Self { low: value, high: value }
    }
}

/// ln of the mean of two numbers whose logarithms these are.
pub(super) fn ln_mean(a: f64, b: f64) -> f64 {
    ln_mean_of(&[a, b])
}

/// ln of the mean of numbers whose logarithms these are; −∞ of nothing.
pub fn ln_mean_of(ln: &[f64]) -> f64 {
    let greatest = ln.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if greatest == f64::NEG_INFINITY {
        return greatest;
    }
    greatest + (ln.iter().map(|ln| (ln - greatest).exp()).sum::<f64>() / ln.len() as f64).ln()
}

#[cfg(test)]
mod tests {
    use super::super::testing::uniforms;
    use super::*;

    /// The prompts' differences that FIELD's expected values are of.
    pub const DIFFERENCES: [f64; 12] = [0.31, 0.42, -0.02, 0.55, 0.18, 0.60, 0.07, 0.44, 0.39, 0.25, 0.51, 0.36];

    /// 2,000 sweeps of 48 prompts whose two texts a side loop alike, with a probability of 0.3.
    pub fn null_sweeps() -> impl Iterator<Item = Vec<f64>> {
        (0..2000).map(|sweep| {
            let mut numbers = uniforms(sweep);
            let mut next = move || numbers.next().unwrap_or_default();
            let mut score = move || if next() < 0.3 { 0.5 + 0.5 * next() } else { 0.05 * next() };
            let mut mean = move || f64::midpoint(score(), score());
            (0..48).map(|_| mean() - mean()).collect()
        })
    }

    /// The share of sweeps in which a process ever reaches 20, which is looked at after every prompt.
    pub fn ever_at_20<P>(
        sweeps: impl Iterator<Item = Vec<f64>>,
        begin: impl Fn() -> P,
        mut observe: impl FnMut(&mut P, f64) -> f64,
    ) -> f64 {
        let (mut alarms, mut all) = (0, 0);
        for sweep in sweeps {
            let mut process = begin();
            all += 1;
            alarms += i32::from(sweep.into_iter().any(|d| observe(&mut process, d) >= 20_f64.ln()));
        }
        f64::from(alarms) / f64::from(all)
    }

    #[test]
    fn means_of_logarithms_neither_overflow_nor_vanish() {
        assert_eq!(ln_mean(1000.0, f64::NEG_INFINITY), 1000.0 - 2_f64.ln());
        assert_eq!(ln_mean(f64::NEG_INFINITY, f64::NEG_INFINITY), f64::NEG_INFINITY);
        assert_eq!(ln_mean(0.0, 0.0), 0.0);
        assert_eq!(ln_mean_of(&[]), f64::NEG_INFINITY);
    }
}
