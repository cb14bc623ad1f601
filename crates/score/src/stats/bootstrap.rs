//! Draws the bootstrap over clusters: an interval for any statistic of prompts.
//!
//! The observations of one prompt resemble each other, so prompts are drawn,
//! each with all of its observations, never observations (the cluster
//! bootstrap: Davison and Hinkley 1997, "Bootstrap Methods and their
//! Application", § 3.8). Knows clusters by their numbers only.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::Interval;
use super::random::{draw, generator};
use super::strata::{Variance, variance_of_sum};

/// Resamples behind an interval. The Monte-Carlo error that is left at a 95 %
/// limit is about 3 % of the estimate's standard error.
pub(super) const RESAMPLES: usize = 10_000;

/// The key of ChaCha8. Every interval starts from it, so that an interval
/// depends on its data alone, and intervals over equally many prompts share
/// their resamples.
const KEY: [u8; 32] = *b"moe-sweep: bootstrap, resamples.";

/// The BCa interval (bias-corrected and accelerated) of one statistic of the clusters in these strata, two at least in
/// each; see [`bca_intervals`], which this is where there is one stratum.
///
/// Of several, each resample has as many clusters of each stratum as the sample (Davison and Hinkley 1997, § 3.2). The
/// acceleration is that of the jackknife's values less their stratum's mean (there § 5.3.2), for a statistic of all
/// clusters alike, as a mean over them is. Before the correction the tails are expanded as for one stratum ([`expanded_tail`]), with
/// the effective degrees of freedom of the strata (Cochran 1977, 5.16), and the variance that the resamples lack by drawing k of k:
/// `Σ_h k_h/(k_h − 1) V_h / Σ_h V_h`, V_h the squares of the jackknife's values around their stratum's mean.
pub(super) fn bca_interval(strata: &[Vec<usize>], level: f64, statistic: impl Fn(&[usize]) -> f64 + Sync) -> Interval {
    let n = strata.iter().map(Vec::len).sum();
    let (own, jackknife) = of_sample(n, &statistic);
    let mut resampled = Resamples::within(strata).par_map(statistic);
    if strata.len() == 1 {
        return bca(n, level, own, &jackknife, resampled);
    }
    let deviations = deviations_within(strata, &jackknife);
    let Variance { of_sum, degrees } = variance_of_sum(strata, &jackknife);
    let drawn = deviations.iter().map(|deviation| deviation * deviation).sum::<f64>();
    let tail = expanded(degrees, if drawn > 0.0 { of_sum / drawn } else { 1.0 }, level);
    let correction = Correction::with(own, acceleration_of(&deviations), &resampled);
    let [low, high] = [tail, 1.0 - tail].map(|share| quantile(&mut resampled, correction.of(share)));
    Interval { low, high, level }
}

/// How far the jackknife's values lie below their stratum's mean.
fn deviations_within(strata: &[Vec<usize>], jackknife: &[f64]) -> Vec<f64> {
    let of = |stratum: &Vec<usize>| {
        let centre = stratum.iter().map(|&cluster| jackknife[cluster]).sum::<f64>() / stratum.len() as f64;
        stratum.iter().map(|&cluster| centre - jackknife[cluster]).collect::<Vec<_>>()
    };
    strata.iter().flat_map(of).collect()
}

/// The BCa intervals of several statistics over the same resamples: Efron 1987,
/// "Better Bootstrap Confidence Intervals", with the acceleration from the
/// jackknife that leaves out one cluster at a time (Efron and Tibshirani 1993,
/// § 14.3), and its nominal tails expanded for few clusters ([`expanded_tail`]).
///
/// `statistic` takes the numbers of the clusters drawn, in ascending order, so
/// that resamples that are permutations of each other have equal values to the
/// last bit; these must be finite for every list of 1 to `n` of them. `n` must
/// be at least 2.
pub(super) fn bca_intervals(n: usize, level: f64, statistic: impl Fn(&[usize]) -> Vec<f64> + Sync) -> Vec<Interval> {
    let (own, jackknife) = of_sample(n, &statistic);
    let resampled = Resamples::of(n).par_map(statistic);
    let one = |which: usize| {
        let column = |rows: &[Vec<f64>]| rows.iter().map(|row| row[which]).collect::<Vec<f64>>();
        bca(n, level, own[which], &column(&jackknife), column(&resampled))
    };
    (0..own.len()).map(one).collect()
}

/// A statistic of all clusters, and without each of them.
fn of_sample<T>(n: usize, statistic: impl Fn(&[usize]) -> T) -> (T, Vec<T>) {
    let without = |left_out: usize| statistic(&(0..n).filter(|&cluster| cluster != left_out).collect::<Vec<_>>());
    (statistic(&(0..n).collect::<Vec<_>>()), (0..n).map(without).collect())
}

fn bca(n: usize, level: f64, own: f64, jackknife: &[f64], mut resampled: Vec<f64>) -> Interval {
    let tail = expanded_tail(n, level);
    let correction = Correction::new(own, jackknife, &resampled);
    let [low, high] = [tail, 1.0 - tail].map(|share| quantile(&mut resampled, correction.of(share)));
    Interval { low, high, level }
}

/// The clusters of [`RESAMPLES`] resamples, each in ascending order.
pub(super) struct Resamples {
    strata: Vec<Vec<usize>>,
    n: usize,
    drawn: Vec<usize>,
}

impl Resamples {
    /// The same for every sample of `n` clusters, so drawn once: drawing takes
    /// longer than most statistics. The last few are kept, for the intervals of
    /// one analysis are over as many prompts.
    pub(super) fn of(n: usize) -> Arc<Self> {
        Self::within(&[(0..n).collect()])
    }

    /// The same where each resample has as many clusters of each stratum as the sample. The clusters of all strata are
    /// those from 0 up.
    fn within(strata: &[Vec<usize>]) -> Arc<Self> {
        static KEPT: Mutex<VecDeque<Arc<Resamples>>> = Mutex::new(VecDeque::new());
        const KEEP: usize = 4;
        let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept().iter().find(|known| known.strata == strata) {
            return Arc::clone(known);
        }
        let fresh = Arc::new(Self::draw(strata.to_vec()));
        let mut kept = kept();
        kept.truncate(KEEP - 1);
        kept.push_front(Arc::clone(&fresh));
        fresh
    }

    fn draw(strata: Vec<Vec<usize>>) -> Self {
        let mut rng = generator(&KEY);
        let n = strata.iter().map(Vec::len).sum();
        // For each cluster of the sample, one of its stratum.
        let places: Vec<&Vec<usize>> = strata.iter().flat_map(|stratum| stratum.iter().map(move |_| stratum)).collect();
        let resample = |_| places.iter().map(|stratum| stratum[draw(&mut rng, stratum.len())]).collect::<Vec<_>>();
        let mut drawn = (0..RESAMPLES).map(resample).collect::<Vec<_>>().concat();
        drawn.chunks_exact_mut(n).for_each(<[usize]>::sort_unstable);
        Self { strata, n, drawn }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[usize]> {
        self.drawn.chunks_exact(self.n)
    }

    /// A statistic of each resample, in order.
    fn par_map<T: Send>(&self, statistic: impl Fn(&[usize]) -> T + Sync) -> Vec<T> {
        let statistic = &statistic;
        self.drawn.par_chunks_exact(self.n).with_min_len(256).map(statistic).collect()
    }
}

/// The share of resamples to leave out at each end. It is less than that of a
/// normal statistic, because the bootstrap's variance has n where an estimate of
/// it has n − 1, and quantiles of the normal where t's belong: Hesterberg 2015,
/// "What Teachers Should Know about the Bootstrap", § 5.3, whose expansion of
/// the percentile interval is put before BCa's correction here. What that gains
/// is measured in `coverage.rs` and told at [`super::bca_interval_of_mean`].
pub(super) fn expanded_tail(n: usize, level: f64) -> f64 {
    let n = n as f64;
    expanded(n - 1.0, n / (n - 1.0), level)
}

/// The tail for so many degrees of freedom, where resamples have too little variance by the factor `lacking`.
fn expanded(degrees: f64, lacking: f64, level: f64) -> f64 {
    let student = StudentsT::new(0.0, 1.0, degrees).expect("there are at least two clusters");
    Normal::standard().cdf(student.inverse_cdf((1.0 - level) / 2.0) * lacking.sqrt())
}

/// Which quantiles of the resampled values stand for the nominal ones.
pub(super) struct Correction {
    /// Efron's z₀: how far the median of the resampled values lies from the
    /// sample's own value, in standard normal units.
    bias: f64,
    /// Efron's a: how fast the standard error changes with the value.
    acceleration: f64,
}

impl Correction {
    pub(super) fn new(own: f64, jackknife: &[f64], resampled: &[f64]) -> Self {
        Self::with(own, acceleration(jackknife), resampled)
    }

    fn with(own: f64, acceleration: f64, resampled: &[f64]) -> Self {
        // Half of the ties count as smaller, as in SciPy's `bootstrap`: scores
        // are often 0, and then many resamples have the sample's own value, or one that only
        // the order of a sum tells from it.
        let grain = 1e-12 * own.abs().max(1.0);
        let is_tie = |value: &&f64| (**value - own).abs() <= grain;
        let n_ties = resampled.iter().filter(is_tie).count() as f64;
        let n_smaller = resampled.iter().filter(|value| **value < own && !is_tie(value)).count() as f64;
        let below = n_smaller + n_ties / 2.0;
        let n = resampled.len() as f64;
        // Away from 0 and n, where the normal quantile is infinite.
        let bias = Normal::standard().inverse_cdf(below.clamp(0.5, n - 0.5) / n);
        Self { bias, acceleration }
    }

    /// Efron's formula for a nominal share. The denominator stays positive at
    /// levels up to 0.95, where |z₀ + z| is below 6 for many clusters and |a| at
    /// most 1/6; for few, a is nearer to 0. Beyond, no quantile is far enough out.
    pub(super) fn of(&self, share: f64) -> f64 {
        let z = self.bias + Normal::standard().inverse_cdf(share);
        if z.is_infinite() {
            // A tail too thin for a number, as with two clusters.
            return share;
        }
        let denominator = 1.0 - self.acceleration * z;
        let corrected = if denominator > 0.0 { self.bias + z / denominator } else { f64::INFINITY.copysign(z) };
        Normal::standard().cdf(corrected)
    }
}

/// `Σd³ / 6(Σd²)^(3/2)`, with d the mean of the jackknife's values less each one
/// of them; 0, no acceleration, where they are all equal.
pub(super) fn acceleration(jackknife: &[f64]) -> f64 {
    let centre = jackknife.iter().sum::<f64>() / jackknife.len() as f64;
    acceleration_of(&jackknife.iter().map(|value| centre - value).collect::<Vec<_>>())
}

fn acceleration_of(deviations: &[f64]) -> f64 {
    let moment = |power: i32| deviations.iter().map(|deviation| deviation.powi(power)).sum::<f64>();
    let scale = 6.0 * moment(2).powf(1.5);
    if scale > 0.0 { moment(3) / scale } else { 0.0 }
}

/// The value below which `share` of the values lie, interpolated linearly
/// between neighbours (Hyndman and Fan 1996, definition 7). Reorders `values`.
pub(super) fn quantile(values: &mut [f64], share: f64) -> f64 {
    let position = share.clamp(0.0, 1.0) * (values.len() - 1) as f64;
    let (_, &mut lower, above) = values.select_nth_unstable_by(position as usize, f64::total_cmp);
    match above.iter().copied().min_by(f64::total_cmp) {
        Some(upper) => lower + position.fract() * (upper - lower),
        None => lower,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate() {
        assert_eq!(quantile(&mut [4.0, 1.0, 3.0, 2.0], 0.5), 2.5);
        assert_eq!(quantile(&mut [4.0, 1.0, 3.0, 2.0], 0.0), 1.0);
        assert_eq!(quantile(&mut [4.0, 1.0, 3.0, 2.0], 1.0), 4.0);
    }

    #[test]
    fn a_tail_too_thin_for_a_number_is_none() {
        let correction = Correction { bias: 0.3, acceleration: -1e-17 };
        assert_eq!([correction.of(0.0), correction.of(1.0)], [0.0, 1.0]);
    }

    #[test]
    fn a_resample_draws_as_many_as_there_are() {
        let resamples = Resamples::of(5);
        assert_eq!(resamples.iter().count(), RESAMPLES);
        assert!(resamples.iter().all(|drawn| drawn.len() == 5 && drawn.is_sorted() && drawn[4] < 5));
        let never_drawn = (0..5).find(|cluster| !resamples.iter().flatten().any(|drawn| drawn == cluster));
        assert_eq!(never_drawn, None);
    }

    #[test]
    fn a_resample_has_as_many_of_each_stratum_as_the_sample() {
        let strata = [vec![0, 3], vec![1, 2, 4]];
        let of_first = |drawn: &[usize]| drawn.iter().filter(|cluster| strata[0].contains(cluster)).count();
        let resamples = Resamples::within(&strata);
        assert_eq!(resamples.iter().count(), RESAMPLES);
        assert!(resamples.iter().all(|drawn| drawn.len() == 5 && drawn.is_sorted() && of_first(drawn) == 2));
        let never_drawn = (0..5).find(|cluster| !resamples.iter().flatten().any(|drawn| drawn == cluster));
        assert_eq!(never_drawn, None);
    }

    #[test]
    fn statistics_computed_together_have_the_intervals_of_each_alone() {
        let values = [0.1, 0.9, 0.4, 0.4, 0.7];
        let total = |drawn: &[usize]| drawn.iter().map(|&i| values[i]).sum::<f64>();
        let most = |drawn: &[usize]| drawn.iter().map(|&i| values[i]).fold(0.0, f64::max);
        let both = bca_intervals(5, 0.9, |drawn| vec![total(drawn), most(drawn)]);
        assert_eq!(
            both,
            [bca_interval(&[vec![0, 1, 2, 3, 4]], 0.9, total), bca_interval(&[vec![0, 1, 2, 3, 4]], 0.9, most)]
        );
    }
}
