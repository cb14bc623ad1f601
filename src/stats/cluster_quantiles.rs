//! Quantiles of all values of all clusters, with their intervals.

use super::Interval;
use super::bootstrap::bca_intervals;

/// The quantiles at `shares` over the values of all clusters, and their BCa
/// intervals over clusters; None for the intervals of fewer than two clusters.
///
/// A quantile interpolates linearly between the values around rank
/// share × (n − 1): type 7 of Hyndman and Fan 1996, "Sample Quantiles in
/// Statistical Packages", and what llama.cpp's perplexity tool prints. The
/// interval of a quantile near 1 rests on few values and is too narrow; that of
/// the maximum would be meaningless, for no resample exceeds it.
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
    if clusters.len() < 2 {
        return Some(estimates.into_iter().map(|estimate| Quantile { estimate, interval: None }).collect());
    }
    let intervals = bca_intervals(clusters.len(), level, |drawn| sample.quantiles(drawn, shares));
    let with = |(estimate, interval)| Quantile { estimate, interval: Some(interval) };
    Some(estimates.into_iter().zip(intervals).map(with).collect())
}

/// A quantile; without an interval where there is one cluster only.
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
        assert!(found[1].interval.is_some_and(|interval| interval.low <= 2.5 && interval.high >= 2.5));
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
