//! Estimates when texts begin to loop, if some end before they could.

use serde::Serialize;

use super::error::{StatsError, all_finite, at_least};
use super::proportion::Clustered;
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
    /// By the jackknife over prompts; `None` of one prompt.
    pub standard_error: Option<f64>,
    /// Pointwise; `None` where it would not keep its level: see [`kaplan_meier`].
    pub interval: Option<Interval>,
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
/// from Incomplete Observations", of all times of all prompts. An onset at the same time as a
/// censoring comes first.
///
/// Times of a prompt resemble each other, so the standard error is that of the jackknife that leaves
/// out one prompt at a time (Lipsitz, Dear and Zhao 1994, "Jackknife estimators of variance for parameter estimates
/// from estimating equations with applications to clustered survival data"), and not Greenwood's.
///
/// Intervals are Clopper and Pearson's exact ones for the number of independent texts that have this
/// standard error (effective sizes: Dorey and Korn 1987, "Effective sample sizes for confidence intervals for survival
/// probabilities"), bounded as that of P(loop) is: see [`super::clustered_share`], to whose interval they are
/// equal where no text is censored. On the scale log(−log) with Student's t they covered as little as 39 % where
/// onsets are rare; so they cover 94 % or more (docs/intervals.md).
///
/// # Errors
///
/// For no times at all, and for times that are not finite or below 0.
pub fn kaplan_meier(prompts: &[impl AsRef<[Onset]>]) -> Result<SurvivalCurve, StatsError> {
    let times = Times::of(prompts)?;
    let survival = times.survival(None);
    let without: Vec<Vec<f64>> = (0..times.n_prompts).map(|prompt| times.survival(Some(prompt))).collect();
    let mut n_at_risk = times.sorted.len();
    let mut steps = Vec::new();
    let mut has_onset = vec![false; times.n_prompts];
    for together in times.together() {
        let onsets = together.iter().filter(|time| time.is_onset);
        let n_onsets = onsets.clone().count();
        onsets.for_each(|time| has_onset[time.prompt] = true);
        if n_onsets > 0 {
            let place = steps.len();
            let (time, survival) = (together[0].time, survival[place]);
            let each: Vec<f64> = without.iter().map(|survival| survival[place]).collect();
            let standard_error = jackknife_error(&each);
            let with_onset = has_onset.iter().filter(|has| **has).count();
            let of = Clustered {
                texts: times.sorted.len(),
                prompts: times.n_prompts,
                degrees: times.n_prompts as f64 - 1.0,
                fewest: with_onset.min(times.n_left(time)),
            };
            let interval = standard_error.map(|error| of.interval(1.0 - survival, error * error, LEVEL)).map(mirrored);
            steps.push(Step { time, survival, standard_error, interval, n_at_risk, n_onsets });
        }
        n_at_risk -= together.len();
    }
    let last_time = times.sorted.last().map_or(0.0, |time| time.time);
    Ok(SurvivalCurve { steps, n: times.sorted.len(), last_time })
}

struct Time {
    time: f64,
    is_onset: bool,
    prompt: usize,
}

struct Times {
    /// At least one.
    sorted: Vec<Time>,
    /// Those with a time.
    n_prompts: usize,
}

impl Times {
    fn of(prompts: &[impl AsRef<[Onset]>]) -> Result<Self, StatsError> {
        let prompts = prompts.iter().map(AsRef::as_ref).filter(|onsets| !onsets.is_empty());
        let of_prompt = |(prompt, onsets): (usize, &[Onset])| {
            let time = move |onset: &Onset| match *onset {
                Onset::At(time) => Time { time, is_onset: true, prompt },
                Onset::Censored(time) => Time { time, is_onset: false, prompt },
            };
            onsets.iter().map(time).collect::<Vec<_>>()
        };
        let mut sorted: Vec<Time> = prompts.clone().enumerate().flat_map(of_prompt).collect();
        at_least(1, sorted.len(), "times")?;
        all_finite(&sorted.iter().map(|time| [time.time]).collect::<Vec<_>>(), "times")?;
        if let Some(&Time { time: value, .. }) = sorted.iter().find(|time| time.time < 0.0) {
            return Err(StatsError::OutOfRange { name: "a time", value, allowed: "at or above 0" });
        }
        sorted.sort_by(|a, b| a.time.total_cmp(&b.time));
        Ok(Self { sorted, n_prompts: prompts.count() })
    }

    fn together(&self) -> impl Iterator<Item = &[Time]> {
        self.sorted.chunk_by(|a, b| a.time == b.time)
    }

    /// Prompts with a text that goes on beyond a time.
    fn n_left(&self, time: f64) -> usize {
        let mut left = vec![false; self.n_prompts];
        self.sorted.iter().filter(|of| of.time > time).for_each(|of| left[of.prompt] = true);
        left.iter().filter(|left| **left).count()
    }

    /// The survival at each time with an onset, of all prompts or of all but one.
    fn survival(&self, without: Option<usize>) -> Vec<f64> {
        let counts = |time: &&Time| Some(time.prompt) != without;
        let mut n_at_risk = self.sorted.iter().filter(counts).count();
        let mut survival = 1.0;
        let mut at_onsets = Vec::new();
        for together in self.together() {
            let n_onsets = together.iter().filter(counts).filter(|time| time.is_onset).count();
            if n_onsets > 0 {
                survival *= (n_at_risk - n_onsets) as f64 / n_at_risk as f64;
            }
            if together.iter().any(|time| time.is_onset) {
                at_onsets.push(survival);
            }
            n_at_risk -= together.iter().filter(counts).count();
        }
        at_onsets
    }
}

/// Of the share that goes on, from that of the share that does not.
fn mirrored(Interval { low, high, level }: Interval) -> Interval {
    Interval { low: 1.0 - high, high: 1.0 - low, level }
}

/// Of values that each leave out another prompt (Efron and Tibshirani 1993, § 11.2).
fn jackknife_error(without: &[f64]) -> Option<f64> {
    let n = without.len() as f64;
    let mean = without.iter().sum::<f64>() / n;
    let squares: f64 = without.iter().map(|value| (value - mean).powi(2)).sum();
    (without.len() >= 2).then(|| (squares * (n - 1.0) / n).sqrt())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::testing::{assert_near, oracle};
    use super::super::{Hits, clustered_share};
    use super::*;

    #[derive(Deserialize)]
    struct Case {
        times: Vec<f64>,
        seen: Vec<bool>,
        at: Vec<f64>,
        survival: Vec<f64>,
    }

    #[test]
    fn agrees_with_statsmodels() {
        for case in oracle::<Vec<Case>>("kaplan_meier") {
            let onsets = case.times.iter().zip(&case.seen);
            let onsets: Vec<_> =
                onsets.map(|(&time, &seen)| [if seen { Onset::At(time) } else { Onset::Censored(time) }]).collect();
            let curve = kaplan_meier(&onsets).unwrap();
            assert_eq!(curve.steps.iter().map(|step| step.time).collect::<Vec<_>>(), case.at);
            for (step, survival) in curve.steps.iter().zip(case.survival) {
                assert_near(step.survival, survival, 1e-12);
            }
        }
    }

    /// Six prompts with four texts each; none ends before 90.
    const TIMES: [[f64; 4]; 6] = [
        [10.0, 12.0, 9.0, 11.0],
        [60.0, 70.0, 100.0, 100.0],
        [20.0, 25.0, 22.0, 19.0],
        [100.0, 100.0, 100.0, 100.0],
        [30.0, 100.0, 35.0, 33.0],
        [80.0, 100.0, 100.0, 90.0],
    ];

    fn curve() -> SurvivalCurve {
        let onset = |time: f64| if time < 100.0 { Onset::At(time) } else { Onset::Censored(time) };
        kaplan_meier(&TIMES.map(|times| times.map(onset))).unwrap()
    }

    // The expected error is NumPy's; Greenwood's, of independent texts, is 0.101707.
    #[test]
    fn the_error_is_over_prompts() {
        let curve = curve();
        let at_50 = curve.steps.iter().rfind(|step| step.time < 50.0).unwrap();
        assert_near(at_50.survival, 0.541667, 5e-7);
        assert_near(at_50.standard_error.unwrap(), 0.208333, 5e-7);
    }

    #[test]
    fn before_a_text_ends_the_interval_is_that_of_a_share() {
        let curve = curve();
        for step in &curve.steps {
            let hits = |times: &[f64; 4]| times.iter().filter(|time| **time <= step.time).count() as u32;
            let hits: Vec<Hits> = TIMES.iter().map(|times| Hits { hits: hits(times), n: 4 }).collect();
            let looping = clustered_share(&hits, LEVEL).unwrap().interval;
            let found = step.interval.unwrap();
            assert_near(found.low, 1.0 - looping.high, 1e-9);
            assert_near(found.high, 1.0 - looping.low, 1e-9);
        }
    }

    #[test]
    fn one_prompt_says_nothing_of_others() {
        let curve = kaplan_meier(&[[4.0, 1.0, 3.0].map(Onset::At)]).unwrap();
        assert!(curve.steps.iter().all(|step| step.standard_error.is_none() && step.interval.is_none()));
        // A prompt without a text counts for nothing.
        let prompts = [vec![Onset::At(4.0)], vec![], vec![Onset::Censored(5.0)]];
        assert!(kaplan_meier(&prompts).unwrap().steps[0].interval.is_some());
    }

    #[test]
    fn without_censoring_it_is_the_share_that_is_left() {
        let curve = kaplan_meier(&[4.0, 1.0, 3.0, 3.0].map(|time| [Onset::At(time)])).unwrap();
        assert_eq!(curve.steps.iter().map(|step| step.survival).collect::<Vec<_>>(), [0.75, 0.25, 0.0]);
        assert_eq!(curve.median(), Some(3.0));
    }

    #[test]
    fn no_onset_leaves_a_curve_without_steps() {
        let curve = kaplan_meier(&[[Onset::Censored(100.0)]; 5]).unwrap();
        assert_eq!((curve.steps.len(), curve.n, curve.last_time, curve.median()), (0, 5, 100.0, None));
    }

    #[test]
    fn says_what_it_refuses() {
        assert!(kaplan_meier(&[[Onset::At(1.0); 0]; 2]).is_err());
        assert!(kaplan_meier(&[[Onset::At(f64::NAN)]]).is_err());
        assert!(kaplan_meier(&[[Onset::Censored(-1.0)]]).is_err());
    }
}
