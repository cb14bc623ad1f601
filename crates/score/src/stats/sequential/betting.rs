//! Gathers evidence on whether a mean lies above or below a number, by betting on it.

use super::{Bounds, ln_mean};
use crate::stats::error::StatsError;

/// Bets stay below this share of what would lose all. Not the 0.5 of confseq: with a difference of 0
/// throughout, a claim of "within a margin" takes twice as many prompts with that.
pub const CUT: f64 = 0.95;

/// Which way a mean is betted to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Towards {
    Above,
    Below,
}

/// The wealth of one who bets that values in [0, 1] have a mean above, or below, `m`: an e-process against
/// the contrary, whatever their distribution (Waudby-Smith and Ramdas 2024, "Estimating means of
/// bounded random variables by betting", § 4), with their predictable plug-in bets
/// λ = √(2 ln(1/α) / (t ln(1 + t) σ²)), cut where a loss would take more than `cut`.
#[derive(Clone, Debug)]
pub struct Bet {
    towards: Towards,
    m: f64,
    /// The greatest λ.
    most: f64,
    /// 2 ln(1/α).
    stakes: f64,
    t: f64,
    sum: f64,
    squares: f64,
    ln_wealth: f64,
}

impl Bet {
    /// # Errors
    /// For an `alpha` or `cut` that does not lie between 0 and 1, and an `m` at or beyond an end.
    pub fn new(towards: Towards, m: f64, alpha: f64, cut: f64) -> Result<Self, StatsError> {
        let inside = |name, value: f64| {
            let allowed = "between 0 and 1";
            if value > 0.0 && value < 1.0 { Ok(value) } else { Err(StatsError::OutOfRange { name, value, allowed }) }
        };
        let (m, alpha, cut) = (inside("the mean", m)?, inside("alpha", alpha)?, inside("the cut", cut)?);
        let most = match towards {
            Towards::Above => cut / m,
            Towards::Below => cut / (1.0 - m),
        };
        let stakes = -2.0 * alpha.ln();
        Ok(Self { towards, m, most, stakes, t: 0.0, sum: 0.0, squares: 0.0, ln_wealth: 0.0 })
    }

    /// The next bet, before it is cut.
    fn lambda(&self) -> f64 {
        let variance = (0.25 + self.squares) / (self.t + 1.0);
        let t = self.t + 1.0;
        (self.stakes / (t * t.ln_1p() * variance)).sqrt()
    }

    /// Takes a value, which must lie in [0, 1].
    pub fn observe(&mut self, x: f64) {
        let excess = match self.towards {
            Towards::Above => x - self.m,
            Towards::Below => self.m - x,
        };
        self.ln_wealth += (self.lambda().min(self.most) * excess).ln_1p();
        self.t += 1.0;
        self.sum += x;
        let mean = (0.5 + self.sum) / (self.t + 1.0);
        self.squares += (x - mean).powi(2);
    }

    pub fn ln_wealth(&self) -> f64 {
        self.ln_wealth
    }
}

/// A bet on either side of a mean, half of the wealth on each: an e-process against the mean being `m`.
#[derive(Clone, Debug)]
pub struct HedgedBet {
    above: Bet,
    below: Bet,
}

impl HedgedBet {
    /// # Errors
    /// As [`Bet::new`]; its α is half of this.
    pub fn new(m: f64, alpha: f64, cut: f64) -> Result<Self, StatsError> {
        let bet = |towards| Bet::new(towards, m, alpha / 2.0, cut);
        Ok(Self { above: bet(Towards::Above)?, below: bet(Towards::Below)? })
    }

    pub fn observe(&mut self, x: f64) {
        self.above.observe(x);
        self.below.observe(x);
    }

    pub fn ln_wealth(&self) -> f64 {
        ln_mean(self.above.ln_wealth, self.below.ln_wealth)
    }
}

/// Bets on whether the mean of differences in [−1, 1] lies within a margin: from either end of it, inwards
/// and outwards.
#[derive(Clone, Debug)]
pub struct MarginBets {
    above_low_end: Bet,
    below_high_end: Bet,
    above_high_end: Bet,
    below_low_end: Bet,
}

impl MarginBets {
    /// # Errors
    /// As [`Bet::new`]; the margin must lie between 0 and 1.
    pub fn new(margin: f64, alpha: f64) -> Result<Self, StatsError> {
        let [low, high] = Self::ends(margin);
        Ok(Self {
            above_low_end: Bet::new(Towards::Above, low, alpha, CUT)?,
            below_high_end: Bet::new(Towards::Below, high, alpha, CUT)?,
            above_high_end: Bet::new(Towards::Above, high, alpha, CUT)?,
            below_low_end: Bet::new(Towards::Below, low, alpha, CUT)?,
        })
    }

    /// The ends of the margin where −1 is 0 and 1 is 1.
    fn ends(margin: f64) -> [f64; 2] {
        [(1.0 - margin) / 2.0, f64::midpoint(1.0, margin)]
    }

    /// Takes a prompt's difference. Where it is not known, each bet has the end that it loses by.
    pub fn observe(&mut self, Bounds { low, high }: Bounds) {
        let share = |difference: f64| f64::midpoint(difference, 1.0);
        for bet in [&mut self.above_low_end, &mut self.above_high_end] {
            bet.observe(share(low));
        }
        for bet in [&mut self.below_high_end, &mut self.below_low_end] {
            bet.observe(share(high));
        }
    }

    /// ln of the evidence that the mean lies within the margin: of two claims, the lesser.
    pub fn ln_within(&self) -> f64 {
        self.above_low_end.ln_wealth.min(self.below_high_end.ln_wealth)
    }

    /// That it lies beyond one of its ends.
    pub fn ln_beyond(&self) -> f64 {
        ln_mean(self.above_high_end.ln_wealth, self.below_low_end.ln_wealth)
    }

    /// That it does not exceed the margin, however far it lies below.
    pub fn ln_not_above(&self) -> f64 {
        self.below_high_end.ln_wealth
    }

    /// That it exceeds it.
    pub fn ln_above(&self) -> f64 {
        self.above_high_end.ln_wealth
    }

    /// The fewest prompts after which [`Self::ln_within`] can reach `ln_e`, with no difference in any of
    /// them: ⌈ln e / ln(1 + cδ / (1 − δ))⌉ for a margin δ and the cut c.
    pub fn least_prompts_within(margin: f64, ln_e: f64) -> usize {
        prompts(ln_e, CUT * margin / (1.0 - margin))
    }

    /// The same of [`Self::ln_not_above`], with differences of −1.
    pub fn least_prompts_not_above(margin: f64, ln_e: f64) -> usize {
        prompts(ln_e, CUT * (1.0 + margin) / (1.0 - margin))
    }

    /// The same of [`Self::ln_above`], with differences of 1.
    pub fn least_prompts_above(margin: f64, ln_e: f64) -> usize {
        prompts(ln_e, CUT * (1.0 - margin) / (1.0 + margin))
    }
}

/// How often wealth must grow by a share.
fn prompts(ln_e: f64, share: f64) -> usize {
    (ln_e / share.ln_1p()).ceil().max(1.0) as usize
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::assert_near;
    use super::super::tests::{DIFFERENCES, ever_at_20, null_sweeps};
    use super::*;

    /// The wealth after each of some values.
    fn wealth(cut: f64) -> Vec<f64> {
        let mut bet = HedgedBet::new(0.5, 0.05, cut).unwrap();
        let after = |d: &f64| {
            bet.observe(f64::midpoint(*d, 1.0));
            bet.ln_wealth().exp()
        };
        DIFFERENCES.iter().map(after).collect()
    }

    /// Against confseq 0.0.11, `betting_mart`, `convex_comb = True`.
    #[test]
    fn agrees_with_confseq_to_ten_digits() {
        let (half, nearly_all) = (wealth(0.5), wealth(0.95));
        for (t, of_half, of_nearly_all) in [
            (1, 1.0, 1.0),
            (4, 1.1264354875, 1.4555887141),
            (8, 1.6953519904, 3.780167274),
            (12, 3.192372854, 12.7080191092),
        ] {
            assert_near(half[t - 1], of_half, 2e-10);
            assert_near(nearly_all[t - 1], of_nearly_all, 1e-9);
        }
    }

    /// The same, `lambda_predmix_eb(X, alpha = 0.025)`.
    #[test]
    fn bets_are_those_of_confseq() {
        let mut bet = Bet::new(Towards::Above, 0.5, 0.025, 0.95).unwrap();
        let lambdas: Vec<f64> = DIFFERENCES
            .iter()
            .map(|d| {
                let lambda = bet.lambda();
                bet.observe(f64::midpoint(*d, 1.0));
                lambda
            })
            .collect();
        for (t, expected) in [(1, 6.5249846559), (2, 5.121706874), (6, 3.5749516934), (12, 2.8714320599)] {
            assert_near(lambdas[t - 1], expected, 2e-10);
        }
    }

    /// The same, `betting_mart(x, 0.5, alpha = 0.05, theta = 1)`: one side alone.
    #[test]
    fn one_side_agrees_with_confseq() {
        let mut bet = Bet::new(Towards::Above, 0.5, 0.025, 0.5).unwrap();
        let x = [0.5, 0.7, 0.4, 0.9, 0.6, 0.8, 0.55, 0.65, 0.75, 0.7];
        let expected = [1.0, 1.2, 1.08, 1.512, 1.6632, 2.16216, 2.270268, 2.6108082, 3.26351025, 3.9162123];
        for (x, expected) in x.into_iter().zip(expected) {
            bet.observe(x);
            assert_near(bet.ln_wealth().exp(), expected, 1e-9);
        }
    }

    #[test]
    fn no_difference_at_all_takes_as_many_prompts_as_the_margin_asks_for() {
        for (margin, least) in [(0.05, 62), (0.1, 30), (0.2, 15)] {
            let ln_e = 20_f64.ln();
            assert_eq!(MarginBets::least_prompts_within(margin, ln_e), least);
            let mut bets = MarginBets::new(margin, 0.05).unwrap();
            let mut within = Vec::new();
            for _ in 0..200 {
                bets.observe(Bounds::exactly(0.0));
                within.push(bets.ln_within());
            }
            // The first bets may be smaller than the cut, so it is a floor.
            assert!(within[least - 2] < ln_e, "{margin}");
            let first = within.iter().position(|&ln| ln >= ln_e).unwrap() + 1;
            assert!(first <= least + 1, "{margin}: {first}");
        }
    }

    #[test]
    fn the_least_of_one_sided_claims_is_a_floor_too() {
        let ln_e = 20_f64.ln();
        for margin in [0.05, 0.2, 0.5] {
            let at = |d: f64, n: usize| {
                let mut bets = MarginBets::new(margin, 0.05).unwrap();
                (0..n).for_each(|_| bets.observe(Bounds::exactly(d)));
                (bets.ln_not_above(), bets.ln_above())
            };
            let [not_above, above] =
                [MarginBets::least_prompts_not_above(margin, ln_e), MarginBets::least_prompts_above(margin, ln_e)];
            assert!(at(-1.0, not_above - 1).0 < ln_e && at(1.0, above - 1).1 < ln_e, "{margin}");
            assert!(at(-1.0, not_above + 2).0 >= ln_e && at(1.0, above + 2).1 >= ln_e, "{margin}");
        }
    }

    /// What is not known is lost by every bet.
    #[test]
    fn an_unknown_difference_is_evidence_for_nothing() {
        let mut bets = MarginBets::new(0.2, 0.05).unwrap();
        bets.observe(Bounds { low: -1.0, high: 1.0 });
        assert!([bets.ln_within(), bets.ln_beyond(), bets.ln_not_above(), bets.ln_above()].iter().all(|ln| *ln < 0.0));
    }

    #[test]
    fn looking_after_every_prompt_errs_no_more_than_promised() {
        // At the end of the margin: "within" is wrong, and so is "beyond".
        let at_the_end = || null_sweeps().map(|sweep| sweep.iter().map(|d| (d * 0.8 + 0.2).min(1.0)).collect());
        let begin = || MarginBets::new(0.2, 0.05).unwrap();
        for ln in [MarginBets::ln_within, MarginBets::ln_beyond, MarginBets::ln_not_above, MarginBets::ln_above] {
            let share = ever_at_20(at_the_end(), begin, |bets, d| {
                bets.observe(Bounds::exactly(d));
                ln(bets)
            });
            assert!(share <= 0.05, "{share}");
        }
        // Sparse and skewed, of mean 0.2 as well: where Student's t errs.
        let sparse = || null_sweeps().map(|sweep| sweep.iter().map(|d| if *d > 0.4 { 1.0 } else { 0.0 }).collect());
        let all: Vec<Vec<f64>> = sparse().collect();
        let mean = all.iter().flatten().sum::<f64>() / (48.0 * all.len() as f64);
        let share = ever_at_20(
            sparse(),
            || MarginBets::new(mean, 0.05).unwrap(),
            |bets, d| {
                bets.observe(Bounds::exactly(d));
                bets.ln_within()
            },
        );
        assert!(share > 0.0 && share <= 0.05, "{share} at {mean}");
        // And it does say so where it is true.
        let small = null_sweeps().map(|sweep| sweep.iter().map(|d| d * 0.2).collect());
        let share = ever_at_20(small, begin, |bets, d| {
            bets.observe(Bounds::exactly(d));
            bets.ln_within()
        });
        assert!(share > 0.95, "{share}");
    }

    #[test]
    fn says_what_it_refuses() {
        let message = |margin, alpha| MarginBets::new(margin, alpha).unwrap_err().to_string();
        assert!(message(1.0, 0.05).contains("the mean"));
        assert!(message(0.1, 0.0).contains("alpha"));
        assert!(Bet::new(Towards::Above, 0.5, 0.05, 1.0).unwrap_err().to_string().contains("the cut"));
    }
}
