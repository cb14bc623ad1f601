//! Bounds Spearman's ρ where some of the values are known within bounds only.

use itertools::Itertools as _;

use super::Bounds;
use crate::stats::page::rho_along_levels;

/// With more unknown values than this, the ends of any ρ are taken: every order of them would have to be tried.
const MOST_UNKNOWN: usize = 2;

/// The least and the greatest ρ along the levels, over all values between `least` and `greatest`, which have a value a
/// level. Exact for up to two unknown values, −1 and 1 for more.
///
/// ρ depends on the order alone, so it is enough to try each unknown value at and between all that it can be beside.
pub fn rho_bounds(least: &[f64], greatest: &[f64]) -> Bounds {
    let unknown: Vec<usize> = (0..least.len()).filter(|&level| least[level] != greatest[level]).collect();
    if unknown.len() > MOST_UNKNOWN {
        return Bounds { low: -1.0, high: 1.0 };
    }
    // Beyond all that is finite is as far as infinity.
    let finite = || least.iter().chain(greatest).copied().filter(|value| value.is_finite());
    let ends = [finite().reduce(f64::min).unwrap_or(0.0) - 1.0, finite().reduce(f64::max).unwrap_or(0.0) + 1.0];
    let within = |value: f64| value.clamp(ends[0], ends[1]);
    let known: Vec<f64> =
        least.iter().chain(greatest).map(|&value| within(value)).sorted_by(f64::total_cmp).dedup().collect();
    // As many places in each gap as there are values to be put into it, in any order.
    let places = unknown.len();
    let between = known.iter().tuple_windows().flat_map(|(&low, &high)| {
        (1..=places).map(move |place| low + (high - low) * place as f64 / (places + 1) as f64)
    });
    let candidates: Vec<f64> = known.iter().copied().chain(between).collect();
    let of_level = |&level: &usize| {
        let (low, high) = (within(least[level]), within(greatest[level]));
        candidates.iter().copied().filter(move |value| (low..=high).contains(value)).collect::<Vec<_>>()
    };
    let mut bounds = Bounds { low: 1.0, high: -1.0 };
    let mut values = least.to_vec();
    for tried in unknown.iter().map(of_level).multi_cartesian_product() {
        unknown.iter().zip(tried).for_each(|(&level, value)| values[level] = value);
        let rho = rho_along_levels(&values);
        bounds = Bounds { low: bounds.low.min(rho), high: bounds.high.max(rho) };
    }
    if unknown.is_empty() { Bounds::exactly(rho_along_levels(least)) } else { bounds }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::uniforms;
    use super::*;

    #[test]
    fn what_is_known_has_one_rho() {
        assert_eq!(rho_bounds(&[0.1, 0.2, 0.3], &[0.1, 0.2, 0.3]), Bounds::exactly(1.0));
    }

    #[test]
    fn one_unknown_level_leaves_the_others_order() {
        // The first of four is anything: at worst the greatest, 4 1 2 3, whose ρ is −0.2.
        let bounds = rho_bounds(&[0.0, 0.2, 0.3, 0.4], &[1.0, 0.2, 0.3, 0.4]);
        assert!((bounds.low + 0.2).abs() < 1e-12 && bounds.high == 1.0, "{bounds:?}");
        // The same without a greatest value.
        let endless = rho_bounds(&[f64::NEG_INFINITY, 0.2, 0.3, 0.4], &[f64::INFINITY, 0.2, 0.3, 0.4]);
        assert_eq!(endless, bounds);
        // An end that changes no order changes nothing.
        assert_eq!(rho_bounds(&[0.0, 0.2, 0.3], &[0.1, 0.2, 0.3]), Bounds::exactly(1.0));
        assert_eq!(rho_bounds(&[0.0; 4], &[1.0, 1.0, 1.0, 0.0]), Bounds { low: -1.0, high: 1.0 });
    }

    /// Every ρ of values drawn between the ends lies within the bounds, and some reach them.
    #[test]
    fn no_values_between_the_ends_have_a_rho_beyond_them() {
        for set in 0..60 {
            let mut numbers = uniforms(set);
            let mut next = move || numbers.next().unwrap_or_default();
            // In tenths, so that there are ties.
            let known: Vec<f64> = (0..5).map(|_| (10.0 * next()).round() / 10.0).collect();
            let (mut least, mut greatest) = (known.clone(), known);
            for _ in 0..2 {
                let (level, low) = ((5.0 * next()) as usize, (5.0 * next()).round() / 10.0);
                (least[level], greatest[level]) = (low, low + 0.5);
            }
            let bounds = rho_bounds(&least, &greatest);
            let mut seen = Bounds { low: 1.0, high: -1.0 };
            for _ in 0..3000 {
                // To the thousandth, so that what should be a tie is one.
                let share = |ends: (&f64, &f64)| {
                    let value = ends.0 + (ends.1 - ends.0) * (21.0 * next()).floor() / 20.0;
                    (1000.0 * value).round() / 1000.0
                };
                let values: Vec<f64> = least.iter().zip(&greatest).map(share).collect();
                let rho = rho_along_levels(&values);
                seen = Bounds { low: seen.low.min(rho), high: seen.high.max(rho) };
            }
            assert!((bounds.low - seen.low).abs() < 1e-9, "{set}: {bounds:?} {seen:?} {least:?} {greatest:?}");
            assert!((bounds.high - seen.high).abs() < 1e-9, "{set}: {bounds:?} {seen:?} {least:?} {greatest:?}");
        }
    }
}
