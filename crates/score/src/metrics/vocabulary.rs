//! Computes metrics of how often which words occur, wherever they stand.

use std::sync::LazyLock;

use super::grams::Grams;

/// The vocabulary that [`super::Metric::EadWords`] takes, GPT-2's: the measure
/// needs one that is the same for all texts, and the published code has it.
pub const EAD_VOCABULARY: u32 = 50_257;

/// EAD, expectation-adjusted distinct: distinct items over how many would be
/// distinct were they drawn evenly from a vocabulary, `N / (V(1 − ((V−1)/V)^C))`
/// (Liu et al. 2022, "Rethinking and Refining the Distinct Metric"). `None` for
/// no items or no vocabulary.
pub fn ead(n_distinct: usize, n_items: usize, vocabulary: u32) -> Option<f64> {
    let vocabulary = f64::from(vocabulary);
    // 1 − (1 − 1/V)^C without the loss of digits that powers near 1 have.
    let drawn = -(n_items as f64 * (-1.0 / vocabulary).ln_1p()).exp_m1();
    (n_items > 0 && vocabulary > 0.0).then(|| n_distinct as f64 / (vocabulary * drawn))
}

const MOST_FREQUENT: usize = 5000;

static LN_RANKS: LazyLock<Vec<f64>> = LazyLock::new(|| (1..=MOST_FREQUENT).map(|rank| (rank as f64).ln()).collect());

/// Zipf's exponent: the slope, its sign turned, of the straight line through the
/// logarithms of counts over those of ranks, by least squares over the 5000 most
/// frequent items (Holtzman et al. 2020, "The Curious Case of Neural Text
/// Degeneration"). `None` for fewer than two different items.
pub fn zipf(items: &Grams) -> Option<f64> {
    let mut counts = items.counts();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    counts.truncate(MOST_FREQUENT);
    if counts.len() < 2 {
        return None;
    }
    let ln_ranks = &LN_RANKS[..counts.len()];
    let mean_rank = ln_ranks.iter().sum::<f64>() / counts.len() as f64;
    let (mut products, mut squares) = (0.0, 0.0);
    // Counts repeat, most of them 1; so their logarithm is taken once each.
    let mut ranks = ln_ranks.iter();
    for equal in counts.chunk_by(PartialEq::eq) {
        let ln_count = f64::from(equal[0]).ln();
        for ln_rank in ranks.by_ref().take(equal.len()) {
            let distance = ln_rank - mean_rank;
            products += distance * ln_count;
            squares += distance * distance;
        }
    }
    // Sorted counts never rise, so that the exponent is 0 or more but for rounding.
    Some((-products / squares).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_value_of_ead() {
        assert!((ead(14, 17, 50_257).unwrap() - 0.82366).abs() < 5e-6);
        assert_eq!(ead(0, 0, 50_257), None);
        assert_eq!(ead(1, 1, 0), None);
        // One of a vocabulary of one.
        assert_eq!(ead(1, 9, 1), Some(1.0));
    }

    #[test]
    fn zipfs_law_has_its_own_exponent() {
        // Counts 60, 30, 20, 15, 12: 60 over the rank.
        let items = [(0, 60), (1, 30), (2, 20), (3, 15), (4, 12)];
        let exponent =
            zipf(&Grams::of_items(items.into_iter().flat_map(|(id, count)| vec![id; count]).collect::<Vec<_>>()))
                .unwrap();
        assert!((exponent - 1.0).abs() < 1e-12);
        assert_eq!(zipf(&Grams::of_items([1, 2, 3])), Some(0.0));
        assert_eq!(zipf(&Grams::of_items([1, 1, 1])), None);
        assert_eq!(zipf(&Grams::of_items([])), None);
    }
}
