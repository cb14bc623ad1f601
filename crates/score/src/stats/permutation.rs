//! Computes p-values by rearranging the data: all arrangements where they are few, random ones where they are many.

use rand_chacha::rand_core::Rng;
use serde::Serialize;

use super::random::generator;
use super::{Interval, rounded};

/// Up to this many arrangements are all tried.
pub(super) const MOST_ARRANGEMENTS: usize = 1 << 16;
/// Arrangements tried where there are more.
pub(super) const DRAWS: usize = 10_000;
const KEY: [u8; 32] = *b"moe-sweep: permutations of signs";

/// A p-value and how it was come by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PValue {
    /// Above 0, at most 1.
    pub p: f64,
    #[serde(flatten)]
    pub method: Method,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "method")]
pub enum Method {
    /// All arrangements were tried, the data as they are among them.
    Exact { arrangements: usize },
    /// Random arrangements, and the data as they are: p = (hits + 1) / (draws + 1),
    /// which is never 0 and keeps its promise for any number of draws (Phipson
    /// and Smyth 2010, "Permutation P-values should never be zero").
    Drawn { draws: usize },
}

impl Method {
    /// The p-value where so many of the arrangements tried were as extreme.
    pub(super) fn p(self, hits: usize) -> PValue {
        let p = match self {
            Self::Exact { arrangements } => hits as f64 / arrangements as f64,
            Self::Drawn { draws } => (hits + 1) as f64 / (draws + 1) as f64,
        };
        PValue { p, method: self }
    }
}

/// Whether an arrangement's statistic lies as far from 0 as the data's own.
/// A sum taken in another order may differ in its last bits.
pub(super) fn is_as_far(arranged: f64, own: f64) -> bool {
    arranged.abs() >= own.abs() * (1.0 - 1e-10)
}

/// Turns the signs of `n` prompts in every way, or in 10 000 random ways where
/// these are more than 65 536, and counts where the `statistic` is as far from 0.
///
/// `statistic` takes one sign, 1 or −1, for each prompt. Its size must stay the
/// same when all signs are turned, so that half of the arrangements suffice.
pub(super) fn turn_signs(n: usize, statistic: impl Fn(&[f64]) -> f64) -> PValue {
    let own = statistic(&vec![1.0; n]);
    let mut hits = 0;
    let method = each_arrangement(n, |signs| hits += usize::from(is_as_far(statistic(signs), own)));
    match method {
        Method::Exact { .. } => method.p(2 * hits),
        Method::Drawn { .. } => method.p(hits),
    }
}

/// The means that [`turn_signs`] of the sum would not tell from the one of `values`: all θ at which the values less
/// θ have a p above 1 − `level`. Turning a set of signs makes the sum no smaller where that set's mean is at most
/// θ, so the limits are order statistics of the means of subsets (Hartigan 1969, "Using Subsample Values as
/// Typical Values"), over the very arrangements that gave p.
///
/// `None` for fewer values than can bring p down to 1 − `level`.
pub(super) fn sign_interval(values: &[f64], level: f64) -> Option<Interval> {
    let mut lows = Vec::new();
    let mut highs = Vec::new();
    let method = each_arrangement(values.len(), |signs| {
        let mut turned = (0.0, 0_u32);
        let mut kept = (0.0, 0_u32);
        for (value, &sign) in values.iter().zip(signs) {
            let side = if sign < 0.0 { &mut turned } else { &mut kept };
            *side = (side.0 + value, side.1 + 1);
        }
        // What is turned as a whole is as far from 0, wherever 0 is put.
        let is_whole = turned.1 == 0 || kept.1 == 0;
        let [a, b] = [turned, kept].map(|(sum, n)| sum / f64::from(n));
        lows.push(if is_whole { f64::NEG_INFINITY } else { a.min(b) });
        highs.push(if is_whole { f64::INFINITY } else { a.max(b) });
    });
    // The least number of arrangements as far from 0 that makes p greater than 1 − level.
    let tail = 1.0 - level;
    let least = match method {
        Method::Exact { arrangements } => (tail * (arrangements / 2) as f64 + 1e-9) as usize + 1,
        Method::Drawn { draws } => (tail * (draws + 1) as f64 + 1e-9) as usize,
    };
    let (_, low, _) = lows.select_nth_unstable_by(least - 1, f64::total_cmp);
    let (_, high, _) = highs.select_nth_unstable_by(least - 1, |a, b| b.total_cmp(a));
    let is_bounded = low.is_finite() && high.is_finite();
    is_bounded.then(|| Interval { low: rounded(*low), high: rounded(*high), level })
}

/// Visits half of the arrangements of `n` signs, the last one kept, or random ones.
fn each_arrangement(n: usize, mut visit: impl FnMut(&[f64])) -> Method {
    let mut signs = vec![1.0; n];
    let exact = u32::try_from(n).ok().and_then(|n| 1_usize.checked_shl(n.saturating_sub(1)));
    if let Some(halves) = exact.filter(|&halves| halves <= MOST_ARRANGEMENTS / 2) {
        for bits in 0..halves {
            set_signs(&mut signs[..n.saturating_sub(1)], bits as u64);
            visit(&signs);
        }
        return Method::Exact { arrangements: 2 * halves };
    }
    let mut rng = generator(&KEY);
    for _ in 0..DRAWS {
        signs.chunks_mut(64).for_each(|signs| set_signs(signs, rng.next_u64()));
        visit(&signs);
    }
    Method::Drawn { draws: DRAWS }
}

fn set_signs(signs: &mut [f64], bits: u64) {
    for (place, sign) in signs.iter_mut().enumerate() {
        *sign = if bits >> place & 1 == 0 { 1.0 } else { -1.0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_of(values: &[f64]) -> PValue {
        turn_signs(values.len(), |signs| values.iter().zip(signs).map(|(value, sign)| value * sign).sum())
    }

    #[test]
    fn few_prompts_are_turned_in_every_way() {
        assert_eq!(mean_of(&[1.0, 2.0, 3.0]), PValue { p: 0.25, method: Method::Exact { arrangements: 8 } });
        assert_eq!(mean_of(&[1.0, 2.0, -3.0]).p, 1.0);
        assert_eq!(mean_of(&[1.0; 16]).p, 2.0 / 65_536.0);
        assert_eq!(mean_of(&[0.0; 3]).p, 1.0);
    }

    /// p of the values less a shift, around each limit.
    #[test]
    fn the_interval_is_where_the_test_does_not_reject() {
        for n in [6, 8, 12, 16, 17, 24, 48] {
            let values: Vec<f64> = super::super::testing::gaussians(n).take(n as usize).map(|x| x + 0.4).collect();
            let Interval { low, high, .. } = sign_interval(&values, 0.95).unwrap();
            let p = |shift: f64| mean_of(&values.iter().map(|value| value - shift).collect::<Vec<_>>()).p;
            assert!(p(low + 1e-6) > 0.05 && p(high - 1e-6) > 0.05, "n {n}");
            assert!(p(low - 1e-6) <= 0.05 && p(high + 1e-6) <= 0.05, "n {n}");
        }
    }

    #[test]
    fn five_prompts_have_no_interval() {
        assert_eq!(sign_interval(&[0.5, 0.6, 0.7, 0.8, 0.9], 0.95), None);
        let six = sign_interval(&[0.5, 0.6, 0.7, 0.8, 0.9, 1.0], 0.95).unwrap();
        assert_eq!((six.low, six.high), (0.5, 1.0));
    }

    /// The audit's: an interval that excludes 0 beside p = 0.25 was a fault.
    #[test]
    fn three_of_24_differ_and_the_interval_holds_0() {
        let mut values = [0.0; 24];
        (values[3], values[9], values[20]) = (0.72, 0.80, 0.61);
        let interval = sign_interval(&values, 0.95).unwrap();
        assert!(interval.low <= 0.0 && interval.high < 0.25, "{interval:?}");
        assert!(mean_of(&values).p > 0.05);
    }

    #[test]
    fn many_prompts_are_turned_at_random() {
        let all_up = mean_of(&[1.0; 17]);
        assert_eq!(all_up.method, Method::Drawn { draws: 10_000 });
        assert!(all_up.p >= 1.0 / 10_001.0 && all_up.p < 1e-3);
        assert_eq!(mean_of(&[0.0; 100]).p, 1.0);
    }
}
