//! Estimates the share of texts that do something (loop), over prompts.

use statrs::distribution::{Beta, ContinuousCDF, StudentsT};

use super::error::{StatsError, at_least};
use super::strata::{Variance, variance_of_sum};
use super::{Effect, Interval, Strata};

/// Texts of one prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hits {
    pub hits: u32,
    pub n: u32,
}

/// The share of hits over all texts of all prompts, with the interval of Korn
/// and Graubard 1998, "Confidence intervals for proportions with small expected
/// number of positive counts estimated from survey data": Clopper and Pearson's
/// exact one for the number of *independent* texts that would be as informative.
/// Unlike a bootstrap it has a width where no text, or every text, is a hit.
///
/// The effective number is texts over the design effect, which is the variance
/// of the share between prompts over that of independent texts, corrected by
/// (t_{texts−1} / t_{prompts−1})²; it is at most the number of texts. Where fewer than
/// `PROMPTS_THAT_TELL` prompts have a hit, or fewer have a text that is none, these few
/// show too little of how alike a prompt's texts are, and a prompt's texts count as one
/// at most: the interval is then no narrower than Clopper and Pearson's of the prompts.
/// Without this rule 95 % intervals cover as little as 84 % where 32 texts a prompt rarely hit;
/// with it 94.6 % or more at every size simulated (docs/intervals.md). Prompts without texts are left out.
///
/// # Errors
///
/// For fewer than two prompts with texts, more hits than texts, and a `level` not
/// between 0 and 1.
pub fn clustered_share(prompts: &[Hits], level: f64) -> Result<Effect, StatsError> {
    clustered_share_within(prompts, &Strata::default(), level)
}

/// The same where prompts are of strata, of which there are so many by design. The variance of the share is then
/// `Σ_h k_h/(k_h − 1) Σ_(i in h) (z_i − z̄_h)² / texts²` with `z_i = hits_i − share × texts_i` and k_h prompts in stratum h (the combined
/// ratio estimate: Cochran 1977, § 6.11), and t has the effective degrees of freedom of that sum (his 5.16). Prompts tell
/// how alike their texts are where their stratum has both: the rule of
/// `PROMPTS_THAT_TELL` counts in each stratum those that have a hit or those that have a text that is none,
/// whichever are fewer, and adds them up. The effective number stays at most that of texts, so strata gain nothing where each prompt
/// has one text. Strata of one prompt are pooled.
///
/// # Errors
///
/// Those of [`clustered_share`].
pub fn clustered_share_within(prompts: &[Hits], strata: &Strata, level: f64) -> Result<Effect, StatsError> {
    if !(level > 0.0 && level < 1.0) {
        return Err(StatsError::OutOfRange { name: "the level", value: level, allowed: "between 0 and 1" });
    }
    if let Some(wrong) = prompts.iter().find(|prompt| prompt.hits > prompt.n) {
        let value = f64::from(wrong.hits);
        return Err(StatsError::OutOfRange { name: "a count of hits", value, allowed: "at or below its texts" });
    }
    let strata = strata.kept(prompts.iter().map(|prompt| prompt.n > 0));
    let prompts: Vec<&Hits> = prompts.iter().filter(|prompt| prompt.n > 0).collect();
    at_least(2, prompts.len(), "prompts")?;
    let texts: f64 = prompts.iter().map(|prompt| f64::from(prompt.n)).sum();
    let share = prompts.iter().map(|prompt| f64::from(prompt.hits)).sum::<f64>() / texts;
    let deviation = |prompt: &&Hits| f64::from(prompt.hits) - share * f64::from(prompt.n);
    let deviations: Vec<f64> = prompts.iter().map(deviation).collect();
    let strata = strata.members(prompts.len());
    // Of a ratio of totals over prompts (Cochran 1977, § 6.3).
    let Variance { of_sum, degrees } = variance_of_sum(&strata, &deviations);
    let variance = of_sum / (texts * texts);
    let fewest = |stratum: &Vec<usize>| {
        let count = |is: fn(&Hits) -> bool| stratum.iter().filter(|&&prompt| is(prompts[prompt])).count();
        count(|prompt| prompt.hits > 0).min(count(|prompt| prompt.hits < prompt.n))
    };
    let of =
        Clustered { texts: texts as usize, prompts: prompts.len(), degrees, fewest: strata.iter().map(fewest).sum() };
    Ok(Effect { estimate: share, interval: of.interval(share, variance, level) })
}

/// Prompts with a hit, and prompts with a text that is none, from which the design effect is believed.
const PROMPTS_THAT_TELL: usize = 10;

/// Texts in clusters, of which a share does something.
pub(super) struct Clustered {
    pub texts: usize,
    /// At least two.
    pub prompts: usize,
    /// Of freedom, of the variance over prompts: prompts less 1 where they are of one stratum.
    pub degrees: f64,
    /// Prompts with a text that does it, or with one that does not: whichever are fewer.
    pub fewest: usize,
}

impl Clustered {
    /// Korn and Graubard's interval of the `share`, whose variance over prompts is known.
    pub(super) fn interval(&self, share: f64, variance: f64, level: f64) -> Interval {
        let effective = self.effective_texts(share, variance, level);
        clopper_pearson(share * effective, effective, level)
    }

    fn effective_texts(&self, share: f64, variance: f64, level: f64) -> f64 {
        let (texts, k) = (self.texts as f64, self.prompts as f64);
        let independent = share * (1.0 - share) / texts;
        if independent <= 0.0 {
            return k;
        }
        let most = if self.fewest < PROMPTS_THAT_TELL { k } else { texts };
        // Prompts that are all alike by chance make no text worth more than one.
        if variance <= 0.0 {
            return most;
        }
        let t = |degrees: f64| {
            StudentsT::new(0.0, 1.0, degrees).expect("degrees are positive").inverse_cdf((1.0 + level) / 2.0)
        };
        (independent / variance * texts * (t(texts - 1.0) / t(self.degrees)).powi(2)).min(most)
    }
}

/// Clopper and Pearson 1934, for numbers that need not be whole.
fn clopper_pearson(hits: f64, n: f64, level: f64) -> Interval {
    let tail = (1.0 - level) / 2.0;
    let quantile = |a: f64, b: f64, share| Beta::new(a, b).expect("both are positive").inverse_cdf(share);
    let misses = n - hits;
    let low = if hits > 0.0 { quantile(hits, misses + 1.0, tail) } else { 0.0 };
    let high = if misses > 0.0 { quantile(hits + 1.0, misses, 1.0 - tail) } else { 1.0 };
    Interval { low, high, level }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::testing::{assert_near, oracle, uniforms};
    use super::*;

    #[derive(Deserialize)]
    struct Case {
        hits: u32,
        n: u32,
        interval: [f64; 2],
    }

    #[test]
    fn clopper_pearson_agrees_with_statsmodels() {
        for Case { hits, n, interval: [low, high] } in oracle::<Vec<Case>>("clopper_pearson") {
            let found = clopper_pearson(f64::from(hits), f64::from(n), 0.95);
            assert_near(found.low, low, 1e-8);
            assert_near(found.high, high, 1e-8);
        }
    }

    #[test]
    fn no_hit_at_all_still_leaves_a_doubt() {
        let found = clustered_share(&[Hits { hits: 0, n: 4 }; 24], 0.95).unwrap();
        assert_eq!((found.estimate, found.interval.low), (0.0, 0.0));
        assert_near(found.interval.high, 1.0 - 0.025_f64.powf(1.0 / 24.0), 1e-8);
        let all = clustered_share(&[Hits { hits: 4, n: 4 }; 24], 0.95).unwrap();
        assert_near(all.interval.low, 1.0 - found.interval.high, 1e-8);
    }

    #[test]
    fn texts_of_one_mind_count_as_one() {
        let prompts = |n| (0..20).map(|i| Hits { hits: if i % 4 == 0 { n } else { 0 }, n }).collect::<Vec<_>>();
        let (one, ten) = (clustered_share(&prompts(1), 0.95).unwrap(), clustered_share(&prompts(10), 0.95).unwrap());
        assert_eq!(one.estimate, ten.estimate);
        assert_near(one.interval.high, ten.interval.high, 0.03);
    }

    /// The interval for a tenth of the texts, spread over `looping` of 24 prompts with 16 texts each.
    fn spread_over(looping: u32) -> Interval {
        let prompt = |place| Hits { hits: if place < looping { 36 / looping } else { 0 }, n: 16 };
        clustered_share(&(0..24).map(prompt).collect::<Vec<_>>(), 0.95).unwrap().interval
    }

    #[test]
    fn few_prompts_with_a_hit_make_their_texts_count_as_one() {
        let [nine, twelve] = [9, 12].map(spread_over);
        let of_prompts = clopper_pearson(2.4 * 36.0 / 38.4, 24.0, 0.95);
        assert_near(nine.low, of_prompts.low, 1e-12);
        assert_near(nine.high, of_prompts.high, 1e-12);
        assert!(twelve.high < nine.high - 0.03, "{twelve:?}");
    }

    /// Twelve prompts of which a quarter of the texts hit, twelve of which three quarters do, and a prompt more or less.
    fn two_groups() -> (Vec<Hits>, Strata) {
        let hits = |group: u32, place: u32| Hits { hits: 4 + 8 * group + place % 3 - 1, n: 16 };
        let prompts = (0..2).flat_map(|group| (0..12).map(move |place| hits(group, place)));
        (prompts.collect(), Strata::new([vec![0; 12], vec![1; 12]].concat()))
    }

    /// By hand: the share is 1/2, z is −5, −4, −3 and 3, 4, 5 four times each, Σ(z − z̄_h)² is 8 in each stratum, so the variance is
    /// 2 × 12/11 × 8 / 384² = 1.1837e-4, and less than that of 384 independent texts, 6.5104e-4.
    #[test]
    fn what_lies_between_strata_is_no_doubt() {
        let (prompts, strata) = two_groups();
        let [pooled, within] =
            [Strata::default(), strata].map(|strata| clustered_share_within(&prompts, &strata, 0.95).unwrap());
        assert_eq!((pooled.estimate, within.estimate), (0.5, 0.5));
        let width = |found: Effect| found.interval.high - found.interval.low;
        let of_texts = clopper_pearson(192.0, 384.0, 0.95);
        assert_eq!(within.interval, of_texts);
        assert!(width(within) < 0.6 * width(pooled), "{within:?} {pooled:?}");
        let hand = variance_of_sum(
            &two_groups().1.members(24),
            &prompts.iter().map(|prompt| f64::from(prompt.hits) - 8.0).collect::<Vec<_>>(),
        );
        assert_near(hand.of_sum / (384.0 * 384.0), 1.183_712e-4, 1e-9);
    }

    /// Of each stratum nothing tells how alike the texts of its prompts are.
    #[test]
    fn strata_that_are_all_alike_make_no_text_worth_more_than_its_prompt() {
        let hits = |place: usize| Hits { hits: if place < 12 { 16 } else { 0 }, n: 16 };
        let prompts: Vec<Hits> = (0..24).map(hits).collect();
        let strata = Strata::new((0..24).map(|place| place / 12).collect());
        let within = clustered_share_within(&prompts, &strata, 0.95).unwrap();
        assert_eq!(within.interval, clopper_pearson(12.0, 24.0, 0.95));
    }

    #[test]
    fn it_covers_a_share_of_two_groups() {
        let covers = |set: &u64| {
            let mut uniforms = uniforms(*set);
            let strata = Strata::new((0..24).map(|place| place % 2).collect());
            // Of one group a tenth of the texts hit, of the other six tenths, half of the prompts more than the others.
            let mut prompt = |place: usize| {
                let p = if place.is_multiple_of(2) { 0.1 } else { 0.6 } * if place % 4 < 2 { 1.5 } else { 0.5 };
                Hits { hits: (0..4).filter(|_| uniforms.next().unwrap() < p).count() as u32, n: 4 }
            };
            let prompts: Vec<Hits> = (0..24).map(&mut prompt).collect();
            let interval = clustered_share_within(&prompts, &strata, 0.95).unwrap().interval;
            interval.low <= 0.35 && 0.35 <= interval.high
        };
        let covering = (0..400_u64).filter(covers).count();
        assert!(covering >= 376, "{covering} of 400");
    }

    #[test]
    fn it_covers_rare_loops() {
        for (p, n) in [(0.05, 12), (0.05, 24), (0.1, 24), (0.3, 24)] {
            let covers = |set: &u64| {
                let mut uniforms = uniforms(*set);
                // Half of the prompts never loop, the others twice as often.
                let mut prompt = |place: usize| {
                    let p = if place.is_multiple_of(2) { 2.0 * p } else { 0.0 };
                    Hits { hits: (0..4).filter(|_| uniforms.next().unwrap() < p).count() as u32, n: 4 }
                };
                let prompts: Vec<Hits> = (0..n).map(&mut prompt).collect();
                let interval = clustered_share(&prompts, 0.95).unwrap().interval;
                interval.low <= p && p <= interval.high
            };
            let covering = (0..400_u64).filter(covers).count();
            assert!(covering >= 376, "{covering} of 400 at P = {p}, n = {n}");
        }
    }

    #[test]
    fn says_what_it_refuses() {
        assert!(clustered_share(&[Hits { hits: 0, n: 4 }, Hits { hits: 0, n: 0 }], 0.95).is_err());
        assert!(clustered_share(&[Hits { hits: 5, n: 4 }; 3], 0.95).is_err());
        assert!(clustered_share(&[Hits { hits: 1, n: 4 }; 3], 1.0).is_err());
    }
}
