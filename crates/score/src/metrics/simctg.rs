//! Computes rep-n and diversity as the script of Su et al. 2022, "A Contrastive Framework for Neural Text Generation"
//! (SimCTG), does, quirks included.

use super::grams::UpToFour;

/// The n-grams of one or several texts; several are pooled by adding counts, each
/// text's distinct n-grams counted for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SimCtg {
    /// For n = 2, 3, 4: distinct n-grams, and all of them.
    counts: [(usize, usize); 3],
}

impl SimCtg {
    /// Counts all n-grams of a text but the last, which the script never reaches.
    pub fn of_text(words: &UpToFour) -> Self {
        let [_, grams @ ..] = &words.0;
        Self {
            counts: grams.each_ref().map(|grams| {
                let Some((last, others)) = grams.ids.split_last() else { return (0, 0) };
                // Numbers count up, so that a number seen first at the end is the highest, once.
                let is_new = *last as usize + 1 == grams.n_unique && !others.contains(last);
                (grams.n_unique - usize::from(is_new), others.len())
            }),
        }
    }

    pub fn plus(self, other: Self) -> Self {
        let mut sum = self;
        for (sum, (distinct, all)) in sum.counts.iter_mut().zip(other.counts) {
            sum.0 += distinct;
            sum.1 += all;
        }
        sum
    }

    /// rep-2, rep-3 and rep-4 in percent, rounded to two decimals; `None` where
    /// there is no such n-gram.
    pub fn rep_percent(self) -> [Option<f64>; 3] {
        let rep = |(distinct, all): (usize, usize)| {
            let percent = (1.0 - distinct as f64 / all as f64) * 100.0;
            // As Python's round(): exact halves to the even neighbour.
            (all > 0).then(|| (percent * 100.0).round_ties_even() / 100.0)
        };
        self.counts.map(rep)
    }

    /// Π over n of 1 − rep-n / 100, of the rounded ones; `None` where one is missing.
    pub fn diversity(self) -> Option<f64> {
        self.rep_percent().into_iter().try_fold(1.0, |product, rep| Some(product * (1.0 - rep? / 100.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::grams::Grams;
    use super::super::word_ids;
    use super::*;

    fn of(text: &str) -> SimCtg {
        SimCtg::of_text(&UpToFour::new(Grams::of_ids(word_ids(text))))
    }

    #[test]
    fn the_cat_on_the_mat() {
        let s = of("the cat sat on the mat the cat sat on the mat the cat sat");
        assert_eq!(s.counts, [(6, 13), (6, 12), (6, 11)]);
        assert_eq!(s.rep_percent(), [Some(53.85), Some(50.0), Some(45.45)]);
        assert!((s.diversity().unwrap() - 0.4615 * 0.5 * 0.5455).abs() < 1e-12);
    }

    #[test]
    fn the_last_n_gram_is_not_reached() {
        assert_eq!(of("a b c d").counts, [(2, 2), (1, 1), (0, 0)]);
        assert_eq!(of("a b c d").diversity(), None);
        assert_eq!(of("a b a b a b").counts, [(2, 4), (2, 3), (2, 2)]);
        assert_eq!(of("").counts, [(0, 0); 3]);
    }

    #[test]
    fn texts_are_pooled_by_their_counts() {
        let pooled = of("a a a a a a").plus(of("a b c d e f"));
        assert_eq!(pooled.counts, [(5, 8), (4, 6), (3, 4)]);
    }
}
