//! Says what a test that turns prompts' signs can see. Up to 16 prompts it tries all arrangements, and is discrete;
//! with more it draws 10 000.

use rand_chacha::rand_core::Rng;
use statrs::distribution::{ContinuousCDF, Normal};

use super::super::permutation::{DRAWS, MOST_ARRANGEMENTS};
use super::super::random::generator;
use super::student::{Reach, spreads};

/// With so many prompts all arrangements are tried.
pub const MOST_EXACT: usize = MOST_ARRANGEMENTS.ilog2() as usize;
const KEY: [u8; 32] = *b"moe-sweep: shapes of a sample...";
/// Points of the integral over the sample's spread, for each shape. The integrand is smooth and
/// vanishes at both ends, so few do.
const POINTS: u32 = 48;
/// Shapes that are drawn where a shape costs little, and the arrangements of all shapes together.
const MOST_SHAPES: usize = 512;
const ARRANGEMENTS_IN_ALL: usize = 1 << 22;

/// The least p that the two-sided test over `n` prompts can give: that of differences that all
/// have the same sign, 2^(1 − n), or where arrangements are drawn (1 + 0) / (1 + 10 000).
pub fn least_p(n: usize) -> f64 {
    if n > MOST_EXACT {
        return 1.0 / (DRAWS + 1) as f64;
    }
    // Of no prompt, and of one, every arrangement is as far from 0.
    0.5_f64.powi(n.saturating_sub(1) as i32)
}

/// The fewest prompts whose least p is not above `alpha`; `None` where no number would do.
pub fn least_prompts(alpha: f64) -> Option<usize> {
    (1..=MOST_EXACT + 1).find(|&n| least_p(n) <= alpha)
}

impl Reach {
    /// Of the test that turns the signs of `n` prompts; `None` where p can't fall to `alpha`.
    ///
    /// Of all 2ⁿ arrangements of the differences z + δ the one that turns the prompts A has as
    /// great a sum as the data if and only if the mean of z over A is at most −δ (Hartigan 1969,
    /// "Using subsample values as typical values"). So the two-sided p is at most α if and only if
    /// −δ lies below the k-th least of the subset means, with k = ⌊α·2ⁿ⁻¹⌋, the data as they are
    /// being the first arrangement. A normal sample is its mean, its standard deviation and
    /// its shape, independent of each other: shapes are drawn, the rest is integrated.
    pub fn of_turning(n: usize, alpha: f64) -> Option<Self> {
        if least_p(n) > alpha {
            return None;
        }
        if n > MOST_EXACT {
            return Some(Self::student(n, alpha));
        }
        // α is a quotient in the caller, and may lie a rounding below the p that it allows.
        let k = (alpha * 0.5 * (1_u64 << n) as f64 * (1.0 + 1e-12)) as usize;
        let n_shapes = (ARRANGEMENTS_IN_ALL >> n).min(MOST_SHAPES);
        let mut rng = generator(&KEY);
        let root_n = (n as f64).sqrt();
        let mut thresholds = Vec::with_capacity(n_shapes * POINTS as usize);
        for _ in 0..n_shapes {
            let critical = -root_n * kth_subset_mean(&shape(&mut rng, n), k);
            let at = |(spread, weight): (f64, f64)| (critical * spread, weight / n_shapes as f64);
            thresholds.extend(spreads(n, POINTS).map(at));
        }
        Some(Self::new(n, thresholds))
    }
}

/// Normal numbers, moved and stretched to the mean 0 and the standard deviation 1.
fn shape(rng: &mut impl Rng, n: usize) -> Vec<f64> {
    let normal = Normal::standard();
    let mut numbers: Vec<f64> =
        (0..n).map(|_| normal.inverse_cdf((f64::from(rng.next_u32()) + 0.5) / 2_f64.powi(32))).collect();
    let mean = numbers.iter().sum::<f64>() / n as f64;
    let sd = (numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n as f64 - 1.0)).sqrt();
    for number in &mut numbers {
        *number = (*number - mean) / sd;
    }
    numbers
}

/// The `k`-th least, counted from 1, of the means of all subsets that are not empty.
fn kth_subset_mean(numbers: &[f64], k: usize) -> f64 {
    let mut sums = vec![0.0; 1 << numbers.len()];
    for subset in 1..sums.len() {
        sums[subset] = sums[subset & (subset - 1)] + numbers[subset.trailing_zeros() as usize];
    }
    let mut means: Vec<f64> =
        sums.iter().enumerate().skip(1).map(|(subset, sum)| sum / f64::from(subset.count_ones())).collect();
    *means.select_nth_unstable_by(k - 1, f64::total_cmp).1
}
