//! Numbers the n-grams of a sequence, for all metrics that count them.

use super::interner::number_keys;

/// The n-grams of one length in the order of their first items; equal ones have
/// equal numbers, counted from 0 in the order in which they first occur.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grams {
    pub ids: Vec<u32>,
    pub n_unique: usize,
}

impl Grams {
    /// Numbers single items.
    pub fn of_items(items: impl IntoIterator<Item = u32, IntoIter: ExactSizeIterator>) -> Self {
        Self::number(items.into_iter().map(u64::from))
    }

    /// Numbers of words are numbers of unigrams already.
    pub fn of_ids(ids: Vec<u32>) -> Self {
        let n_unique = ids.iter().max().map_or(0, |&most| most as usize + 1);
        Self { ids, n_unique }
    }

    /// The n-grams that begin with one of these and end, `shift` places later,
    /// with one of `tails`: two n-grams are equal just where both parts are, so
    /// that numbers of long ones come from numbers of short ones, exactly.
    pub fn then(&self, shift: usize, tails: &Self) -> Self {
        let tails = tails.ids.get(shift..).unwrap_or_default();
        let pairs = self.ids.iter().zip(tails).map(|(&head, &tail)| u64::from(head) << 32 | u64::from(tail));
        Self::number(pairs)
    }

    fn number(keys: impl ExactSizeIterator<Item = u64>) -> Self {
        let (ids, n_unique) = number_keys(keys);
        Self { ids, n_unique }
    }

    /// How often each n-gram occurs, by its number.
    pub fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.n_unique];
        self.ids.iter().for_each(|&id| counts[id as usize] += 1);
        counts
    }

    /// seq-rep-n; see [`super::seq_rep`].
    pub fn seq_rep(&self) -> Option<f64> {
        let n = self.ids.len();
        (n > 0).then(|| (n - self.n_unique) as f64 / n as f64)
    }
}

/// The n-grams of lengths 1 to 4.
#[derive(Clone, Debug)]
pub struct UpToFour(pub [Grams; 4]);

impl UpToFour {
    pub fn new(unigrams: Grams) -> Self {
        let bigrams = unigrams.then(1, &unigrams);
        let trigrams = bigrams.then(2, &unigrams);
        let fourgrams = bigrams.then(2, &bigrams);
        Self([unigrams, bigrams, trigrams, fourgrams])
    }

    /// Whether any n-gram of 30 items occurs at least 20 times, overlapping
    /// ones counted: the rule of "Circular Reasoning" studies of long chains of
    /// thought. `None` of nothing.
    pub fn has_30_20_loop(&self) -> Option<bool> {
        let [unigrams, .., fourgrams] = &self.0;
        if unigrams.ids.is_empty() {
            return None;
        }
        // What occurs 20 times has 4-grams that do; few texts have.
        let often = |grams: &Grams| grams.counts().into_iter().any(|count| count >= 20);
        if !often(fourgrams) {
            return Some(false);
        }
        let eight = fourgrams.then(4, fourgrams);
        let sixteen = eight.then(8, &eight);
        Some(often(&sixteen.then(14, &sixteen)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::seq_rep;
    use super::*;

    fn loops(items: impl IntoIterator<Item = u32>) -> Option<bool> {
        UpToFour::new(Grams::of_items(items.into_iter().collect::<Vec<_>>())).has_30_20_loop()
    }

    #[test]
    fn the_published_ends_of_the_30_20_rule() {
        assert_eq!(loops(vec![7; 48]), Some(false));
        assert_eq!(loops(vec![7; 49]), Some(true));
        assert_eq!(loops([]), None);
        // Twenty copies of a phrase of 30 and not one fewer.
        let copies = |n: u32| (0..n * 30).map(|i| i % 30);
        assert_eq!(loops(copies(20)), Some(true));
        assert_eq!(loops(copies(20).take(599)), Some(false));
    }

    #[test]
    fn what_is_too_short_has_no_grams() {
        let grams = UpToFour::new(Grams::of_items([5, 5]));
        assert_eq!(grams.0.map(|grams| grams.ids.len()), [2, 1, 0, 0]);
    }

    proptest! {
        #[test]
        fn numbers_tell_n_grams_apart(items in prop::collection::vec(0..3_u32, 0..60)) {
            let UpToFour(grams) = UpToFour::new(Grams::of_items(items.iter().copied()));
            for (grams, n) in grams.iter().zip(1..) {
                let windows: Vec<&[u32]> = items.windows(n).collect();
                prop_assert_eq!(grams.ids.len(), windows.len());
                for (i, a) in windows.iter().enumerate() {
                    for (j, b) in windows.iter().enumerate() {
                        prop_assert_eq!(a == b, grams.ids[i] == grams.ids[j]);
                    }
                }
            }
            prop_assert_eq!(grams[0].seq_rep(), seq_rep::<1>(&items));
            prop_assert_eq!(grams[3].seq_rep(), seq_rep::<4>(&items));
        }
    }
}
