//! A share watched while it grows: an interval that may be looked at after every
//! trial, and acted upon.

use statrs::function::beta::ln_beta;

use super::Interval;
use super::error::{StatsError, at_least};
use super::proportion::Hits;

/// The confidence sequence of a probability from independent trials: with
/// probability 1 − `alpha` it holds the truth after *every* number of trials, so that
/// one may stop as soon as it says enough. Narrowest at about `tuned_at` trials.
///
/// All p at which a martingale, the likelihood ratio of the hits to p mixed over a
/// beta distribution about p, stays below 1/α (Ville's inequality): Howard, Ramdas,
/// McAuliffe and Sekhon 2021, "Time-uniform, nonparametric, nonasymptotic confidence
/// sequences", § 3.1; mixed and tuned as their package confseq does.
///
/// # Errors
///
/// For no trials, more hits than trials, `alpha` not between 0 and 1, and a
/// `tuned_at` that is not above 0.
pub fn confidence_sequence(Hits { hits, n }: Hits, alpha: f64, tuned_at: f64) -> Result<Interval, StatsError> {
    at_least(1, n as usize, "trials")?;
    if hits > n {
        return Err(StatsError::OutOfRange { name: "hits", value: f64::from(hits), allowed: "at most the trials" });
    }
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(StatsError::OutOfRange { name: "alpha", value: alpha, allowed: "between 0 and 1" });
    }
    if !(tuned_at > 0.0 && tuned_at.is_finite()) {
        return Err(StatsError::OutOfRange { name: "tuned_at", value: tuned_at, allowed: "above 0" });
    }
    let (hits, misses) = (f64::from(hits), f64::from(n - hits));
    let share = hits / f64::from(n);
    // A bisection may round to an end of the scale, which some hit or miss rules out.
    let is_out = |p: f64| p <= 0.0 || p >= 1.0 || ln_martingale(p, hits, misses, tuned_at) >= -alpha.ln();
    let low = if hits == 0.0 { 0.0 } else { boundary(0.0, share, is_out) };
    let high = if misses == 0.0 { 1.0 } else { boundary(1.0, share, is_out) };
    Ok(Interval { low, high, level: 1.0 - alpha })
}

/// confseq's `alpha_opt`: the level for which the mixture is tuned, whatever the
/// sequence's own.
const TUNED_FOR: f64 = 0.05;

fn ln_martingale(p: f64, hits: f64, misses: f64, tuned_at: f64) -> f64 {
    let variance = p * (1.0 - p);
    let ln = 2.0 * (1.0 / TUNED_FOR).ln();
    // The mixture's weight, as of a normal one with this variance (their § 3.5), and
    // as confseq bounds it.
    let rho = (tuned_at * variance / (ln + ln.ln_1p()) - variance).max(1e-3 * variance);
    let (a, b) = (rho / (1.0 - p), rho / p);
    ln_beta(a + hits, b + misses) - ln_beta(a, b) - hits * p.ln() - misses * (1.0 - p).ln()
}

/// Where `is_out` ends, from an end of the scale towards the share seen.
fn boundary(mut outside: f64, mut inside: f64, is_out: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..100 {
        let middle = f64::midpoint(outside, inside);
        if is_out(middle) { outside = middle } else { inside = middle }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_near, uniforms};
    use super::*;

    #[test]
    fn the_published_example() {
        let interval = confidence_sequence(Hits { hits: 700, n: 1000 }, 0.05, 100.0).unwrap();
        assert_near(interval.low, 0.651629, 1e-6);
        assert_near(interval.high, 0.745949, 1e-6);
    }

    #[test]
    fn it_is_symmetric_and_takes_the_ends() {
        let of = |hits, n| confidence_sequence(Hits { hits, n }, 0.05, 100.0).unwrap();
        let (few, many) = (of(3, 40), of(37, 40));
        assert_near(few.low, 1.0 - many.high, 1e-9);
        assert_near(few.high, 1.0 - many.low, 1e-9);
        assert_eq!(of(0, 20).low, 0.0);
        assert_eq!(of(20, 20).high, 1.0);
    }

    #[test]
    fn looking_after_every_trial_errs_no_more_than_promised() {
        let p = 0.3;
        let ever_out = |set: &u64| {
            let mut uniforms = uniforms(*set);
            let mut hits = 0;
            (1..=200).any(|n| {
                hits += u32::from(uniforms.next().unwrap() < p);
                let interval = confidence_sequence(Hits { hits, n }, 0.05, 100.0).unwrap();
                p < interval.low || interval.high < p
            })
        };
        let out = (0..200_u64).filter(ever_out).count();
        assert!(out <= 16, "{out} of 200");
    }

    #[test]
    fn says_what_it_refuses() {
        let of = |hits, n, alpha, tuned| confidence_sequence(Hits { hits, n }, alpha, tuned).is_err();
        assert!(of(0, 0, 0.05, 100.0) && of(2, 1, 0.05, 100.0) && of(1, 2, 0.0, 100.0) && of(1, 2, 0.05, 0.0));
    }
}
