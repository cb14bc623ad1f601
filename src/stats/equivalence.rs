//! Is a difference too small to matter? Two one-sided tests (TOST).

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::bootstrap::{RESAMPLES, Resamples, quantile};
use super::error::{StatsError, all_finite, at_least};
use super::{Effect, Interval};

/// The outcome of [`equivalence`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Equivalence {
    /// The mean difference, with the 90 % interval that belongs to two one-sided
    /// tests at 5 %: as wide as the wider of t's and the bootstrap's at each end.
    pub difference: Effect,
    /// The difference, either way, from which on it would matter.
    pub margin: f64,
    /// The greater of the next two. Where it is small, the difference is shown
    /// to lie within the margin; where it is not, nothing is shown.
    pub p: f64,
    pub p_t: f64,
    pub p_bootstrap: f64,
    /// The same for the opposite claim, that the difference lies beyond the margin,
    /// on whichever side: where it is small, this is shown. As the sides exclude each
    /// other, it needs no correction for both.
    pub p_beyond: f64,
    /// Of the claim that the difference lies below +margin, however far below
    /// (non-inferiority), and of its opposite.
    pub p_not_above: f64,
    pub p_above: f64,
    /// t against the lower and the upper end of the margin.
    pub t: [f64; 2],
    pub n_prompts: usize,
}

const INTERVAL_LEVEL: f64 = 0.90;
/// A resample's standard error counts as at least so much of the sample's.
const LEAST_SHARE_OF_ERROR: f64 = 1.0 / 3.0;

/// Tests whether the mean of differences, one for each prompt (average its seeds
/// first), lies within ±`margin`: Schuirmann 1987, "A comparison of the two
/// one-sided tests procedure"; by Student's t, and by the studentised bootstrap
/// over prompts (Efron and Tibshirani 1993, § 16.4), for scores are far from normal.
///
/// Where nearly all prompts differ by exactly 0, some resamples miss the few that do not, and
/// their standard error says nothing: it counts as at least a third of the sample's. Student's t
/// stands beside the bootstrap, so this can make a claim no bolder than t's.
///
/// # Errors
///
/// For fewer than three prompts, values that are not finite, a margin that is
/// not above 0, and where all differences are equal: t has no scale then. That
/// all prompts differ by exactly 0 is a fact to state, which needs no test.
pub fn equivalence(differences: &[f64], margin: f64) -> Result<Equivalence, StatsError> {
    at_least(3, differences.len(), "prompts")?;
    all_finite(&[differences], "differences")?;
    if !(margin > 0.0 && margin.is_finite()) {
        return Err(StatsError::OutOfRange { name: "the margin", value: margin, allowed: "above 0" });
    }
    let own = Moments::of(differences.iter().copied());
    if own.standard_error <= 0.0 {
        return Err(StatsError::NoVariation { of: "differences", value: differences[0] });
    }
    let t = [(own.mean + margin) / own.standard_error, (own.mean - margin) / own.standard_error];
    let student = StudentsT::new(0.0, 1.0, differences.len() as f64 - 1.0).expect("degrees of freedom are positive");
    let p_t = student.sf(t[0]).max(student.cdf(t[1]));

    let mut ts: Vec<f64> = Resamples::of(differences.len())
        .iter()
        .map(|drawn| Moments::of(drawn.iter().map(|&prompt| differences[prompt])).t(&own))
        .collect();
    let share =
        |hit: &dyn Fn(f64) -> bool| (ts.iter().filter(|&&t| hit(t)).count() + 1) as f64 / (RESAMPLES + 1) as f64;
    let p_bootstrap = share(&|resampled| resampled >= t[0]).max(share(&|resampled| resampled <= t[1]));
    let p_not_above = student.cdf(t[1]).max(share(&|resampled| resampled <= t[1]));
    let p_above = student.sf(t[1]).max(share(&|resampled| resampled >= t[1]));
    let p_below = student.cdf(t[0]).max(share(&|resampled| resampled <= t[0]));

    let tail = (1.0 - INTERVAL_LEVEL) / 2.0;
    let quantile_t = student.inverse_cdf(1.0 - tail);
    let low_t = quantile(&mut ts, 1.0 - tail).max(quantile_t);
    let high_t = quantile(&mut ts, tail).min(-quantile_t);
    let limit = |t: f64| own.mean - t * own.standard_error;
    let interval = Interval { low: limit(low_t), high: limit(high_t), level: INTERVAL_LEVEL };
    Ok(Equivalence {
        difference: Effect { estimate: own.mean, interval },
        margin,
        p: p_t.max(p_bootstrap),
        p_t,
        p_bootstrap,
        p_beyond: p_above.min(p_below),
        p_not_above,
        p_above,
        t,
        n_prompts: differences.len(),
    })
}

struct Moments {
    mean: f64,
    standard_error: f64,
}

impl Moments {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let n = values.clone().count() as f64;
        let first = values.clone().next().unwrap_or_default();
        let mean = first + values.clone().map(|value| value - first).sum::<f64>() / n;
        let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        Self { mean, standard_error: (variance / n).sqrt() }
    }

    /// The t of this resample about the sample's own mean.
    fn t(&self, own: &Self) -> f64 {
        (self.mean - own.mean) / self.standard_error.max(own.standard_error * LEAST_SHARE_OF_ERROR)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::testing::{assert_near, gaussians, oracle};
    use super::*;

    #[derive(Deserialize)]
    struct Case {
        differences: Vec<f64>,
        margin: f64,
        p: f64,
        t_low: f64,
        t_high: f64,
        interval: [f64; 2],
    }

    #[test]
    fn agrees_with_statsmodels() {
        for case in oracle::<Vec<Case>>("equivalence") {
            let tost = equivalence(&case.differences, case.margin).unwrap();
            assert_near(tost.p_t, case.p, 1e-9);
            assert_near(tost.t[0], case.t_low, 1e-9);
            assert_near(tost.t[1], case.t_high, 1e-9);
            let Interval { low, high, .. } = tost.difference.interval;
            assert!(low <= case.interval[0] + 1e-9 && high >= case.interval[1] - 1e-9);
            // The data are normal, so that the bootstrap is not far from t.
            let width = case.interval[1] - case.interval[0];
            assert!(high - low < 1.6 * width, "{tost:?}");
            assert!(tost.p >= tost.p_t && tost.p >= tost.p_bootstrap);
        }
    }

    /// FIELD's oracle gives moments; data with exactly these, of any shape.
    #[test]
    fn the_published_worked_example() {
        let sd = (1.17_f64.powi(2) + 1.29_f64.powi(2) - 2.0 * 0.75 * 1.17 * 1.29).sqrt();
        let raw: Vec<f64> = (0..65).map(|i| f64::from(i * 37 % 65)).collect();
        let mean = raw.iter().sum::<f64>() / 65.0;
        let scale = (raw.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 64.0).sqrt();
        let data: Vec<f64> = raw.iter().map(|x| 0.08 + sd * (x - mean) / scale).collect();
        let tost = equivalence(&data, 0.4 * sd).unwrap();
        assert_near(tost.t[0], 3.960381, 1e-5);
        assert_near(tost.t[1], -2.489426, 1e-5);
        assert_near(tost.p_t, 0.00770235, 1e-7);
    }

    #[test]
    fn the_interval_and_p_agree_on_the_verdict() {
        for set in 0..200 {
            let data: Vec<f64> = gaussians(set).take(10).collect();
            let tost = equivalence(&data, 0.7).unwrap();
            let Interval { low, high, .. } = tost.difference.interval;
            let inside = -0.7 < low && high < 0.7;
            assert!(inside == (tost.p < 0.05) || (tost.p - 0.05).abs() < 1e-3, "{tost:?}");
        }
    }

    /// 23 of 24 prompts whose arms wrote the same, as two placements of a model do.
    #[test]
    fn a_few_small_differences_among_none_are_within_a_wide_margin() {
        let mut data = [0.0; 24];
        (data[3], data[17]) = (0.0064, -0.0001);
        let tost = equivalence(&data, 0.1).unwrap();
        let Interval { low, high, .. } = tost.difference.interval;
        assert!(tost.p < 0.001 && -0.01 < low && high < 0.01, "{tost:?}");
        // Wider than t's all the same.
        assert!(high > tost.difference.estimate + 1.714 * 0.000_267);
    }

    /// One prompt in ten differs, by as much as makes the mean the margin: sparse and skewed.
    #[test]
    fn sparse_differences_at_the_margin_err_no_more_than_promised() {
        let wrong = (0..1000).filter(|&set| {
            let data: Vec<f64> = gaussians(set).take(24).map(|x| if x > 1.2816 { 0.5 } else { 0.0 }).collect();
            equivalence(&data, 0.05).is_ok_and(|tost| tost.p_not_above <= 0.05)
        });
        let share = wrong.count() as f64 / 1000.0;
        // Samples without any difference are refused, and not counted.
        assert!(share <= 0.05, "{share}");
    }

    /// At the margin itself equivalence is wrong: the test may say so in 5 %.
    #[test]
    fn at_the_margin_it_errs_no_more_than_promised() {
        let wrong = (0..500).filter(|&set| {
            let data: Vec<f64> = gaussians(set).take(12).map(|x| x + 1.0).collect();
            equivalence(&data, 1.0).unwrap().p <= 0.05
        });
        assert!(wrong.count() <= 25 + 20);
    }

    #[test]
    fn says_what_it_refuses() {
        let message = |data: &[f64], margin| equivalence(data, margin).unwrap_err().to_string();
        assert!(message(&[0.1, 0.2], 0.1).contains("at least 3"));
        assert!(message(&[0.1, 0.2, f64::NAN], 0.1).contains("finite"));
        assert!(message(&[0.1, 0.2, 0.3], 0.0).contains("margin"));
        assert!(message(&[0.0, 0.0, 0.0], 0.1).contains("all differences are 0"));
    }
}
