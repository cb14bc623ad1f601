//! Bounds what few loops among few prompts leave open.
//!
//! A text that loops scores near 1 and any other near 0, so a mean depends on how often texts loop; and where few
//! prompts of a sample loop, the sample says little of how often others do. Tests of means that see only
//! the sample are wrong there: of 24 prompts none of which loops, each looks like proof. The bounds here
//! count prompts (Clopper and Pearson 1934) and take the worst for those that the sample may have missed.

use statrs::distribution::{Beta, Binomial, ContinuousCDF, DiscreteCDF};

use super::Interval;

/// From how many prompts on loops are common enough for a test that sees only the sample.
const FEW: usize = 5;

/// Where a metric's values may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// From 0 to 1, so that differences lie from −1 to 1.
    Unit,
    /// No bound is known, so nothing can be said of what was not seen.
    Unbounded,
}

/// Which kinds of text an arm has of a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Some text loops.
    pub loops: bool,
    /// Some text does not.
    pub free: bool,
}

impl Kinds {
    /// Of both arms' texts, or of more of one arm's.
    pub fn and(self, other: Self) -> Self {
        Self { loops: self.loops || other.loops, free: self.free || other.free }
    }
}

/// How much greater one prompt's mean is in the other arm, −1 to 1, and what its texts are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PromptDifference {
    pub value: f64,
    pub base: Kinds,
    pub other: Kinds,
}

/// Which way the mean difference may be other than it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toward {
    /// Loops of the other arm were missed, or the base's free texts where nearly all loop.
    Higher,
    /// The same with the arms exchanged.
    Lower,
}

/// The p-value of the mean difference being `bound` or beyond, for what the sample may have missed: how probable it
/// is to see so few prompts of the rare kind if there were enough of them, each with a difference of 1, to
/// bring the mean to the bound. 0 where no kind is rare.
///
/// A kind is rare where fewer than five prompts have it in either arm (texts that loop, or texts that do not), and
/// any difference is where all prompts differ by the same. What goes against a great difference (a text that does not loop in
/// the one arm, or one that does in the other) is rare too where fewer than five prompts have it; it leaves a
/// prompt without a difference, not with one of 1 the other way. With h of n prompts of the kind and the mean
/// difference d of the others: P(Binomial(n, u) ≤ h), u = (bound − d) / (1 − d). For no loop at all that is
/// (1 − bound)ⁿ: no test of any kind can do with fewer than ln α / ln(1 − bound) prompts.
pub fn p_unseen(prompts: &[PromptDifference], bound: f64, toward: Toward) -> f64 {
    let Some(Rare { hits, n, others, worst }) = Rare::of(prompts, toward) else { return 0.0 };
    let bound = match toward {
        Toward::Higher => bound,
        Toward::Lower => -bound,
    };
    if others >= bound {
        return 1.0;
    }
    if worst < bound {
        return 0.0;
    }
    if hits == n {
        return 1.0;
    }
    let share = (bound - others) / (worst - others);
    if share >= 1.0 {
        return 0.0;
    }
    Binomial::new(share, n).expect("it is a probability").cdf(hits)
}

/// The interval of a mean difference, joined at each end with the bound for what the sample may have missed; the two
/// have the interval's level together.
pub fn widened(interval: Interval, prompts: &[PromptDifference]) -> Interval {
    let tail = (1.0 - interval.level) / 2.0;
    let limit = |toward| Rare::of(prompts, toward).map(|rare| rare.limit(tail));
    Interval {
        low: limit(Toward::Lower).map_or(interval.low, |limit| interval.low.min(-limit)),
        high: limit(Toward::Higher).map_or(interval.high, |limit| interval.high.max(limit)),
        ..interval
    }
}

/// Prompts of a kind that few are of, and the mean of the others in the direction asked for.
struct Rare {
    hits: u64,
    n: u64,
    others: f64,
    /// The difference that a prompt of the kind may have.
    worst: f64,
}

impl Rare {
    fn of(prompts: &[PromptDifference], toward: Toward) -> Option<Self> {
        let sides = |prompt: &PromptDifference| match toward {
            Toward::Higher => (prompt.base, prompt.other, prompt.value),
            Toward::Lower => (prompt.other, prompt.base, -prompt.value),
        };
        let first = prompts.first()?.value;
        let few = |is: &dyn Fn(&PromptDifference) -> bool| prompts.iter().filter(|prompt| is(prompt)).count() < FEW;
        let goes_that_way = |prompt: &PromptDifference| sides(prompt).0.free || sides(prompt).1.loops;
        let (is_hit, worst): (&dyn Fn(&PromptDifference) -> bool, f64) =
            if prompts.iter().all(|prompt| prompt.value == first) {
                (&|_| false, 1.0)
            } else if few(&|prompt| prompt.base.loops || prompt.other.loops) {
                (&|prompt| sides(prompt).1.loops, 1.0)
            } else if few(&|prompt| prompt.base.free || prompt.other.free) {
                (&|prompt| sides(prompt).0.free, 1.0)
            } else if few(&goes_that_way) {
                (&goes_that_way, 0.0)
            } else {
                return None;
            };
        let (hits, others): (Vec<_>, Vec<_>) = prompts.iter().partition(|prompt| is_hit(prompt));
        let values: Vec<f64> = others.iter().map(|prompt| sides(prompt).2).collect();
        let others = super::mean(&values).unwrap_or_default();
        Some(Self { hits: hits.len() as u64, n: prompts.len() as u64, others, worst: f64::max(worst, others) })
    }

    /// The greatest mean that leaves a probability of `tail` to so few hits.
    fn limit(&self, tail: f64) -> f64 {
        let (hits, n) = (self.hits as f64, self.n as f64);
        let share = if self.hits == self.n {
            1.0
        } else {
            Beta::new(hits + 1.0, n - hits).expect("both are positive").inverse_cdf(1.0 - tail)
        };
        share * self.worst + (1.0 - share) * self.others
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_near;
    use super::*;

    const LOOPS: Kinds = Kinds { loops: true, free: false };
    const FREE: Kinds = Kinds { loops: false, free: true };

    fn none(n: usize) -> Vec<PromptDifference> {
        vec![PromptDifference { value: 0.0, base: FREE, other: FREE }; n]
    }

    /// ⌈ln α / ln(1 − margin)⌉, as the audit has it.
    #[test]
    fn nothing_seen_takes_as_many_prompts_as_no_test_can_do_without() {
        for (margin, least) in [(0.02, 149), (0.05, 59), (0.1, 29), (0.2, 14)] {
            for toward in [Toward::Higher, Toward::Lower] {
                let bound = if toward == Toward::Higher { margin } else { -margin };
                assert!(p_unseen(&none(least), bound, toward) <= 0.05);
                assert!(p_unseen(&none(least - 1), bound, toward) > 0.05);
            }
        }
    }

    #[test]
    fn one_loop_is_counted_and_the_others_add_up() {
        let mut prompts = none(24);
        prompts[0] = PromptDifference { value: 0.7, base: FREE, other: LOOPS };
        // P(Binomial(24, 0.2) ≤ 1).
        assert_near(p_unseen(&prompts, 0.2, Toward::Higher), 0.8_f64.powi(24) + 24.0 * 0.2 * 0.8_f64.powi(23), 1e-12);
        for prompt in &mut prompts[1..] {
            prompt.value = 0.05;
        }
        let u: f64 = 0.15 / 0.95;
        let expected = (1.0 - u).powi(24) + 24.0 * u * (1.0 - u).powi(23);
        assert_near(p_unseen(&prompts, 0.2, Toward::Higher), expected, 1e-12);
        assert_eq!(p_unseen(&prompts, 0.04, Toward::Higher), 1.0);
        // No loop of the base was seen: all 24 speak for what is there.
        let mean = (0.7 + 23.0 * 0.05) / 24.0;
        assert_near(p_unseen(&prompts, 0.0, Toward::Lower), (1.0_f64 - mean / (1.0 + mean)).powi(24), 1e-12);
    }

    #[test]
    fn what_is_common_is_left_to_the_test() {
        let mut prompts = none(24);
        for prompt in &mut prompts[..5] {
            *prompt = PromptDifference { value: 0.7, base: FREE, other: LOOPS };
        }
        assert_eq!(p_unseen(&prompts, 0.2, Toward::Higher), 0.0);
        // Nearly all loop in the other arm, and none in the base.
        let mut opposite = vec![PromptDifference { value: 0.7, base: FREE, other: LOOPS }; 12];
        opposite[0] = PromptDifference { value: 0.0, base: FREE, other: FREE };
        assert!(p_unseen(&opposite, 0.5, Toward::Lower) > 0.1);
        assert_eq!(p_unseen(&opposite, 0.0, Toward::Lower), 0.0);
        assert_eq!(p_unseen(&opposite, 0.9, Toward::Higher), 0.0);
        // Where nearly all loop, a free text is what is rare.
        let mut all = vec![PromptDifference { value: 0.0, base: LOOPS, other: LOOPS }; 24];
        all[0] = PromptDifference { value: -0.7, base: LOOPS, other: FREE };
        assert!(p_unseen(&all, -0.05, Toward::Lower) > 0.5);
    }

    #[test]
    fn the_interval_and_p_agree() {
        let mut prompts = none(24);
        prompts[0] = PromptDifference { value: 0.7, base: FREE, other: LOOPS };
        let narrow = Interval { low: 0.01, high: 0.02, level: 0.9 };
        let Interval { low, high, .. } = widened(narrow, &prompts);
        assert_near(p_unseen(&prompts, high, Toward::Higher), 0.05, 1e-6);
        assert_near(p_unseen(&prompts, low, Toward::Lower), 0.05, 1e-6);
    }
}
