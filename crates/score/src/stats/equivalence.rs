//! Tests whether a difference is too small to matter, by two one-sided tests (TOST).

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::bootstrap::{RESAMPLES, Resamples, quantile};
use super::error::{StatsError, all_finite, at_least};
use super::rare::{PromptDifference, Range, Toward, p_unseen, widened};
use super::{Effect, Interval, LEAST_PROMPTS};

/// The outcome of [`equivalence`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Equivalence {
    /// The mean difference, with the 90 % interval that belongs to two one-sided
    /// tests at 5 %: as wide as the widest of t's, the bootstrap's and, where a kind of text is rare, that of
    /// what was not seen.
    pub difference: Effect,
    pub standard_error: f64,
    /// The difference, either way, from which on it would matter.
    pub margin: f64,
    /// The greatest of the next three. Where it is small, the difference is shown
    /// to lie within the margin; where it is not, nothing is shown.
    pub p: f64,
    pub p_t: f64,
    pub p_bootstrap: f64,
    /// What the sample may have missed; see [`p_unseen`]. 0 where no kind of text is rare.
    pub p_unseen: f64,
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
/// Both see only the sample, and where loops are rare and prompts few they call arms equal that are not, in 20 to
/// 85 % of samples. So [`p_unseen`] stands beside them for values that end at 0 and 1. It also has the
/// answer where all prompts differ by the same, and t has no scale.
///
/// # Errors
///
/// For fewer than six prompts, values that are not finite, a margin that is
/// not above 0, and where all differences of unbounded values are equal.
pub fn equivalence(prompts: &[PromptDifference], margin: f64, range: Range) -> Result<Equivalence, StatsError> {
    at_least(LEAST_PROMPTS, prompts.len(), "prompts")?;
    let differences: Vec<f64> = prompts.iter().map(|prompt| prompt.value).collect();
    all_finite(&[&differences], "differences")?;
    if !(margin > 0.0 && margin.is_finite()) {
        return Err(StatsError::OutOfRange { name: "the margin", value: margin, allowed: "above 0" });
    }
    let own = Moments::of(differences.iter().copied());
    let unseen = |bound, toward| match range {
        Range::Unit => p_unseen(prompts, bound, toward),
        Range::Unbounded => 0.0,
    };
    let rare = Unseen {
        not_above: unseen(margin, Toward::Higher),
        not_below: unseen(-margin, Toward::Lower),
        above: unseen(margin, Toward::Lower),
        below: unseen(-margin, Toward::Higher),
    };
    let join = |interval| match range {
        Range::Unit => widened(interval, prompts),
        Range::Unbounded => interval,
    };
    if own.standard_error <= 0.0 {
        if range == Range::Unbounded {
            return Err(StatsError::NoVariation { of: "differences", value: differences[0] });
        }
        return Ok(of_equal(own.mean, margin, prompts.len(), &rare, join));
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
    let p_not_above = student.cdf(t[1]).max(share(&|resampled| resampled <= t[1])).max(rare.not_above);
    let p_above = student.sf(t[1]).max(share(&|resampled| resampled >= t[1])).max(rare.above);
    let p_below = student.cdf(t[0]).max(share(&|resampled| resampled <= t[0])).max(rare.below);

    let tail = (1.0 - INTERVAL_LEVEL) / 2.0;
    let quantile_t = student.inverse_cdf(1.0 - tail);
    let low_t = quantile(&mut ts, 1.0 - tail).max(quantile_t);
    let high_t = quantile(&mut ts, tail).min(-quantile_t);
    let limit = |t: f64| own.mean - t * own.standard_error;
    let interval = join(Interval { low: limit(low_t), high: limit(high_t), level: INTERVAL_LEVEL });
    let p_unseen = rare.not_above.max(rare.not_below);
    Ok(Equivalence {
        difference: Effect { estimate: own.mean, interval },
        standard_error: own.standard_error,
        margin,
        p: p_t.max(p_bootstrap).max(p_unseen),
        p_t,
        p_bootstrap,
        p_unseen,
        p_beyond: p_above.min(p_below),
        p_not_above,
        p_above,
        t,
        n_prompts: differences.len(),
    })
}

/// What the sample may have missed, of each of the four claims.
struct Unseen {
    not_above: f64,
    not_below: f64,
    above: f64,
    below: f64,
}

/// All prompts differ by the same, so the sample speaks for one side of each bound, and only what it may
/// have missed speaks against it.
fn of_equal(
    value: f64,
    margin: f64,
    n_prompts: usize,
    rare: &Unseen,
    join: impl Fn(Interval) -> Interval,
) -> Equivalence {
    let unless = |holds: bool, p: f64| if holds { p } else { 1.0 };
    let p_not_above = unless(value < margin, rare.not_above);
    let p_not_below = unless(value > -margin, rare.not_below);
    let [p_above, p_below] = [unless(value > margin, rare.above), unless(value < -margin, rare.below)];
    let p = p_not_above.max(p_not_below);
    let interval = join(Interval { low: value, high: value, level: INTERVAL_LEVEL });
    let of_t = |bound: f64| (value + bound).signum() * f64::INFINITY;
    Equivalence {
        difference: Effect { estimate: value, interval },
        standard_error: 0.0,
        margin,
        p,
        p_t: unless(value.abs() < margin, 0.0),
        p_bootstrap: unless(value.abs() < margin, 0.0),
        p_unseen: rare.not_above.max(rare.not_below),
        p_beyond: p_above.min(p_below),
        p_not_above,
        p_above,
        t: [of_t(margin), of_t(-margin)],
        n_prompts,
    }
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

    use super::super::rare::Kinds;
    use super::super::testing::{assert_near, gaussians, oracle};
    use super::*;

    /// Of values whose loops are as common as not.
    fn equivalence(differences: &[f64], margin: f64) -> Result<Equivalence, StatsError> {
        let both = Kinds { loops: true, free: true };
        let prompt = |&value: &f64| PromptDifference { value, base: both, other: both };
        super::equivalence(&differences.iter().map(prompt).collect::<Vec<_>>(), margin, Range::Unit)
    }

    fn without_loops(differences: &[f64], margin: f64) -> Result<Equivalence, StatsError> {
        let free = Kinds { loops: false, free: true };
        let prompt = |&value: &f64| PromptDifference { value, base: free, other: free };
        super::equivalence(&differences.iter().map(prompt).collect::<Vec<_>>(), margin, Range::Unit)
    }

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
        assert!(message(&[0.1; 5], 0.1).contains("at least 6"));
        assert!(message(&[0.1, 0.2, f64::NAN, 0.3, 0.4, 0.5], 0.1).contains("finite"));
        assert!(message(&[0.1; 6], 0.0).contains("margin"));
        let alike = [PromptDifference { value: 0.0, base: Kinds::default(), other: Kinds::default() }; 6];
        let unbounded = super::equivalence(&alike, 0.1, Range::Unbounded).unwrap_err().to_string();
        assert!(unbounded.contains("all differences are 0"), "{unbounded}");
    }

    /// What nobody saw differ is no proof that it does not: see the audit's table of rare loops.
    #[test]
    fn prompts_that_are_all_alike_show_no_more_than_their_number() {
        let p = |n: usize, margin| without_loops(&vec![0.0; n], margin).unwrap().p;
        assert_near(p(24, 0.05), 0.95_f64.powi(24), 1e-12);
        assert!(p(58, 0.05) > 0.05 && p(59, 0.05) <= 0.05);
        let found = without_loops(&[0.0; 24], 0.05).unwrap();
        assert_near(found.difference.interval.high, 1.0 - 0.05_f64.powf(1.0 / 24.0), 1e-9);
        // Beyond the margin without exception: that is not proof either.
        assert!(without_loops(&[0.06; 24], 0.05).unwrap().p_above > 0.05);
        assert!(without_loops(&[0.6; 24], 0.05).unwrap().p_above < 0.001);
    }
}
