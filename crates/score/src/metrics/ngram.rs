//! Counts repeated n-grams within one sequence, of whatever items.

use std::hash::Hash;

use foldhash::{HashSet, HashSetExt};

/// seq-rep-n: the share of a sequence's n-grams that have occurred before in
/// it, `1 − |unique n-grams| / |n-grams|`.
///
/// Welleck et al. 2019, "Neural Text Generation with Unlikelihood Training"
/// (arXiv 1908.04319), § 6.1, who take the model's tokens as items and average
/// over sequences; a sequence is one generated text here. `None` where the
/// sequence is too short for a single n-gram.
pub fn seq_rep<const N: usize>(items: &[impl Eq + Hash]) -> Option<f64> {
    let n_grams = items.len().checked_sub(N - 1).filter(|&n_grams| n_grams > 0)?;
    // foldhash, because hashing is most of the work; only the number of unique
    // n-grams leaves here, never their order.
    let mut unique = HashSet::with_capacity(n_grams);
    unique.extend(items.array_windows::<N>());
    // One division of whole numbers, as in Σ(count − 1) / total, instead of the
    // subtraction from 1, which would round twice.
    Some((n_grams - unique.len()) as f64 / n_grams as f64)
}

/// The finding's score: the share of duplicated trigrams of white-space words,
/// `Σ(count − 1) / |trigrams|`, and 0 for a text of fewer than three words
/// (the server's benchmark script). seq-rep-3 but for that rule.
pub fn repetition_score(words: &[impl Eq + Hash]) -> f64 {
    seq_rep::<3>(words).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const S: &str = "the cat sat on the mat the cat sat on the mat the cat sat";

    fn words(text: &str) -> Vec<&str> {
        text.split(' ').collect()
    }

    #[test]
    fn the_cat_on_the_mat() {
        let s = words(S);
        assert_eq!(seq_rep::<1>(&s), Some(10.0 / 15.0));
        assert_eq!(seq_rep::<2>(&s), Some(8.0 / 14.0));
        assert_eq!(seq_rep::<3>(&s), Some(7.0 / 13.0));
        assert_eq!(seq_rep::<4>(&s), Some(6.0 / 12.0));
        assert_eq!(repetition_score(&s), 7.0 / 13.0);
    }

    #[test]
    fn what_is_too_short_for_an_n_gram_has_no_seq_rep() {
        assert_eq!(seq_rep::<1>(&[0; 0]), None);
        assert_eq!(seq_rep::<3>(&[7, 7]), None);
        assert_eq!(seq_rep::<3>(&[7, 7, 7]), Some(0.0));
        assert_eq!(seq_rep::<4>(&[7; 5]), Some(0.5));
    }

    #[test]
    fn the_findings_score_of_what_is_too_short_is_0() {
        assert_eq!(repetition_score(&[0; 0]), 0.0);
        assert_eq!(repetition_score(&[7, 7]), 0.0);
    }

    proptest! {
        #[test]
        fn agrees_with_counting_duplicates(items in prop::collection::vec(0..4_u8, 0..40)) {
            let duplicates = |n: usize| {
                let grams: Vec<_> = items.windows(n).collect();
                (0..grams.len()).filter(|&i| grams[..i].contains(&grams[i])).count() as f64 / grams.len() as f64
            };
            prop_assert_eq!(seq_rep::<1>(&items), (!items.is_empty()).then(|| duplicates(1)));
            prop_assert_eq!(seq_rep::<4>(&items), (items.len() >= 4).then(|| duplicates(4)));
        }
    }
}
