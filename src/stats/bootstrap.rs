//! The bootstrap interval of a mean, for observations that come in clusters.
//!
//! The observations of one prompt resemble each other, so prompts are drawn,
//! each with all of its observations, never observations (the cluster
//! bootstrap: Davison and Hinkley 1997, "Bootstrap Methods and their
//! Application", § 3.8).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use statrs::distribution::{ContinuousCDF, Normal};

use super::Interval;

/// Resamples behind an interval. The Monte-Carlo error that is left at a 95 %
/// limit is about 3 % of the estimate's standard error.
const RESAMPLES: usize = 10_000;

/// The key of ChaCha8. Every interval starts from it, so that an interval
/// depends on its data alone, and intervals over equally many prompts share
/// their resamples.
const SEED: [u8; 32] = *b"moe-sweep: bootstrap, resamples.";

/// The BCa interval (bias-corrected and accelerated) of the mean over all
/// values of all clusters: Efron 1987, "Better Bootstrap Confidence Intervals",
/// with the acceleration from the jackknife that leaves out one cluster at a
/// time (Efron and Tibshirani 1993, § 14.3).
///
/// Clusters weigh as many as they hold values; empty ones are left out. `None`
/// for fewer than two clusters, from which nothing can be said about other
/// clusters. Where all values are equal the interval is that value, of no width:
/// this is what the bootstrap gives, and it claims too much for few clusters.
/// Values must be finite, `level` between 0 and 1.
pub fn bca_interval_of_mean(clusters: &[impl AsRef<[f64]>], level: f64) -> Option<Interval> {
    let sample = Sample::new(clusters)?;
    let mut means = sample.resampled_means(RESAMPLES);
    let tail = (1.0 - level) / 2.0;
    let shares = Correction::new(&sample, &means).of([tail, 1.0 - tail]);
    let [low, high] = shares.map(|share| sample.pivot + quantile(&mut means, share));
    Some(Interval { low, high, level })
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

    /// The mean, less the pivot, with each cluster taken so many times.
    ///
    /// A weighted sum in the clusters' own order, because then resamples that
    /// are permutations of each other have equal means to the last bit.
    fn mean(&self, times: impl IntoIterator<Item = u32>) -> f64 {
        let add = |(sum, count), (cluster, times): (&Cluster, u32)| {
            let times = f64::from(times);
            (sum + times * cluster.sum, count + times * cluster.count)
        };
        let (sum, count) = self.clusters.iter().zip(times).fold((0.0, 0.0), add);
        sum / count
    }

    /// The mean of the sample itself, less the pivot.
    fn own_mean(&self) -> f64 {
        self.mean(self.clusters.iter().map(|_| 1))
    }

    fn resampled_means(&self, resamples: usize) -> Vec<f64> {
        let mut rng = ChaCha8Rng::from_seed(SEED);
        let n = self.clusters.len();
        let mut times = vec![0; n];
        let one_mean = |_| {
            times.fill(0);
            for _ in 0..n {
                times[draw(&mut rng, n)] += 1;
            }
            self.mean(times.iter().copied())
        };
        (0..resamples).map(one_mean).collect()
    }
}

/// A number below `n`. Multiplying and shifting prefers some numbers by at most
/// n / 2³², and unlike the distributions of `rand` it can't change under us.
fn draw(rng: &mut impl Rng, n: usize) -> usize {
    ((u64::from(rng.next_u32()) * n as u64) >> 32) as usize
}

/// Which quantiles of the resampled means stand for the nominal ones.
struct Correction {
    /// Efron's z₀: how far the median of the resampled means lies from the
    /// sample's own mean, in standard normal units.
    bias: f64,
    /// Efron's a: how fast the standard error changes with the mean.
    acceleration: f64,
}

impl Correction {
    fn new(sample: &Sample, means: &[f64]) -> Self {
        let own = sample.own_mean();
        let count = |test: fn(&f64, &f64) -> bool| means.iter().filter(|mean| test(mean, &own)).count() as f64;
        // Half of the ties count as smaller, as in SciPy's `bootstrap`: scores
        // are often 0, and then many resamples have the sample's own mean.
        let below = (count(f64::lt) + count(f64::le)) / 2.0;
        let n = means.len() as f64;
        // Away from 0 and n, where the normal quantile is infinite.
        Self { bias: normal().inverse_cdf(below.clamp(0.5, n - 0.5) / n), acceleration: acceleration(sample) }
    }

    /// Efron's formula for each nominal share. The denominator stays positive:
    /// |a| is at most 1/6 and |z₀ + z| below 6 for every level up to 0.95.
    fn of(&self, nominal: [f64; 2]) -> [f64; 2] {
        nominal.map(|share| {
            let z = self.bias + normal().inverse_cdf(share);
            normal().cdf(self.bias + z / (1.0 - self.acceleration * z))
        })
    }
}

fn normal() -> Normal {
    Normal::standard()
}

/// `Σd³ / 6(Σd²)^(3/2)`, with d the mean of the jackknife's means less each one
/// of them; 0, no acceleration, where they are all equal.
fn acceleration(sample: &Sample) -> f64 {
    let n = sample.clusters.len();
    let without = |left_out: usize| sample.mean((0..n).map(|cluster| u32::from(cluster != left_out)));
    let jackknife: Vec<f64> = (0..n).map(without).collect();
    let centre = jackknife.iter().sum::<f64>() / n as f64;
    let moment = |power: i32| jackknife.iter().map(|mean| (centre - mean).powi(power)).sum::<f64>();
    let scale = 6.0 * moment(2).powf(1.5);
    if scale > 0.0 { moment(3) / scale } else { 0.0 }
}

/// The value below which `share` of the values lie, interpolated linearly
/// between neighbours (Hyndman and Fan 1996, definition 7). Reorders `values`.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    let position = share.clamp(0.0, 1.0) * (values.len() - 1) as f64;
    let (_, &mut lower, above) = values.select_nth_unstable_by(position as usize, f64::total_cmp);
    match above.iter().copied().min_by(f64::total_cmp) {
        Some(upper) => lower + position.fract() * (upper - lower),
        None => lower,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    #[track_caller]
    fn assert_near(actual: f64, expected: f64, tolerance: f64) {
        assert!((actual - expected).abs() <= tolerance, "{actual} is not within {tolerance} of {expected}");
    }

    // The published limits come from a bootstrap too. The standard error of the
    // mean is 14.6, so that two runs of 10 000 resamples differ at a limit by
    // up to about 2 × 1.4 × 3 % of that; in the long upper tail by twice as much.
    #[test]
    fn the_published_bca_interval() {
        let interval = bca_interval_of_mean(&ORACLE, LEVEL).unwrap();
        assert_near(interval.low, 32.31, 1.2);
        assert_near(interval.high, 91.43, 2.4);
        assert_eq!(interval.level, LEVEL);
    }

    #[test]
    fn the_published_percentile_interval() {
        let sample = Sample::new(&ORACLE).unwrap();
        let mut means = sample.resampled_means(RESAMPLES);
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
        assert_near(acceleration(&Sample::new(&ORACLE).unwrap()), expected, 1e-12);
    }

    #[test]
    fn one_cluster_has_no_interval() {
        assert_eq!(bca_interval_of_mean(&[[1.0, 2.0, 3.0]], LEVEL), None);
        assert_eq!(bca_interval_of_mean(&[vec![1.0, 2.0], vec![]], LEVEL), None);
        assert_eq!(bca_interval_of_mean(&[[]; 3], LEVEL), None);
        assert_eq!(bca_interval_of_mean(&[[0.0; 0]; 0], LEVEL), None);
    }

    #[test]
    fn equal_values_have_an_interval_without_width() {
        let clusters = [vec![0.1; 3], vec![0.1; 7], vec![0.1]];
        let interval = bca_interval_of_mean(&clusters, LEVEL).unwrap();
        assert_eq!((interval.low, interval.high), (0.1, 0.1));
    }

    #[test]
    fn repeating_observations_within_a_cluster_gains_nothing() {
        let once = bca_interval_of_mean(&[[0.1], [0.5], [0.2], [0.9]], LEVEL);
        let often = bca_interval_of_mean(&[[0.1; 4], [0.5; 4], [0.2; 4], [0.9; 4]], LEVEL);
        let (once, often) = (once.unwrap(), often.unwrap());
        assert_near(often.low, once.low, 1e-12);
        assert_near(often.high, once.high, 1e-12);
    }

    #[test]
    fn quantiles_interpolate() {
        assert_eq!(quantile(&mut [4.0, 1.0, 3.0, 2.0], 0.5), 2.5);
        assert_eq!(quantile(&mut [4.0, 1.0, 3.0, 2.0], 0.0), 1.0);
        assert_eq!(quantile(&mut [4.0, 1.0, 3.0, 2.0], 1.0), 4.0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn limits_are_ordered_and_within_the_clusters_means(
            clusters in prop::collection::vec(prop::collection::vec(0.0..1.0_f64, 1..5), 2..30),
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
