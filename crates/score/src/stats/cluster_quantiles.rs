//! Estimates quantiles of all values of all clusters, with their intervals.

use super::Interval;
use super::bootstrap::bca_intervals;

/// The quantiles at `shares` over the values of all clusters, and their BCa
/// intervals over clusters.
///
/// A quantile interpolates linearly between the values around rank
/// share × (n − 1): type 7 of Hyndman and Fan 1996, "Sample Quantiles in
/// Statistical Packages", and what llama.cpp's perplexity tool prints. An interval is `None` where it would
/// not keep its level: for fewer than eight clusters, for fewer than 24 where the share is not within 0.25
/// to 0.75, and for shares beyond 0.1 and 0.9, which rest on few values (docs/intervals.md).
///
/// Empty clusters are left out; `None` where nothing is left. Values must be
/// finite, shares from 0 to 1, `level` between 0 and 1.
pub fn quantiles(clusters: &[impl AsRef<[f64]>], shares: &[f64], level: f64) -> Option<Vec<Quantile>> {
    let clusters: Vec<&[f64]> = clusters.iter().map(AsRef::as_ref).filter(|values| !values.is_empty()).collect();
    if clusters.is_empty() {
        return None;
    }
    let sample = Sample::new(&clusters);
    let all: Vec<usize> = (0..clusters.len()).collect();
    let estimates = sample.quantiles(&all, shares);
    let keeps: Vec<f64> = shares.iter().copied().filter(|share| keeps_its_level(*share, clusters.len())).collect();
    let mut intervals = if keeps.is_empty() {
        Vec::new()
    } else {
        bca_intervals(clusters.len(), level, |drawn| sample.quantiles(drawn, &keeps))
    }
    .into_iter();
    let with = |(estimate, share): (f64, &f64)| {
        let interval = keeps_its_level(*share, clusters.len()).then(|| intervals.next()).flatten();
        Quantile { estimate, interval }
    };
    Some(estimates.into_iter().zip(shares).map(with).collect())
}

/// Whether the interval of a share's quantile covers at least 93 % of those of 95 %.
fn keeps_its_level(share: f64, n_clusters: usize) -> bool {
    match share.min(1.0 - share) {
        tail if tail >= 0.25 => n_clusters >= 8,
        // 1 − 0.9 is a little less than 0.1.
        tail if tail >= 0.1 - 1e-9 => n_clusters >= 24,
        _ => false,
    }
}

/// A quantile; without an interval where it would not keep its level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantile {
    pub estimate: f64,
    pub interval: Option<Interval>,
}

/// All values in ascending order, sorted once for all resamples.
struct Sample {
    /// A value and its cluster.
    sorted: Vec<(f64, usize)>,
    sizes: Vec<usize>,
}

impl Sample {
    fn new(clusters: &[&[f64]]) -> Self {
        let of =
            |(cluster, values): (usize, &&[f64])| values.iter().map(move |&value| (value, cluster)).collect::<Vec<_>>();
        let mut sorted: Vec<_> = clusters.iter().enumerate().flat_map(of).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self { sorted, sizes: clusters.iter().map(|values| values.len()).collect() }
    }

    /// Of the clusters drawn, each as often as it was drawn.
    fn quantiles(&self, drawn: &[usize], shares: &[f64]) -> Vec<f64> {
        let mut times = vec![0_usize; self.sizes.len()];
        drawn.iter().for_each(|&cluster| times[cluster] += 1);
        let n: usize = drawn.iter().map(|&cluster| self.sizes[cluster]).sum();
        shares
            .iter()
            .map(|share| {
                let position = share * (n - 1) as f64;
                let rank = position as usize;
                let (mut seen, mut lower) = (0, None);
                for &(value, cluster) in self.sorted.iter().filter(|(_, cluster)| times[*cluster] > 0) {
                    seen += times[cluster];
                    if lower.is_none() && seen > rank {
                        lower = Some(value);
                    }
                    if let Some(lower) = lower
                        && (seen > rank + 1 || rank + 1 == n)
                    {
                        return lower + position.fract() * (value - lower);
                    }
                }
                lower.unwrap_or(f64::NAN)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::bootstrap::quantile;
    use super::*;

    #[test]
    fn quantiles_are_those_of_a_sorted_list() {
        let clusters = [vec![3.0, 1.0], vec![], vec![2.0, 4.0]];
        let found = quantiles(&clusters, &[0.0, 0.5, 0.9, 1.0], 0.95).expect("values");
        let estimates: Vec<_> = found.iter().map(|quantile| quantile.estimate).collect();
        assert_eq!(estimates[..2], [1.0, 2.5]);
        assert!((estimates[2] - 3.7).abs() < 1e-12 && estimates[3] == 4.0, "{estimates:?}");
        assert!(found.iter().all(|quantile| quantile.interval.is_none()));
    }

    #[test]
    fn what_rests_on_few_values_has_no_interval() {
        let has = |n: usize| {
            let clusters: Vec<[f64; 2]> = (0..n).map(|place| [place as f64, 1.0]).collect();
            let found = quantiles(&clusters, &[0.5, 0.9, 0.99], 0.95).expect("values");
            found.into_iter().map(|quantile| quantile.interval.is_some()).collect::<Vec<_>>()
        };
        assert_eq!([has(7), has(8), has(24)], [[false; 3], [true, false, false], [true, true, false]]);
        let clusters: Vec<[f64; 2]> = (0..24).map(|place| [f64::from(place), 12.0]).collect();
        let found = quantiles(&clusters, &[0.99, 0.5], 0.95).expect("values");
        assert!(found[1].interval.is_some_and(|interval| interval.low <= 12.0 && interval.high >= 12.0));
    }

    #[test]
    fn one_cluster_has_no_interval_and_none_no_quantile() {
        assert_eq!(quantiles(&[[7.0]], &[0.5], 0.95).expect("a value")[0], Quantile { estimate: 7.0, interval: None });
        assert_eq!(quantiles(&[[0.0; 0]], &[0.5], 0.95), None);
    }

    proptest! {
        #[test]
        fn a_resample_has_the_quantiles_of_its_values(
            clusters in prop::collection::vec(prop::collection::vec(-9i32..9, 1..6), 1..6),
            picks in prop::collection::vec(0usize..100, 1..8),
            share in 0.0f64..=1.0,
        ) {
            let clusters: Vec<Vec<f64>> =
                clusters.into_iter().map(|values| values.into_iter().map(f64::from).collect()).collect();
            let drawn: Vec<usize> = picks.into_iter().map(|pick| pick % clusters.len()).collect();
            let mut values: Vec<f64> = drawn.iter().flat_map(|&cluster| clusters[cluster].clone()).collect();
            let slices: Vec<&[f64]> = clusters.iter().map(Vec::as_slice).collect();
            let found = Sample::new(&slices).quantiles(&drawn, &[share])[0];
            prop_assert!((found - quantile(&mut values, share)).abs() < 1e-9);
        }
    }
}
