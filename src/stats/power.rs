//! What effect a design could have seen.

use statrs::distribution::{ContinuousCDF, Gamma, Normal, StudentsT};

use super::error::{StatsError, at_least};

/// How a test is to behave; [`Target::default`] is the usual one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Probability of a false alarm, two-sided.
    pub alpha: f64,
    /// Probability of seeing the effect.
    pub power: f64,
}

impl Default for Target {
    fn default() -> Self {
        Self { alpha: 0.05, power: 0.8 }
    }
}

/// The least mean difference, in the unit of `differences`, that a two-sided
/// paired t-test over as many prompts, with the spread observed, would have
/// found with the `target`'s power (Cohen 1988, "Statistical Power Analysis",
/// ch. 2). `differences` holds one for each prompt.
///
/// It says what the design can see. The power for the effect *observed* would
/// only say the p-value again (Hoenig and Heisey 2001, "The abuse of power").
///
/// # Errors
///
/// For fewer than three prompts, values that are not finite, no spread, and a
/// target whose α does not lie between 0 and ½ or whose power is not between α
/// and 0.999.
pub fn smallest_detectable_difference(differences: &[f64], target: Target) -> Result<f64, StatsError> {
    at_least(3, differences.len(), "prompts")?;
    super::error::all_finite(&[differences], "differences")?;
    let mean = super::mean(differences).expect("there are three");
    let n = differences.len() as f64;
    let sd = (differences.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    if sd <= 0.0 {
        return Err(StatsError::NoVariation { of: "differences", value: differences[0] });
    }
    Ok(sd * smallest_standardised(differences.len(), target)?)
}

/// The same in units of the differences' standard deviation (Cohen's d_z).
fn smallest_standardised(n: usize, Target { alpha, power }: Target) -> Result<f64, StatsError> {
    if !(alpha > 0.0 && alpha < 0.5) {
        return Err(StatsError::OutOfRange { name: "alpha", value: alpha, allowed: "between 0 and 0.5" });
    }
    if !(power > alpha && power < 0.999) {
        return Err(StatsError::OutOfRange { name: "the power", value: power, allowed: "between alpha and 0.999" });
    }
    let reach = Reach::new(n, alpha);
    let (mut low, mut high) = (0.0, 1.0);
    while reach.power(high) < power {
        high *= 2.0;
    }
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if reach.power(middle) < power { low = middle } else { high = middle }
    }
    Ok(high)
}

/// The power of a paired t-test as a function of d_z.
struct Reach {
    n: f64,
    critical_t: f64,
    /// Values of s/σ and their weights, which sum to 1.
    spreads: Vec<(f64, f64)>,
}

/// Points of the integral over s/σ.
const POINTS: u32 = 1000;

impl Reach {
    /// T = (Z + δ) / (s/σ) with (s/σ)² gamma-distributed. statrs has no noncentral
    /// t, so its probability is integrated over quantiles of s/σ. They are those
    /// of u², closer together for small shares: with few prompts, much of the
    /// power comes from samples that happen to spread little.
    fn new(n: usize, alpha: f64) -> Self {
        let degrees = n as f64 - 1.0;
        let student = StudentsT::new(0.0, 1.0, degrees).expect("degrees of freedom are positive");
        let squares = Gamma::new(degrees / 2.0, degrees / 2.0).expect("degrees of freedom are positive");
        let spread = |point: u32| {
            let u = (f64::from(point) + 0.5) / f64::from(POINTS);
            (squares.inverse_cdf(u * u).sqrt(), 2.0 * u / f64::from(POINTS))
        };
        let spreads = (0..POINTS).map(spread).collect();
        Self { n: n as f64, critical_t: student.inverse_cdf(1.0 - alpha / 2.0), spreads }
    }

    fn power(&self, dz: f64) -> f64 {
        let delta = dz * self.n.sqrt();
        let normal = Normal::standard();
        let beyond = |&(spread, weight): &(f64, f64)| {
            let critical = self.critical_t * spread;
            weight * (normal.sf(critical - delta) + normal.cdf(-critical - delta))
        };
        self.spreads.iter().map(beyond).sum()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::testing::{assert_near, oracle};
    use super::*;

    #[derive(Deserialize)]
    struct Case {
        n: usize,
        power: f64,
        alpha: f64,
        dz: f64,
    }

    #[test]
    fn agrees_with_the_noncentral_t() {
        for Case { n, power, alpha, dz } in oracle::<Vec<Case>>("power") {
            assert_near(smallest_standardised(n, Target { alpha, power }).unwrap(), dz, 1e-4 * dz);
        }
    }

    #[test]
    fn the_unit_is_that_of_the_differences() {
        let small = smallest_detectable_difference(&[0.1, 0.2, 0.4, 0.1], Target::default()).unwrap();
        let large = smallest_detectable_difference(&[10.0, 20.0, 40.0, 10.0], Target::default()).unwrap();
        assert_near(large, 100.0 * small, 1e-9);
    }

    #[test]
    fn says_what_it_refuses() {
        let of = |data: &[f64], alpha, power| smallest_detectable_difference(data, Target { alpha, power }).is_err();
        assert!(of(&[0.1, 0.2], 0.05, 0.8));
        assert!(of(&[0.1, 0.1, 0.1], 0.05, 0.8));
        assert!(of(&[0.1, 0.2, f64::NAN], 0.05, 0.8));
        assert!(of(&[0.1, 0.2, 0.3], 0.0, 0.8));
        assert!(of(&[0.1, 0.2, 0.3], 0.05, 1.0));
        assert!(!of(&[0.1, 0.2, 0.3], 0.05, 0.8));
    }
}
