//! Tests whether a mean over prompts is another than it is said to be.

use serde::Serialize;

use super::error::{StatsError, all_finite, at_least};
use super::permutation::{PValue, sign_interval, turn_signs};
use super::{LEVEL, Measured, mean, rounded, standard_error};

/// The outcome of [`sign_test`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SignTest {
    /// With the interval that belongs to the test: what it does not reject at 5 %. None for fewer than
    /// [`super::LEAST_PROMPTS`].
    pub mean: Measured,
    /// Two-sided.
    pub p: PValue,
    pub n_prompts: usize,
}

/// Tests whether the mean of values, one for each prompt (average its seeds first), is `null`, by turning the signs of
/// whole prompts about it (Fisher 1935, "The Design of Experiments", § 21): for a difference of arms this exchanges
/// the arms of whole prompts. All arrangements are tried for up to 16 prompts. It is exact where
/// the values scatter evenly about `null`; [`super::p_unseen`] is for loops so rare that they do not.
///
/// # Errors
///
/// For fewer than two prompts and for values that are not finite.
pub fn sign_test(values: &[f64], null: f64) -> Result<SignTest, StatsError> {
    at_least(2, values.len(), "prompts")?;
    all_finite(&[values], "values of prompts")?;
    let about: Vec<f64> = values.iter().map(|value| rounded(value - null)).collect();
    let sum = |signs: &[f64]| about.iter().zip(signs).map(|(value, sign)| value * sign).sum();
    Ok(SignTest {
        mean: Measured {
            estimate: mean(values).expect("there are two"),
            interval: sign_interval(values, LEVEL),
            standard_error: standard_error(values),
        },
        p: turn_signs(values.len(), sum),
        n_prompts: values.len(),
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::testing::{assert_near, gaussians, oracle, share_below};
    use super::*;

    #[derive(Deserialize)]
    struct Case {
        a: Vec<f64>,
        b: Vec<f64>,
        sign_flip_p: f64,
    }

    fn differences(case: &Case) -> Vec<f64> {
        case.a.iter().zip(&case.b).map(|(base, other)| other - base).collect()
    }

    #[test]
    fn agrees_with_scipy() {
        for case in oracle::<Vec<Case>>("paired") {
            let found = sign_test(&differences(&case), 0.0).unwrap();
            assert_near(found.p.p, case.sign_flip_p, 1e-12);
        }
    }

    #[test]
    fn turning_all_values_turns_the_effect() {
        let there = differences(&oracle::<Vec<Case>>("paired")[1]);
        let back: Vec<f64> = there.iter().map(|value| -value).collect();
        let (there, back) = (sign_test(&there, 0.0).unwrap(), sign_test(&back, 0.0).unwrap());
        assert_eq!(there.p, back.p);
        assert_near(there.mean.interval.unwrap().low, -back.mean.interval.unwrap().high, 1e-12);
    }

    #[test]
    fn values_that_are_all_the_null_have_p_1() {
        assert_eq!(sign_test(&[0.0; 8], 0.0).unwrap().p.p, 1.0);
        // But for the order of a sum.
        assert_eq!(sign_test(&[0.1 + 0.2 - 0.3; 8], 0.0).unwrap().p.p, 1.0);
        assert_eq!(sign_test(&[0.0; 8], 0.05).unwrap().p.p, 2.0 / 256.0);
    }

    #[test]
    fn says_what_it_refuses() {
        assert!(sign_test(&[1.0], 0.0).unwrap_err().to_string().contains("prompts"));
        assert!(sign_test(&[1.0, f64::INFINITY], 0.0).unwrap_err().to_string().contains("inf"));
    }

    #[test]
    fn without_an_effect_p_is_uniform() {
        let p = (0..500).map(|set| sign_test(&gaussians(set).take(12).collect::<Vec<_>>(), 0.0).unwrap().p.p);
        share_below(p.collect());
    }
}
