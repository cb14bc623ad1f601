//! Computes what is needed to pool runs and to plan the next: a mean's standard error, and how alike the texts of a
//! prompt are.

use serde::Serialize;

use super::Strata;
use super::strata::variance_of_sum;

/// How values of clusters scatter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Dispersion {
    /// Clusters with a value.
    pub n_prompts: usize,
    /// Of the mean over all values of all clusters, within the strata: Miller 2024, "Adding Error Bars to Evals",
    /// equation 4; `None` for fewer than two clusters.
    pub standard_error: Option<f64>,
    /// [`icc`].
    pub icc: Option<f64>,
}

impl Dispersion {
    pub fn of(clusters: &[impl AsRef<[f64]>]) -> Self {
        Self::within(clusters, &Strata::default())
    }

    /// The intraclass correlation is of all clusters, whatever their stratum.
    pub fn within(clusters: &[impl AsRef<[f64]>], strata: &Strata) -> Self {
        Self {
            n_prompts: clusters.iter().filter(|values| !values.as_ref().is_empty()).count(),
            standard_error: clustered_standard_error_within(clusters, strata),
            icc: icc(clusters),
        }
    }
}

/// The standard error of the mean over all values of all clusters, which may depend on each other
/// within a cluster: Miller 2024, "Adding Error Bars to Evals", equation 4, `√(Σ_c (Σ_i (s_ic − s̄))²) / n`
/// with n the number of all values. It has no factor for few clusters (statsmodels and Stata multiply its
/// square by c/(c − 1) × (n − 1)/(n − k)), so multiply it by `√(c/(c − 1))` for a test with Student's t.
///
/// Where clusters are of strata, of which there are so many by design, it is, with
/// `d_c = Σ_i (s_ic − s̄)` and k_h clusters in stratum h,
/// `√((c − 1)/c × Σ_h k_h/(k_h − 1) Σ_(c in h) (d_c − d̄_h)²) / n`: Cochran 1977, § 5.4, of the deviations from the mean
/// as in his § 6.11 (combined ratio). The first factor makes it the former where there is one stratum, to be
/// multiplied by `√(c/(c − 1))` like that. Strata of one cluster are pooled.
///
/// Empty clusters are left out; `None` for fewer than two.
fn clustered_standard_error_within(clusters: &[impl AsRef<[f64]>], strata: &Strata) -> Option<f64> {
    let strata = strata.kept(clusters.iter().map(|values| !values.as_ref().is_empty()));
    let Totals { clusters, n, mean } = Totals::of(clusters)?;
    let deviation = |values: &&[f64]| values.iter().map(|value| value - mean).sum::<f64>();
    let deviations: Vec<f64> = clusters.iter().map(deviation).collect();
    let c = clusters.len() as f64;
    let strata = strata.members(clusters.len());
    let squares = match strata.len() {
        1 => deviations.iter().map(|deviation| deviation.powi(2)).sum::<f64>(),
        _ => (c - 1.0) / c * variance_of_sum(&strata, &deviations).of_sum,
    };
    Some(squares.sqrt() / n)
}

/// The intraclass correlation ICC(1) of Shrout and Fleiss 1979: the share of the variance that is between
/// clusters, from the mean squares of a one-way analysis of variance,
/// `(between − within) / (between + (k − 1) within)`. Where clusters differ in size k is
/// `(n − Σk_c²/n) / (c − 1)`, as in Donner 1986. An estimate: it may be below 0.
///
/// Empty clusters are left out; `None` for fewer than two, where each has one value, and where
/// all values are equal.
pub fn icc(clusters: &[impl AsRef<[f64]>]) -> Option<f64> {
    let Totals { clusters, n, mean: grand } = Totals::of(clusters)?;
    let c = clusters.len() as f64;
    let of = |values: &[f64]| {
        (values.len() as f64, grand + values.iter().map(|value| value - grand).sum::<f64>() / values.len() as f64)
    };
    let (mut between, mut within, mut squares) = (0.0, 0.0, 0.0);
    for values in &clusters {
        let (k, mean) = of(values);
        between += k * (mean - grand).powi(2);
        within += values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        squares += k * k;
    }
    let k = (n - squares / n) / (c - 1.0);
    let (between, within) = (between / (c - 1.0), within / (n - c));
    let all = between + (k - 1.0) * within;
    (n > c && all > 0.0).then(|| (between - within) / all)
}

struct Totals<'a> {
    /// At least two, none of them empty.
    clusters: Vec<&'a [f64]>,
    /// All values.
    n: f64,
    mean: f64,
}

impl<'a> Totals<'a> {
    fn of(clusters: &'a [impl AsRef<[f64]>]) -> Option<Self> {
        let clusters: Vec<&[f64]> = clusters.iter().map(AsRef::as_ref).filter(|values| !values.is_empty()).collect();
        let n = clusters.iter().map(|values| values.len()).sum::<usize>() as f64;
        let mean = super::mean(&clusters.concat())?;
        (clusters.len() >= 2).then_some(Self { clusters, n, mean })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_near;
    use super::*;

    fn clustered_standard_error(clusters: &[impl AsRef<[f64]>]) -> Option<f64> {
        clustered_standard_error_within(clusters, &Strata::default())
    }

    /// Six prompts with four texts each.
    const SCORES: [[f64; 4]; 6] = [
        [0.7, 0.8, 0.0, 0.6],
        [0.0, 0.0, 0.0, 0.02],
        [0.9, 0.85, 0.8, 0.95],
        [0.0, 0.01, 0.0, 0.0],
        [0.0, 0.6, 0.0, 0.0],
        [0.03, 0.0, 0.0, 0.01],
    ];

    // The expected values are those of NumPy; with statsmodels' factors the error is 0.14769.
    #[test]
    fn the_standard_error_is_over_prompts() {
        assert_near(clustered_standard_error(&SCORES).unwrap(), 0.134822, 5e-7);
        let corrected = clustered_standard_error(&SCORES).unwrap() * (6.0_f64 / 5.0).sqrt();
        assert_near(corrected, 0.14769, 5e-6);
    }

    /// Means of 0.1 and 0.9. By hand: d is −0.5, −0.3, 0.3, 0.5 (one value each), Σ(d − d̄_h)² is 0.02 in each
    /// stratum, and √(3/4 × 2 × (0.02 + 0.02)) / 4 = 0.061237.
    #[test]
    fn what_lies_between_strata_is_no_error() {
        let values = [[0.0], [0.2], [0.8], [1.0]];
        let within = clustered_standard_error_within(&values, &Strata::new(vec![0, 0, 1, 1])).unwrap();
        assert_near(within, 0.061_237_243_6, 1e-9);
        assert_near(clustered_standard_error(&values).unwrap(), 0.68_f64.sqrt() / 4.0, 1e-12);
        // Named otherwise, or with a prompt that has no value.
        let with_an_empty = [vec![0.8], vec![], vec![0.0], vec![1.0], vec![0.2]];
        let strata = Strata::new(vec![5, 9, 2, 5, 2]);
        assert_near(clustered_standard_error_within(&with_an_empty, &strata).unwrap(), within, 1e-12);
    }

    #[test]
    fn one_stratum_is_none() {
        let one = clustered_standard_error_within(&SCORES, &Strata::new(vec![3; 6]));
        assert_eq!(one, clustered_standard_error(&SCORES));
    }

    #[test]
    fn texts_of_a_prompt_are_alike() {
        assert_near(icc(&SCORES).unwrap(), 0.765309, 5e-7);
    }

    #[test]
    fn prompts_of_one_value_each_say_nothing_of_it() {
        assert_eq!(icc(&[[0.1], [0.9], [0.4]]), None);
        assert_eq!(icc(&[[0.5; 3]; 4]), None);
        assert_eq!(icc(&[vec![0.5, 0.1], vec![]]), None);
        assert_eq!(icc(&[[0.5, 0.5], [0.1, 0.1]]), Some(1.0));
        assert_near(icc(&[[0.0, 1.0], [1.0, 0.0]]).unwrap(), -1.0, 1e-12);
    }

    #[test]
    fn equal_values_have_no_error_and_one_prompt_none_that_is_known() {
        assert_eq!(clustered_standard_error(&[[0.1; 3]; 4]), Some(0.0));
        assert_eq!(clustered_standard_error(&[[0.1, 0.2]]), None);
        assert_eq!(clustered_standard_error(&[[0.1; 0]; 4]), None);
    }
}
