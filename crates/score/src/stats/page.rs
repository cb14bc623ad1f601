//! Has Page's trend test: whether values rise or fall along ordered levels.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal};

use super::error::{StatsError, all_finite, at_least, of_length};
use super::permutation::{Method, PValue, is_as_far};
use super::random::{generator, shuffle};
use super::ranks::mid_ranks;
use super::{Interval, LEVEL, Measured, sign_test, unseen_share};

const DRAWS: usize = 10_000;
const KEY: [u8; 32] = *b"moe-sweep: Page's L, shuffles...";

/// The outcome of [`page_trend`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PageTrend {
    /// Page's L: `Σ j · R_j` over the levels j = 1, 2, … with R_j the sum of
    /// the level's ranks within the blocks.
    pub l: f64,
    /// Spearman's ρ of level and value, averaged over the blocks; −1 to 1,
    /// positive where values rise. A block of equal values counts as 0. The interval is that of
    /// `p_over_prompts`.
    pub mean_rho: Measured,
    /// Two-sided, by shuffling levels within prompts: of no prompt knowing any trend.
    pub p: PValue,
    /// Two-sided, by turning the sign of whole prompts' ρ: of trends that rise in some
    /// prompts and fall in others, and on average do neither. Page's test may see a trend
    /// in a few prompts that say nothing about others; this one does not.
    pub p_over_prompts: PValue,
    /// Two-sided, of the normal approximation, with the variance of tied ranks;
    /// for reference.
    pub p_normal: f64,
    pub n_blocks: usize,
    pub n_levels: usize,
    /// Blocks whose values are all equal: they can show no trend.
    pub n_flat_blocks: usize,
}

/// Page's test (Page 1963, "Ordered hypotheses for multiple treatments"), blocked
/// by prompt: each block has one value per level, in the order of the levels;
/// average replicates first. Ties have their mean rank.
///
/// The p-value permutes the ranks within the blocks, for L's tables know no ties:
/// the share of 10 000 shuffles, and of the data as they are (Phipson and Smyth
/// 2010, "Permutation P-values should never be zero"), whose L is as far from its
/// expectation. With `b` blocks and `k` levels that is `b·k(k+1)²/4` whatever the
/// ties, and L is distributed symmetrically about it.
///
/// # Errors
///
/// For fewer than two blocks or two levels, for blocks of unequal length, for
/// values that are not finite, and where no block has two different values.
pub fn page_trend(blocks: &[impl AsRef<[f64]>]) -> Result<PageTrend, StatsError> {
    at_least(2, blocks.len(), "prompts")?;
    let n_levels = blocks[0].as_ref().len();
    at_least(2, n_levels, "levels")?;
    of_length(n_levels, blocks, "prompt")?;
    all_finite(blocks, "values of prompts")?;
    let mut ranks: Vec<Vec<f64>> = blocks.iter().map(|block| centred_ranks(block.as_ref())).collect();
    let n_flat_blocks = ranks.iter().filter(|ranks| is_flat(ranks)).count();
    if n_flat_blocks == blocks.len() {
        let value = blocks[0].as_ref()[0];
        return Err(StatsError::NoVariation { of: "values within every prompt", value });
    }

    let rhos: Vec<f64> = ranks.iter().map(|ranks| rho(ranks)).collect();
    let mut over_prompts = sign_test(&rhos, 0.0)?;
    if let Some(interval) = &mut over_prompts.mean.interval
        && interval.low.total_cmp(&interval.high).is_eq()
    {
        *interval = of_equal(interval.low, rhos.len())?;
    }

    let excess: f64 = ranks.iter().map(|ranks| rise(ranks)).sum();
    let spread = ranks.iter().map(|ranks| variance_of_rise(ranks)).sum::<f64>().sqrt();
    let p = permute(&mut ranks, excess);
    let (b, k) = (blocks.len() as f64, n_levels as f64);
    Ok(PageTrend {
        l: b * k * (k + 1.0).powi(2) / 4.0 + excess,
        mean_rho: over_prompts.mean,
        p,
        p_over_prompts: over_prompts.p,
        p_normal: 2.0 * Normal::standard().sf((excess / spread).abs()),
        n_blocks: blocks.len(),
        n_levels,
        n_flat_blocks,
    })
}

/// The interval of a mean ρ where all prompts have the same: of others so many may have −1, or 1, as none of `n` does.
fn of_equal(rho: f64, n: usize) -> Result<Interval, StatsError> {
    let unseen = unseen_share(n, (1.0 - LEVEL) / 2.0)?;
    Ok(Interval { low: rho - unseen * (rho + 1.0), high: rho + unseen * (1.0 - rho), level: LEVEL })
}

/// Spearman's ρ of one block's values and their levels; 0 where all are equal.
pub fn rho_along_levels(values: &[f64]) -> f64 {
    rho(&centred_ranks(values))
}

/// Ranks less their mean (k + 1) / 2, so that L less its expectation is a sum of
/// small numbers.
fn centred_ranks(block: &[f64]) -> Vec<f64> {
    let mean = (block.len() as f64 + 1.0) / 2.0;
    mid_ranks(block).into_iter().map(|rank| rank - mean).collect()
}

fn is_flat(ranks: &[f64]) -> bool {
    ranks.iter().all(|&rank| rank == 0.0)
}

/// A block's share of L, less its expectation.
fn rise(ranks: &[f64]) -> f64 {
    ranks.iter().enumerate().map(|(level, rank)| level as f64 * rank).sum()
}

fn sum_of_squares(ranks: &[f64]) -> f64 {
    ranks.iter().map(|rank| rank * rank).sum()
}

/// `Σ(j − j̄)²` over k levels.
fn squares_of_levels(ranks: &[f64]) -> f64 {
    let k = ranks.len() as f64;
    k * (k * k - 1.0) / 12.0
}

/// Spearman's ρ: the correlation of ranks and levels.
fn rho(ranks: &[f64]) -> f64 {
    if is_flat(ranks) { 0.0 } else { rise(ranks) / (squares_of_levels(ranks) * sum_of_squares(ranks)).sqrt() }
}

/// The variance of a block's rise over all permutations: of a sum of products
/// with one side permuted it is the product of both sums of squares over k − 1.
fn variance_of_rise(ranks: &[f64]) -> f64 {
    squares_of_levels(ranks) * sum_of_squares(ranks) / (ranks.len() as f64 - 1.0)
}

fn permute(ranks: &mut [Vec<f64>], excess: f64) -> PValue {
    let mut rng = generator(&KEY);
    let mut one = || {
        let of_block = |ranks: &mut Vec<f64>| {
            shuffle(&mut rng, ranks);
            rise(ranks)
        };
        ranks.iter_mut().map(of_block).sum::<f64>()
    };
    let hits = (0..DRAWS).filter(|_| is_as_far(one(), excess)).count();
    Method::Drawn { draws: DRAWS }.p(hits)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::testing::{assert_near, gaussians, oracle, share_below};
    use super::*;

    #[derive(Deserialize)]
    struct Case {
        data: Vec<Vec<f64>>,
        l: f64,
        p_up_normal: f64,
        p_up_exact: f64,
        mean_rho: f64,
    }

    fn has_ties(data: &[Vec<f64>]) -> bool {
        data.iter().any(|row| row.iter().any(|a| row.iter().filter(|b| a == *b).count() > 1))
    }

    #[test]
    fn agrees_with_scipy() {
        for case in oracle::<Vec<Case>>("page") {
            let page = page_trend(&case.data).unwrap();
            assert_near(page.l, case.l, 1e-9);
            assert_near(page.mean_rho.estimate, case.mean_rho, 1e-12);
            if !has_ties(&case.data) {
                assert_near(page.p_normal, 2.0 * case.p_up_normal.min(1.0 - case.p_up_normal), 1e-9);
            }
            // SciPy's tail includes L itself, so that doubling it is right for the nearer tail only.
            if !has_ties(&case.data) && case.p_up_exact < 0.5 {
                let p = 2.0 * case.p_up_exact;
                assert_near(page.p.p, p, 4.0 * (p * (1.0 - p) / 1e4).sqrt());
            }
        }
    }

    /// SciPy knows no ties. Its own variance is that of ranks without ties.
    #[test]
    fn the_published_worked_example() {
        let case = &oracle::<Vec<Case>>("page")[0];
        let page = page_trend(&case.data).unwrap();
        assert_eq!((page.l, page.n_blocks, page.n_levels), (133.5, 10, 3));
        let z = (133.5 - 120.0) / 20.0_f64.sqrt();
        assert_near(Normal::standard().sf(z), 0.00126934337, 1e-10);
        // The ties narrow L's distribution: the tied p is below the table's.
        assert!(page.p_normal < 2.0 * 0.00126934337 && page.p.p < 2.0 * 0.0018191161948, "{page:?}");
        assert!(page.mean_rho.interval.unwrap().low > 0.3);
    }

    #[test]
    fn reversing_the_levels_reverses_the_trend() {
        let data = &oracle::<Vec<Case>>("page")[2].data;
        let reversed: Vec<Vec<f64>> = data.iter().map(|row| row.iter().rev().copied().collect()).collect();
        let (up, down) = (page_trend(data).unwrap(), page_trend(&reversed).unwrap());
        assert_near(up.mean_rho.estimate, -down.mean_rho.estimate, 1e-12);
        assert_near(up.p_normal, down.p_normal, 1e-12);
    }

    #[test]
    fn a_flat_block_counts_as_no_trend() {
        let page = page_trend(&[[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]]).unwrap();
        assert_eq!((page.n_flat_blocks, page.mean_rho.estimate), (1, 0.5));
        assert_near(page.p.p, 2.0 / 6.0, 0.02);
    }

    /// 16 prompts that all rise are no proof that all do.
    #[test]
    fn the_interval_of_equal_rhos_has_a_width() {
        let page = page_trend(&[[1.0, 2.0, 3.0]; 16]).unwrap();
        let interval = page.mean_rho.interval.unwrap();
        assert_near(interval.low, 1.0 - 2.0 * (1.0 - 0.025_f64.powf(1.0 / 16.0)), 1e-9);
        assert_near(interval.high, 1.0, 1e-12);
    }

    #[test]
    fn says_what_it_refuses() {
        let message = |blocks: &[&[f64]]| page_trend(blocks).unwrap_err().to_string();
        assert!(message(&[&[1.0, 2.0]]).starts_with("at least 2 prompts"));
        assert!(message(&[&[1.0], &[1.0]]).starts_with("at least 2 levels"));
        assert!(message(&[&[1.0, 2.0], &[1.0, 2.0, 3.0]]).contains("number 1"));
        assert!(message(&[&[1.0, f64::NAN], &[1.0, 2.0]]).contains("finite"));
        assert!(message(&[&[1.0, 1.0], &[2.0, 2.0]]).contains("nothing to compare"));
    }

    #[test]
    fn without_a_trend_p_is_uniform() {
        let p = (0..500).map(|set| {
            let blocks: Vec<_> = gaussians(set).take(32).collect();
            page_trend(&blocks.chunks(4).collect::<Vec<_>>()).unwrap().p_normal
        });
        share_below(p.collect());
    }
}
