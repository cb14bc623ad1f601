//! p-values from rearranging the data: all arrangements where they are few,
//! random ones where they are many.

use rand_chacha::rand_core::Rng;
use serde::Serialize;

use super::random::generator;

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
    let mut signs = vec![1.0; n];
    let own = statistic(&signs);
    // The last sign stays.
    let exact = u32::try_from(n).ok().and_then(|n| 1_usize.checked_shl(n.saturating_sub(1)));
    match exact.filter(|&halves| halves <= MOST_ARRANGEMENTS / 2) {
        Some(arrangements) => {
            let hits = (0..arrangements).filter(|bits| {
                set_signs(&mut signs[..n.saturating_sub(1)], *bits as u64);
                is_as_far(statistic(&signs), own)
            });
            let hits = hits.count();
            Method::Exact { arrangements: 2 * arrangements }.p(2 * hits)
        }
        None => {
            let mut rng = generator(&KEY);
            let hits = (0..DRAWS).filter(|_| {
                signs.chunks_mut(64).for_each(|signs| set_signs(signs, rng.next_u64()));
                is_as_far(statistic(&signs), own)
            });
            let hits = hits.count();
            Method::Drawn { draws: DRAWS }.p(hits)
        }
    }
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

    #[test]
    fn many_prompts_are_turned_at_random() {
        let all_up = mean_of(&[1.0; 17]);
        assert_eq!(all_up.method, Method::Drawn { draws: 10_000 });
        assert!(all_up.p >= 1.0 / 10_001.0 && all_up.p < 1e-3);
        assert_eq!(mean_of(&[0.0; 100]).p, 1.0);
    }
}
