//! Computes metrics of what stands near: repeats within a window, and variety within one.

use super::grams::Grams;

/// rep-w: the share of tokens that occur among the 16 before them, of all but
/// the first (Fu et al. 2021, "A Theoretical Analysis of the Repetition Problem
/// in Text Generation"). `None` for fewer than two tokens.
pub fn rep_w(tokens: &Grams) -> Option<f64> {
    const WINDOW: usize = 16;
    let n = tokens.ids.len();
    let mut last = vec![usize::MAX; tokens.n_unique];
    let mut repeats = 0;
    for (at, &id) in tokens.ids.iter().enumerate() {
        let before = std::mem::replace(&mut last[id as usize], at);
        repeats += usize::from(before != usize::MAX && at - before <= WINDOW);
    }
    (n > 1).then(|| repeats as f64 / (n - 1) as f64)
}

/// rep-r: the share of tokens that are part of a bigram that occurs more than
/// once (Fu et al. 2021). `None` for fewer than two tokens.
pub fn rep_r(bigrams: &Grams) -> Option<f64> {
    let n = bigrams.ids.len() + 1;
    let counts = bigrams.counts();
    let recurs = |id: &u32| counts[*id as usize] > 1;
    // A token belongs to the bigram that it begins and to the one that it ends.
    let mut before = false;
    let mut covered = 0;
    for id in &bigrams.ids {
        let here = recurs(id);
        covered += usize::from(before || here);
        before = here;
    }
    covered += usize::from(before);
    (n > 1).then(|| covered as f64 / n as f64)
}

/// MATTR: the mean, over all windows of 50 words, of distinct words over words
/// (Covington and McFall 2010, "Cutting the Gordian Knot: The Moving-Average
/// Type–Token Ratio"). `None` for fewer than 50 words, because shorter windows
/// have higher ratios.
pub fn mattr(words: &Grams) -> Option<f64> {
    const WINDOW: usize = 50;
    let ids = &words.ids;
    let n_windows = (ids.len() + 1).checked_sub(WINDOW).filter(|&n| n > 0)?;
    let mut counts = vec![0_u32; words.n_unique];
    let (mut distinct, mut sum) = (0_u64, 0_u64);
    for (at, &id) in ids.iter().enumerate() {
        let count = &mut counts[id as usize];
        distinct += u64::from(*count == 0);
        *count += 1;
        if let Some(start) = (at + 1).checked_sub(WINDOW) {
            sum += distinct;
            let count = &mut counts[ids[start] as usize];
            *count -= 1;
            distinct -= u64::from(*count == 0);
        }
    }
    Some(sum as f64 / WINDOW as f64 / n_windows as f64)
}

/// MTLD: the mean length of stretches over which distinct words stay at least
/// 0.72 of all, over both directions (McCarthy and Jarvis 2010, "MTLD, vocd-D, and
/// HD-D"). As in the `lexical-diversity` package a stretch has at least 10 words,
/// and what is left at the end, the last word included, counts as the part of a
/// stretch by which its ratio has fallen. `None` where no word recurs so that no
/// stretch begins to end: the length has no upper limit then.
pub fn mtld(words: &Grams) -> Option<f64> {
    let ids = &words.ids;
    let there = stretch_length(ids.iter(), ids.len(), words.n_unique)?;
    let back = stretch_length(ids.iter().rev(), ids.len(), words.n_unique)?;
    Some((there + back) / 2.0)
}

fn stretch_length<'a>(ids: impl Iterator<Item = &'a u32>, n: usize, n_unique: usize) -> Option<f64> {
    const LEAST_RATIO: f64 = 0.72;
    const LEAST_WORDS: u32 = 10;
    // The stretch in which a word was last seen; 0 for none.
    let mut seen_in = vec![0_u32; n_unique];
    let (mut stretch, mut distinct, mut length, mut stretches) = (1, 0_u32, 0_u32, 0.0);
    for (at, &id) in ids.enumerate() {
        distinct += u32::from(std::mem::replace(&mut seen_in[id as usize], stretch) != stretch);
        length += 1;
        let ratio = f64::from(distinct) / f64::from(length);
        if at + 1 == n {
            stretches += (1.0 - ratio) / (1.0 - LEAST_RATIO);
        } else if ratio < LEAST_RATIO && length >= LEAST_WORDS {
            stretches += 1.0;
            (stretch, distinct, length) = (stretch + 1, 0, 0);
        }
    }
    (stretches > 0.0).then(|| n as f64 / stretches)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(items: impl IntoIterator<Item = u32, IntoIter: ExactSizeIterator>) -> Grams {
        Grams::of_items(items)
    }

    fn bigrams(items: impl IntoIterator<Item = u32, IntoIter: ExactSizeIterator>) -> Grams {
        let unigrams = of(items);
        unigrams.then(1, &unigrams)
    }

    #[test]
    fn rep_w_looks_back_16_tokens() {
        assert_eq!(rep_w(&of([1, 2, 1, 3])), Some(1.0 / 3.0));
        let gap = |n: u32| of((0..n).chain([0]).collect::<Vec<_>>());
        assert_eq!(rep_w(&gap(16)), Some(1.0 / 16.0));
        assert_eq!(rep_w(&gap(17)), Some(0.0));
        assert_eq!(rep_w(&of([7; 5])), Some(1.0));
        assert_eq!(rep_w(&of([7])), None);
        assert_eq!(rep_w(&of([])), None);
    }

    #[test]
    fn rep_r_counts_each_token_once() {
        assert_eq!(rep_r(&bigrams([1, 2, 3, 1, 2])), Some(0.8));
        assert_eq!(rep_r(&bigrams([1, 1, 1])), Some(1.0));
        assert_eq!(rep_r(&bigrams([1, 2, 3])), Some(0.0));
        assert_eq!(rep_r(&bigrams([1])), None);
        assert_eq!(rep_r(&bigrams([])), None);
    }

    #[test]
    fn variety_of_too_little_is_missing() {
        assert_eq!(mattr(&of(0..49)), None);
        assert_eq!(mattr(&of(0..50)), Some(1.0));
        assert_eq!(mtld(&of([])), None);
        assert_eq!(mtld(&of([3])), None);
        assert_eq!(mtld(&of(0..30)), None);
        // One word recurs once: 0.1 of the ratio's way down of 0.28 in ten words.
        assert!((mtld(&of(vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 8])).unwrap() - 10.0 / (0.1 / 0.28)).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn mattr_is_the_mean_over_windows(items in prop::collection::vec(0..40_u32, 50..140)) {
            let ratios: Vec<f64> = items
                .windows(50)
                .map(|window| window.iter().collect::<std::collections::BTreeSet<_>>().len() as f64 / 50.0)
                .collect();
            let expected = ratios.iter().sum::<f64>() / ratios.len() as f64;
            prop_assert!((mattr(&of(items)).unwrap() - expected).abs() < 1e-12);
        }

        #[test]
        fn rep_r_agrees_with_its_definition(items in prop::collection::vec(0..4_u32, 2..40)) {
            let recurs = |i: usize| items.windows(2).filter(|w| *w == &items[i..i + 2]).count() > 1;
            let covered = (0..items.len()).filter(|&i| (i > 0 && recurs(i - 1)) || (i + 1 < items.len() && recurs(i)));
            let expected = covered.count() as f64 / items.len() as f64;
            prop_assert_eq!(rep_r(&bigrams(items)), Some(expected));
        }
    }
}
