//! Estimates the mean over clusters of values, with its interval.

use super::bootstrap::bca_interval;
use super::{Interval, Strata};

/// The BCa interval of the mean over all values of all clusters, its tails
/// expanded for few clusters.
///
/// It is for values without humps. Where a text that loops scores 0.5 to 1 and any
/// other 0 to 0.05, it sees only the loops that the sample has, and covers too little where
/// these are few: [`super::bounded_mean()`] is for scores. docs/intervals.md has the coverage of
/// both, and `coverage.rs` those of other methods.
///
/// Clusters weigh as many as they hold values; empty ones are left out. `None`
/// for fewer than eight clusters, of which it covers 89 to 94 %. Where all values are equal the interval is
/// that value, of no width: this is what the bootstrap gives, and it claims too much for few clusters.
/// Values must be finite, `level` between 0 and 1.
pub fn bca_interval_of_mean(clusters: &[impl AsRef<[f64]>], level: f64) -> Option<Interval> {
    bca_interval_of_mean_within(clusters, &Strata::default(), level)
}

/// The same where clusters are of strata, of which there are so many by design: resamples have as many of each. Each
/// stratum beyond the first takes one cluster more.
pub fn bca_interval_of_mean_within(clusters: &[impl AsRef<[f64]>], strata: &Strata, level: f64) -> Option<Interval> {
    bca_from(LEAST_CLUSTERS, clusters, strata, level)
}

const LEAST_CLUSTERS: usize = 8;

/// The same for at least so many clusters.
pub(super) fn bca_from(least: usize, clusters: &[impl AsRef<[f64]>], strata: &Strata, level: f64) -> Option<Interval> {
    let sample = Sample::new(clusters)?;
    let n = sample.clusters.len();
    let strata = strata.kept(clusters.iter().map(|values| !values.as_ref().is_empty())).members(n);
    if n + 1 < least + strata.len() {
        return None;
    }
    let Interval { low, high, level } = bca_interval(&strata, level, |drawn| sample.mean(drawn));
    Some(Interval { low: sample.pivot + low, high: sample.pivot + high, level })
}

/// What the mean needs of each cluster.
struct Sample {
    /// The first value. All others are taken relative to it, so that equal
    /// values give differences of 0 and not rounding errors.
    pivot: f64,
    /// At least two.
    clusters: Vec<Cluster>,
}

#[derive(Clone, Copy)]
struct Cluster {
    sum: f64,
    count: f64,
}

impl Sample {
    fn new(clusters: &[impl AsRef<[f64]>]) -> Option<Self> {
        let clusters = clusters.iter().map(AsRef::as_ref).filter(|values| !values.is_empty());
        let pivot = *clusters.clone().next()?.first()?;
        let totals = |values: &[f64]| Cluster {
            sum: values.iter().map(|value| value - pivot).sum(),
            count: values.len() as f64,
        };
        let clusters: Vec<_> = clusters.map(totals).collect();
        (clusters.len() >= 2).then_some(Self { pivot, clusters })
    }

    /// The mean of the clusters drawn, less the pivot.
    fn mean(&self, drawn: &[usize]) -> f64 {
        let add = |(sum, count), &cluster: &usize| {
            let cluster = self.clusters[cluster];
            (sum + cluster.sum, count + cluster.count)
        };
        let (sum, count) = drawn.iter().fold((0.0, 0.0), add);
        sum / count
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::bootstrap::{Correction, Resamples, acceleration, quantile};
    use super::super::testing::assert_near;
    use super::*;

    const LEVEL: f64 = 0.95;

    /// FIELD's oracle: one observation a cluster, which is the plain bootstrap.
    const ORACLE: [[f64; 1]; 16] = [
        [10.0],
        [12.0],
        [12.5],
        [12.5],
        [13.9],
        [15.0],
        [21.0],
        [22.0],
        [23.0],
        [34.0],
        [50.0],
        [81.0],
        [89.0],
        [121.0],
        [134.0],
        [213.0],
    ];

    fn jackknife(sample: &Sample) -> Vec<f64> {
        let n = sample.clusters.len();
        (0..n).map(|left_out| sample.mean(&(0..n).filter(|&i| i != left_out).collect::<Vec<_>>())).collect()
    }

    // The published limits come from a bootstrap too. The standard error of the
    // mean is 14.6, so that two runs of 10 000 resamples differ at a limit by
    // up to about 2 × 1.4 × 3 % of that; in the long upper tail by twice as much.
    #[test]
    fn the_published_bca_interval() {
        let sample = Sample::new(&ORACLE).unwrap();
        let own = sample.mean(&(0..16).collect::<Vec<_>>());
        let mut means: Vec<f64> = Resamples::of(16).iter().map(|drawn| sample.mean(drawn)).collect();
        let correction = Correction::new(own, &jackknife(&sample), &means);
        let [low, high] = [0.025, 0.975].map(|share| sample.pivot + quantile(&mut means, correction.of(share)));
        assert_near(low, 32.31, 1.2);
        assert_near(high, 91.43, 2.4);
        let expanded = bca_interval_of_mean(&ORACLE, LEVEL).unwrap();
        assert!(expanded.low < low && high < expanded.high && expanded.level == LEVEL);
    }

    #[test]
    fn the_published_percentile_interval() {
        let sample = Sample::new(&ORACLE).unwrap();
        let mut means: Vec<f64> = Resamples::of(16).iter().map(|drawn| sample.mean(drawn)).collect();
        assert_near(sample.pivot + quantile(&mut means, 0.025), 28.86, 1.2);
        assert_near(sample.pivot + quantile(&mut means, 0.975), 84.21, 2.4);
    }

    /// Jackknife means are linear in the values, so a is that of the values
    /// themselves: Σ(x − x̄)³ / 6(Σ(x − x̄)²)^(3/2).
    #[test]
    fn the_acceleration_of_single_values_is_their_skewness() {
        let mean = ORACLE.iter().map(|x| x[0]).sum::<f64>() / 16.0;
        let moment = |power| ORACLE.iter().map(|x| (x[0] - mean).powi(power)).sum::<f64>();
        let expected = moment(3) / (6.0 * moment(2).powf(1.5));
        let sample = Sample::new(&ORACLE).unwrap();
        assert_near(acceleration(&jackknife(&sample)), expected, 1e-12);
    }

    /// Of values around 0.1 and around 0.9, as many each.
    fn two_groups() -> (Vec<[f64; 1]>, Strata) {
        let value = |place: usize| [if place < 10 { 0.1 } else { 0.9 } + [-0.05, 0.02, 0.03][place % 3]];
        ((0..20).map(value).collect(), Strata::new((0..20).map(|place| place / 10).collect()))
    }

    /// The stratified standard error of the mean, t's quantile for 18 degrees of freedom, and what BCa's correction does to it.
    #[test]
    fn what_lies_between_strata_is_no_doubt() {
        let (values, strata) = two_groups();
        let within = bca_interval_of_mean_within(&values, &strata, LEVEL).unwrap();
        let pooled = bca_interval_of_mean(&values, LEVEL).unwrap();
        assert!(within.high - within.low < 0.1 * (pooled.high - pooled.low), "{within:?} {pooled:?}");
        let spread = |stratum: &[[f64; 1]]| {
            let mean = stratum.iter().map(|x| x[0]).sum::<f64>() / 10.0;
            stratum.iter().map(|x| (x[0] - mean).powi(2)).sum::<f64>()
        };
        let error = (10.0 / 9.0 * (spread(&values[..10]) + spread(&values[10..]))).sqrt() / 20.0;
        assert_near(within.high - within.low, 2.0 * 2.1009 * error, 0.1 * error);
    }

    #[test]
    fn one_stratum_is_none() {
        let (values, _) = two_groups();
        let one = bca_interval_of_mean_within(&values, &Strata::new(vec![4; 20]), LEVEL);
        assert_eq!(one, bca_interval_of_mean(&values, LEVEL));
    }

    #[test]
    fn a_stratum_takes_a_cluster_more() {
        let interval = |n: usize| {
            let strata = Strata::new((0..n).map(|place| place % 2).collect());
            bca_interval_of_mean_within(&(0..n).map(|place| [place as f64]).collect::<Vec<_>>(), &strata, LEVEL)
        };
        assert!(interval(8).is_none() && interval(9).is_some());
    }

    #[test]
    fn few_clusters_have_no_interval() {
        assert_eq!(bca_interval_of_mean(&[[1.0, 2.0, 3.0]], LEVEL), None);
        assert_eq!(bca_interval_of_mean(&[[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0]], LEVEL), None);
        let seven_and_an_empty: Vec<Vec<f64>> = (0..8).map(|place| vec![1.0; place]).collect();
        assert_eq!(bca_interval_of_mean(&seven_and_an_empty, LEVEL), None);
        assert_eq!(bca_interval_of_mean(&[[]; 3], LEVEL), None);
        assert_eq!(bca_interval_of_mean(&[[0.0; 0]; 0], LEVEL), None);
    }

    #[test]
    fn equal_values_have_an_interval_without_width() {
        let clusters: Vec<Vec<f64>> = (1..9).map(|n| vec![0.1; n]).collect();
        let interval = bca_interval_of_mean(&clusters, LEVEL).unwrap();
        assert_eq!((interval.low, interval.high), (0.1, 0.1));
    }

    #[test]
    fn repeating_observations_within_a_cluster_gains_nothing() {
        const VALUES: [f64; 8] = [0.1, 0.5, 0.2, 0.9, 0.0, 0.3, 0.4, 0.2];
        let once = bca_interval_of_mean(&VALUES.map(|value| [value]), LEVEL);
        let often = bca_interval_of_mean(&VALUES.map(|value| [value; 4]), LEVEL);
        let (once, often) = (once.unwrap(), often.unwrap());
        assert_near(often.low, once.low, 1e-12);
        assert_near(often.high, once.high, 1e-12);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn limits_are_ordered_and_within_the_clusters_means(
            clusters in prop::collection::vec(prop::collection::vec(0.0..1.0_f64, 1..5), 8..30),
        ) {
            let interval = bca_interval_of_mean(&clusters, LEVEL).unwrap();
            let means = clusters.iter().map(|values| values.iter().sum::<f64>() / values.len() as f64);
            let (least, most) = means.fold((1.0_f64, 0.0_f64), |(least, most), m| (least.min(m), most.max(m)));
            prop_assert!(interval.low <= interval.high);
            prop_assert!(least - 1e-12 <= interval.low && interval.high <= most + 1e-12);
            prop_assert_eq!(bca_interval_of_mean(&clusters, LEVEL), Some(interval));
        }
    }
}
