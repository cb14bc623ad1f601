//! Computes how far two arms' probabilities are apart on the same tokens.

use super::LEVEL;
use super::estimate::Estimate;
use super::parting::Parting;
use crate::experiment::Arm;
use crate::stats::{Hits, Onset, kaplan_meier};

/// Two arms at one position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// KL(base ‖ other) in nats.
    pub kl_nats: f64,
    /// The greatest absolute difference of a logit.
    pub largest_difference: f64,
    /// Whether the token with the greatest logit (the first of equals) is the same.
    pub same_top1: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLogits {
    #[error("the arms have {base} and {other} logits: their vocabularies differ")]
    Lengths { base: usize, other: usize },
    #[error("the logit of token {token} is not a finite number")]
    NotFinite { token: usize },
}

/// Compares two arms' logits at one position.
///
/// KL(P ‖ Q) = Σ p (ln p − ln q) (Kullback and Leibler 1951), over the whole
/// vocabulary, from logits by a log-softmax in f64. llama.cpp's perplexity
/// tool (`--kl-divergence`, tools/perplexity/perplexity.cpp) computes the
/// same sum, over base probabilities above e⁻¹⁶ and kept in 16 bits.
///
/// # Errors
/// When the vocabularies differ, or a logit is infinite or no number.
pub fn compare(base: &[f32], other: &[f32]) -> Result<Position, BadLogits> {
    if base.len() != other.len() || base.is_empty() {
        return Err(BadLogits::Lengths { base: base.len(), other: other.len() });
    }
    let infinite = |(p, q): (&f32, &f32)| !p.is_finite() || !q.is_finite();
    if let Some(token) = base.iter().zip(other).position(infinite) {
        return Err(BadLogits::NotFinite { token });
    }
    let (base_top, other_top) = (top(base), top(other));
    let (base_sum, other_sum) = (log_sum_exp(base, base_top), log_sum_exp(other, other_top));
    let terms = base.iter().zip(other).map(|(&p, &q)| {
        let (ln_p, ln_q) = (f64::from(p) - base_sum, f64::from(q) - other_sum);
        ln_p.exp() * (ln_p - ln_q)
    });
    let difference = |(&p, &q): (&f32, &f32)| (f64::from(p) - f64::from(q)).abs();
    Ok(Position {
        // Not below 0 but for rounding.
        kl_nats: terms.sum::<f64>().max(0.0),
        largest_difference: base.iter().zip(other).map(difference).fold(0.0, f64::max),
        same_top1: base_top == other_top,
    })
}

/// The first of the greatest.
fn top(logits: &[f32]) -> usize {
    (1..logits.len()).fold(0, |top, index| if logits[index] > logits[top] { index } else { top })
}

fn log_sum_exp(logits: &[f32], top: usize) -> f64 {
    let greatest = f64::from(logits[top]);
    greatest + logits.iter().map(|&logit| (f64::from(logit) - greatest).exp()).sum::<f64>().ln()
}

/// One prompt's text, through both arms.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// The prompt's id.
    pub prompt: String,
    /// The token that follows each position; None for the end.
    pub tokens: Vec<Option<i32>>,
    /// One for each of `tokens`.
    pub positions: Vec<Position>,
    pub parting: Parting,
}

/// A model's arms, compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    pub kl_nats: Spread,
    pub largest_difference: Spread,
    /// The share of positions whose most probable token is the same.
    pub same_top1: Estimate,
    /// The share of free-running texts that parted.
    pub parted: Estimate,
    /// The number of the choice by which half of the texts have parted
    /// (Kaplan and Meier); None where more than half never do.
    pub median_parting: Option<f64>,
    pub n_positions: usize,
    pub n_prompts: usize,
}

/// How a quantity is spread over positions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub mean: Estimate,
    pub p50: Estimate,
    pub p90: Estimate,
    pub p99: Estimate,
    /// Has no interval: no resample exceeds it.
    pub max: f64,
}

/// A model's two arms.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    pub model: String,
    pub base: Arm,
    pub other: Arm,
    pub divergence: Divergence,
    /// What must be known to read it rightly.
    pub note: Option<String>,
}

/// What became of an arm.
#[derive(Clone, Debug, PartialEq)]
pub enum Divergence {
    /// The same computation as the base, and why: nothing can be concluded.
    SamePlacement {
        why: String,
    },
    Compared {
        texts: Vec<Text>,
        summary: Box<Compared>,
    },
}

/// Sums the texts of one pair of arms up; None where there is no position.
pub fn divergence(texts: Vec<Text>) -> Option<Divergence> {
    let of = |value: fn(&Position) -> f64| -> Vec<Vec<f64>> {
        texts.iter().map(|text| text.positions.iter().map(value).collect()).collect()
    };
    let hits = |text: &Text| {
        let same = text.positions.iter().filter(|position| position.same_top1).count();
        Hits { hits: same as u32, n: text.positions.len() as u32 }
    };
    let parted = |text: &Text| Hits { hits: u32::from(matches!(text.parting, Parting::At(_))), n: 1 };
    let onset = |text: &Text| match text.parting {
        Parting::At(choice) => [Onset::At(choice as f64)],
        Parting::Never { agreed } => [Onset::Censored(agreed as f64)],
    };
    let curve = kaplan_meier(&texts.iter().map(onset).collect::<Vec<_>>()).ok()?;
    let summary = Compared {
        kl_nats: Spread::of(&of(|position| position.kl_nats))?,
        largest_difference: Spread::of(&of(|position| position.largest_difference))?,
        same_top1: Estimate::of_share(&texts.iter().map(hits).collect::<Vec<_>>())?,
        parted: Estimate::of_share(&texts.iter().map(parted).collect::<Vec<_>>())?,
        median_parting: curve.median(),
        n_positions: texts.iter().map(|text| text.positions.len()).sum(),
        n_prompts: texts.len(),
    };
    Some(Divergence::Compared { texts, summary: Box::new(summary) })
}

impl Compared {
    /// Says whether no logit differs at any position.
    pub fn is_identical(&self) -> bool {
        self.largest_difference.max == 0.0
    }

    /// Returns the intervals' coverage, from 0 to 1.
    pub fn level(&self) -> f64 {
        LEVEL
    }
}

impl Spread {
    fn of(prompts: &[Vec<f64>]) -> Option<Self> {
        let [p50, p90, p99] = Estimate::of_quantiles(prompts, [0.5, 0.9, 0.99])?;
        let max = prompts.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
        Some(Self { mean: Estimate::of_heavy_mean(prompts)?, p50, p90, p99, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
    }

    /// Logits of given probabilities, shifted: a softmax does not see the shift.
    fn logits(probabilities: &[f64], shift: f64) -> Vec<f32> {
        probabilities.iter().map(|p| (p.ln() + shift) as f32).collect()
    }

    #[test]
    fn the_divergence_of_two_coins() {
        // KL(½,½ ‖ ¼,¾) = ½ ln 2 + ½ ln ⅔ = ½ ln 4/3.
        let found = compare(&logits(&[0.5, 0.5], 3.0), &logits(&[0.25, 0.75], -7.0)).expect("numbers");
        near(found.kl_nats, 0.5 * (4.0f64 / 3.0).ln(), 1e-6);
        assert!(!found.same_top1);
        // It is no distance: the other way it is another.
        let back = compare(&logits(&[0.25, 0.75], 0.0), &logits(&[0.5, 0.5], 0.0)).expect("numbers");
        near(back.kl_nats, 0.25 * 0.5f64.ln() + 0.75 * 1.5f64.ln(), 1e-6);
    }

    #[test]
    fn small_divergences_are_not_lost_in_rounding() {
        // For logits that differ by ε in one of n equal tokens KL ≈ ε² p (1 − p) / 2.
        let base = vec![0.0f32; 1000];
        let mut other = base.clone();
        other[7] = 1e-4;
        let found = compare(&base, &other).expect("numbers");
        near(found.kl_nats, 1e-8 * 0.001 * 0.999 / 2.0, 1e-15);
        near(found.largest_difference, f64::from(1e-4f32), 0.0);
    }

    #[test]
    fn equal_logits_do_not_diverge_and_large_ones_do_not_overflow() {
        let logits = [1000.0f32, -1000.0, 999.0];
        let expected = Position { kl_nats: 0.0, largest_difference: 0.0, same_top1: true };
        assert_eq!(compare(&logits, &logits), Ok(expected));
    }

    #[test]
    fn the_first_of_equals_is_the_top() {
        assert!(compare(&[1.0, 1.0], &[1.0, 0.5]).expect("numbers").same_top1);
        assert!(!compare(&[1.0, 1.0], &[0.5, 1.0]).expect("numbers").same_top1);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        assert_eq!(compare(&[0.0, f32::NAN], &[0.0, 0.0]), Err(BadLogits::NotFinite { token: 1 }));
        assert_eq!(compare(&[0.0], &[0.0, 0.0]), Err(BadLogits::Lengths { base: 1, other: 2 }));
    }

    #[test]
    fn positions_and_partings_are_summed_up_over_prompts() {
        let text = |prompt: &str, kl: &[f64], parting| Text {
            prompt: prompt.to_owned(),
            tokens: vec![Some(1); kl.len()],
            positions: kl
                .iter()
                .map(|&kl_nats| Position { kl_nats, largest_difference: 2.0 * kl_nats, same_top1: kl_nats < 0.5 })
                .collect(),
            parting,
        };
        let texts = vec![
            text("a", &[0.0, 0.1, 0.2], Parting::At(2)),
            text("b", &[0.3, 0.4, 1.0], Parting::At(3)),
            text("c", &[0.0], Parting::Never { agreed: 9 }),
        ];
        let Some(Divergence::Compared { summary, .. }) = divergence(texts) else { panic!("a summary") };
        near(summary.kl_nats.mean.value, 2.0 / 7.0, 1e-12);
        near(summary.kl_nats.p50.value, 0.2, 1e-12);
        assert_eq!((summary.kl_nats.max, summary.largest_difference.max), (1.0, 2.0));
        near(summary.same_top1.value, 6.0 / 7.0, 1e-12);
        near(summary.parted.value, 2.0 / 3.0, 1e-12);
        assert_eq!(summary.median_parting, Some(3.0));
        assert_eq!((summary.n_positions, summary.n_prompts), (7, 3));
        // Three texts are too few for one.
        assert_eq!(summary.kl_nats.mean.interval, None);
        assert!(summary.same_top1.interval.is_some());
        assert!(!summary.is_identical());
    }
}
