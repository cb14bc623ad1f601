//! When do texts begin to loop, if some end before they could?

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal};

use super::error::{StatsError, all_finite, at_least};
use super::{Interval, LEVEL};

/// When something happened, or until when it had not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Onset {
    /// At this time; in tokens generated, for a loop.
    At(f64),
    /// Not before this time, when the text ended (Kaplan and Meier: a loss).
    Censored(f64),
}

/// A step of the survival curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Step {
    pub time: f64,
    /// The share that goes on without an onset beyond this time.
    pub survival: f64,
    /// Pointwise; on the scale log(−log), so that it stays within 0 and 1. It has
    /// no width where the survival is 0, which leaves nothing to be unsure of.
    pub interval: Interval,
    /// Without an onset just before this time, and not censored.
    pub n_at_risk: usize,
    pub n_onsets: usize,
}

/// A survival curve: 1 until the first step, then each step's survival until the next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SurvivalCurve {
    /// Times of onsets, ascending.
    pub steps: Vec<Step>,
    pub n: usize,
    /// The last time at which any of them was seen; the curve says nothing beyond.
    pub last_time: f64,
}

impl SurvivalCurve {
    /// The least time by which at most half go on without an onset; `None`
    /// where more than half do to the end.
    pub fn median(&self) -> Option<f64> {
        self.steps.iter().find(|step| step.survival <= 0.5 + 1e-12).map(|step| step.time)
    }
}

/// The product-limit estimate of Kaplan and Meier 1958, "Nonparametric Estimation
/// from Incomplete Observations", with 95 % intervals from Greenwood's variance
/// (Kalbfleisch and Prentice 2002, § 1.4). An onset at the same time as a
/// censoring comes first. Times are taken as independent: give one per prompt,
/// or read the intervals as too narrow.
///
/// # Errors
///
/// For no times at all, and for times that are not finite or below 0.
pub fn kaplan_meier(onsets: &[Onset]) -> Result<SurvivalCurve, StatsError> {
    at_least(1, onsets.len(), "times")?;
    let time_of = |onset: &Onset| match *onset {
        Onset::At(time) | Onset::Censored(time) => time,
    };
    let mut times: Vec<(f64, bool)> =
        onsets.iter().map(|onset| (time_of(onset), matches!(onset, Onset::At(_)))).collect();
    all_finite(&times.iter().map(|(time, _)| [*time]).collect::<Vec<_>>(), "times")?;
    if let Some(&(value, _)) = times.iter().find(|(time, _)| *time < 0.0) {
        return Err(StatsError::OutOfRange { name: "a time", value, allowed: "at or above 0" });
    }
    times.sort_by(|a, b| a.0.total_cmp(&b.0));

    let (mut survival, mut greenwood, mut n_at_risk) = (1.0, 0.0, times.len());
    let mut steps = Vec::new();
    for together in times.chunk_by(|a, b| a.0 == b.0) {
        let n_onsets = together.iter().filter(|(_, seen)| *seen).count();
        if n_onsets > 0 {
            let (at_risk, left) = (n_at_risk as f64, (n_at_risk - n_onsets) as f64);
            survival *= left / at_risk;
            greenwood += n_onsets as f64 / (at_risk * left);
            let interval = interval(survival, greenwood);
            steps.push(Step { time: together[0].0, survival, interval, n_at_risk, n_onsets });
        }
        n_at_risk -= together.len();
    }
    Ok(SurvivalCurve { steps, n: times.len(), last_time: times[times.len() - 1].0 })
}

/// `greenwood` is the variance of the survival over its square.
fn interval(survival: f64, greenwood: f64) -> Interval {
    if survival <= 0.0 {
        return Interval { low: 0.0, high: 0.0, level: LEVEL };
    }
    let z = Normal::standard().inverse_cdf((1.0 + LEVEL) / 2.0);
    let reach = z * greenwood.sqrt() / survival.ln().abs();
    Interval { low: survival.powf(reach.exp()), high: survival.powf((-reach).exp()), level: LEVEL }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::testing::{assert_near, oracle};
    use super::*;

    #[derive(Deserialize)]
    struct Case {
        times: Vec<f64>,
        seen: Vec<bool>,
        at: Vec<f64>,
        survival: Vec<f64>,
        standard_error: Vec<Option<f64>>,
    }

    #[test]
    fn agrees_with_statsmodels() {
        for case in oracle::<Vec<Case>>("kaplan_meier") {
            let seen = case.times.iter().zip(&case.seen);
            let onsets: Vec<Onset> =
                seen.map(|(&time, seen)| if *seen { Onset::At(time) } else { Onset::Censored(time) }).collect();
            let curve = kaplan_meier(&onsets).unwrap();
            assert_eq!(curve.steps.iter().map(|step| step.time).collect::<Vec<_>>(), case.at);
            for ((step, survival), standard_error) in curve.steps.iter().zip(case.survival).zip(case.standard_error) {
                assert_near(step.survival, survival, 1e-12);
                let Some(standard_error) = standard_error else { continue };
                // On the scale of the interval: se(log(−log S)) = se(S) / |S log S|.
                let reach = 1.959963984540054 * standard_error / (survival * survival.ln()).abs();
                assert_near(step.interval.low, survival.powf(reach.exp()), 1e-9);
                assert_near(step.interval.high, survival.powf((-reach).exp()), 1e-9);
            }
        }
    }

    #[test]
    fn without_censoring_it_is_the_share_that_is_left() {
        let curve = kaplan_meier(&[4.0, 1.0, 3.0, 3.0].map(Onset::At)).unwrap();
        assert_eq!(curve.steps.iter().map(|step| step.survival).collect::<Vec<_>>(), [0.75, 0.25, 0.0]);
        assert_eq!(curve.median(), Some(3.0));
    }

    #[test]
    fn no_onset_leaves_a_curve_without_steps() {
        let curve = kaplan_meier(&[Onset::Censored(100.0); 5]).unwrap();
        assert_eq!((curve.steps.len(), curve.n, curve.last_time, curve.median()), (0, 5, 100.0, None));
    }

    #[test]
    fn says_what_it_refuses() {
        assert!(kaplan_meier(&[]).is_err());
        assert!(kaplan_meier(&[Onset::At(f64::NAN)]).is_err());
        assert!(kaplan_meier(&[Onset::Censored(-1.0)]).is_err());
    }
}
