//! Gathers evidence on whether prompts differ one way more than the other, from the signs of their differences.

use std::f64::consts::LN_2;

use super::{Bounds, ln_mean, ln_mean_of};

/// How much of a difference counts as one: small ones weigh by size, great ones as signs.
const LAMBDAS: [f64; 6] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];

/// The sign-flip e-process of prompts' differences D: for each λ the product of
/// exp(λD − ln cosh λD), whose expectation is 1 where D and −D are equally likely (de la Peña 1999, "A general
/// class of exponential inequalities for martingales and ratios"; as an e-process, Ramdas, Ruf, Larsson
/// and Koolen 2020, "Admissible anytime-valid sequential inference must rely on nonnegative
/// martingales"), mixed over λ.
///
/// No bound, no variance and no prior is needed. The factor rises with D, so evidence for `up` holds against
/// whatever is symmetric about 0 or lies below. D = 0 leaves it as it is.
#[derive(Clone, Debug)]
pub struct SignFlip {
    ln_up: [f64; LAMBDAS.len()],
    ln_down: [f64; LAMBDAS.len()],
}

impl Default for SignFlip {
    fn default() -> Self {
        Self { ln_up: [0.0; LAMBDAS.len()], ln_down: [0.0; LAMBDAS.len()] }
    }
}

impl SignFlip {
    /// Takes a prompt's difference. Where it is not known, the least counts for `up` and the greatest
    /// for `down`, so that both hold whatever it is.
    pub fn observe(&mut self, Bounds { low, high }: Bounds) {
        for (place, lambda) in LAMBDAS.into_iter().enumerate() {
            self.ln_up[place] += ln_factor(lambda * low);
            self.ln_down[place] += ln_factor(-lambda * high);
        }
    }

    /// ln of the evidence that differences lie above 0, mixed over six λ.
    pub fn ln_up(&self) -> f64 {
        ln_mean_of(&self.ln_up)
    }

    pub fn ln_down(&self) -> f64 {
        ln_mean_of(&self.ln_down)
    }

    /// ln of the evidence that they do either, mixed over twelve λ.
    pub fn ln_either(&self) -> f64 {
        ln_mean(self.ln_up(), self.ln_down())
    }

    /// The least number of prompts after which [`Self::ln_up`] can reach `ln_e`: each at most doubles it.
    pub fn least_prompts_one_sided(ln_e: f64) -> usize {
        // What doubles exactly is an infinite difference: a prompt more where only that would do.
        (ln_e / LN_2).floor().max(0.0) as usize + 1
    }

    /// The same of [`Self::ln_either`].
    pub fn least_prompts_two_sided(ln_e: f64) -> usize {
        Self::least_prompts_one_sided(ln_e + LN_2)
    }
}

/// z − ln cosh z, which is ln 2 at +∞ and 2z + ln 2 far below 0.
fn ln_factor(z: f64) -> f64 {
    if z >= 0.0 { LN_2 - (-2.0 * z).exp().ln_1p() } else { 2.0 * z + LN_2 - (2.0 * z).exp().ln_1p() }
}

#[cfg(test)]
mod tests {
    use super::super::super::permutation::turn_signs;
    use super::super::super::testing::assert_near;
    use super::super::tests::{DIFFERENCES, ever_at_20, null_sweeps};
    use super::*;

    fn after(t: usize) -> SignFlip {
        let mut process = SignFlip::default();
        DIFFERENCES[..t].iter().for_each(|&d| process.observe(Bounds::exactly(d)));
        process
    }

    #[test]
    fn agrees_with_the_definition_to_ten_digits() {
        let expected = [
            (1, [1.3004370971, 1.5511280285, 1.8454555957, 1.9860718216], 1.0),
            (4, [2.6713650226, 4.5199101025, 6.4848958718, 6.6748771578], 2.4666655047),
            (8, [7.3160027742, 21.6712245776, 51.430041588, 76.1726431255], 24.2773155649),
            (12, [24.6978371365, 149.8606434466, 646.3177385446, 1190.4197352771], 347.1614864734),
        ];
        for (t, of_lambda, mixture) in expected {
            let process = after(t);
            for (ln, expected) in process.ln_up.iter().zip(of_lambda) {
                assert_near(ln.exp(), expected, 1e-10 * expected.max(1.0));
            }
            assert_near(process.ln_either().exp(), mixture, 1e-10 * mixture);
        }
        let first = (0..=12).find(|&t| after(t).ln_either() >= 20_f64.ln());
        assert_eq!(first, Some(8));
    }

    #[test]
    fn the_fixed_design_of_the_same_null_is_the_exchange_of_arms() {
        let sum = |signs: &[f64]| signs.iter().zip(DIFFERENCES).map(|(sign, d)| sign * d).sum::<f64>();
        assert_eq!(turn_signs(DIFFERENCES.len(), sum).p, 0.000_976_562_5);
    }

    #[test]
    fn what_is_the_same_costs_nothing() {
        let mut process = after(5);
        let before = process.ln_either();
        process.observe(Bounds::exactly(0.0));
        assert_near(process.ln_either(), before, 1e-15);
    }

    #[test]
    fn what_is_not_known_counts_against_either_side() {
        let mut process = after(8);
        let before = (process.ln_up(), process.ln_down());
        process.observe(Bounds { low: -0.5, high: 0.5 });
        assert!(process.ln_up() < before.0 && process.ln_down() < before.1);
        process.observe(Bounds { low: f64::NEG_INFINITY, high: f64::INFINITY });
        assert_eq!((process.ln_up(), process.ln_either()), (f64::NEG_INFINITY, f64::NEG_INFINITY));
    }

    #[test]
    fn fewer_prompts_than_the_least_never_suffice() {
        let reached = |t: usize| {
            let mut process = SignFlip::default();
            (0..t).for_each(|_| process.observe(Bounds::exactly(1e6)));
            (process.ln_up(), process.ln_either())
        };
        for e in [20.0_f64, 40.0, 100.0, 1e4] {
            let ln = e.ln();
            let (one, two) = (SignFlip::least_prompts_one_sided(ln), SignFlip::least_prompts_two_sided(ln));
            assert!(reached(one - 1).0 < ln && reached(one).0 >= ln, "{e}: {one}");
            assert!(reached(two - 1).1 < ln && reached(two).1 >= ln, "{e}: {two}");
        }
    }

    #[test]
    fn looking_after_every_prompt_errs_no_more_than_promised() {
        let share = ever_at_20(null_sweeps(), SignFlip::default, |process, d| {
            process.observe(Bounds::exactly(d));
            process.ln_either()
        });
        // 5 % and no more; not so little that the process could be one that never grows.
        assert!(share > 0.005 && share <= 0.05, "{share}");
        // One side, when what is compared leans to the other.
        let leaning = null_sweeps().map(|sweep| sweep.iter().map(|d| d - 0.05).collect());
        let share = ever_at_20(leaning, SignFlip::default, |process, d| {
            process.observe(Bounds::exactly(d));
            process.ln_up()
        });
        assert!(share <= 0.05, "{share}");
    }
}
