//! Finds the cycle in which a sequence ends, if it ends in one.
//!
//! A *tail* is a suffix; its *period* is the least p such that every item but
//! the first p equals the one p places before it; its *copies* are its length
//! over its period. A tail is a *cycle* when it has at least two copies. The
//! last copy may be partial, because a text is cut off anywhere. No item, no
//! period and no number of copies is special: two equal tokens at the end are a
//! cycle, of a share that says how little that means.
//!
//! Several tails of one sequence can be cycles: `b a a a b a a a` ends in `a`
//! three times and in `b a a a` twice. The longest one is taken, so that the
//! onset is the first index from which on the sequence does nothing but
//! repeat. It needs no tie-break, for a tail has one period. Nor can it
//! be a piece of something longer of the same period, for that would be a
//! longer cycle: it is a *run* (maximal repetition) in the sense of Kolpakov and
//! Kucherov 1999, "Finding maximal repetitions in a word in linear time".

/// The longest tail that is a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TailCycle {
    /// Index of the cycle's first item.
    pub onset: usize,
    /// Items in one copy.
    pub period: usize,
    /// Items that the cycle covers: from the onset to the end.
    pub length: usize,
}

impl TailCycle {
    /// Copies of the period, the last one perhaps partial; at least 2.
    pub fn copies(self) -> f64 {
        self.length as f64 / self.period as f64
    }

    /// Share of the whole sequence that the copies after the first one make up.
    pub fn repeated_share(self) -> f64 {
        (self.length - self.period) as f64 / (self.onset + self.length) as f64
    }

    /// Share of the whole sequence that the cycle covers.
    pub fn share(self) -> f64 {
        self.length as f64 / (self.onset + self.length) as f64
    }
}

/// Finds the longest tail of `items` that is a cycle, in linear time.
pub fn tail_cycle<T: Eq>(items: &[T]) -> Option<TailCycle> {
    Tails::of(items).longest(2)
}

/// The periods of all tails of a sequence.
///
/// Read backwards, tails are prefixes. A prefix's least period is its length
/// less its longest border (a proper prefix that is also its suffix), and the
/// prefix function gives the longest border of every prefix at once: Knuth,
/// Morris and Pratt 1977, "Fast pattern matching in strings", § 2.
pub(super) struct Tails {
    /// At index i, the length of the longest border of the tail of i + 1 items.
    borders: Vec<u32>,
}

impl Tails {
    /// # Panics
    ///
    /// For 2³² items or more.
    pub fn of<T: Eq>(items: &[T]) -> Self {
        assert!(u32::try_from(items.len()).is_ok(), "a text holds fewer than 2³² items");
        let backwards = |index: usize| &items[items.len() - 1 - index];
        let mut borders = vec![0; items.len()];
        for index in 1..items.len() {
            let mut border: u32 = borders[index - 1];
            while border > 0 && backwards(index) != backwards(border as usize) {
                border = borders[border as usize - 1];
            }
            borders[index] = border + u32::from(backwards(index) == backwards(border as usize));
        }
        Self { borders }
    }

    /// The longest tail of at least so many copies, two or more. Its unit is primitive: no
    /// shorter one repeated makes it, for the period is the least one.
    pub fn longest(&self, copies: usize) -> Option<TailCycle> {
        let tails = self.borders.iter().enumerate().map(|(index, &border)| (index + 1, index + 1 - border as usize));
        let (length, period) = tails.rev().find(|&(length, period)| length >= copies.max(2) * period)?;
        Some(TailCycle { onset: self.borders.len() - length, period, length })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// (onset, period, length) of a text's characters.
    fn cycle(text: &str) -> Option<(usize, usize, usize)> {
        let items: Vec<char> = text.chars().collect();
        tail_cycle(&items).map(|cycle| (cycle.onset, cycle.period, cycle.length))
    }

    #[test]
    fn the_cat_on_the_mat() {
        let s: Vec<_> = "the cat sat on the mat the cat sat on the mat the cat sat".split(' ').collect();
        let cycle = tail_cycle(&s).unwrap();
        assert_eq!(cycle, TailCycle { onset: 0, period: 6, length: 15 });
        assert_eq!(cycle.copies(), 2.5);
        assert_eq!(cycle.share(), 1.0);
    }

    #[test]
    fn no_period_is_too_long_and_none_too_short() {
        assert_eq!(cycle("xyzxyz"), Some((0, 3, 6)));
        assert_eq!(cycle(&"a".repeat(50)), Some((0, 1, 50)));
        assert_eq!(cycle(&"ab".repeat(51)), Some((0, 2, 102)));
        assert_eq!(cycle("paaapaaa"), Some((0, 4, 8)));
        let phrase: Vec<u32> = (0..91).chain(0..91).collect();
        assert_eq!(tail_cycle(&phrase), Some(TailCycle { onset: 0, period: 91, length: 182 }));
        assert_eq!(cycle("123123"), Some((0, 3, 6)));
        assert_eq!(cycle("1234565656"), Some((4, 2, 6)));
    }

    #[test]
    fn the_last_copy_may_be_partial_but_two_must_be_whole() {
        assert_eq!(cycle("thentobetobet"), Some((4, 4, 9)));
        assert_eq!(cycle("abcabcab"), Some((0, 3, 8)));
        assert_eq!(cycle("abcab"), None);
    }

    #[test]
    fn a_cycle_left_again_is_none() {
        assert_eq!(cycle("123123124"), None);
        assert_eq!(cycle("aaaaaaaab"), None);
    }

    #[test]
    fn the_longest_of_several_cycles_is_taken() {
        // Shorter ones: `aa` of period 1, and in the last case `abab` of period 2.
        assert_eq!(cycle("aabaabaa"), Some((0, 3, 8)));
        assert_eq!(cycle("baaabaaa"), Some((0, 4, 8)));
        assert_eq!(cycle("cababcabab"), Some((0, 5, 10)));
        // The longer tails here are no cycles: `baa` comes once only.
        assert_eq!(cycle("cbaa"), Some((2, 1, 2)));
    }

    #[test]
    fn chance_gives_a_small_share() {
        let items: Vec<u32> = (0..98).chain([7, 7]).collect();
        let cycle = tail_cycle(&items).unwrap();
        assert_eq!(cycle, TailCycle { onset: 98, period: 1, length: 2 });
        assert_eq!(cycle.share(), 0.02);
    }

    #[test]
    fn too_little_for_a_cycle() {
        assert_eq!(cycle(""), None);
        assert_eq!(cycle("a"), None);
        assert_eq!(cycle("ab"), None);
        assert_eq!(cycle("aa"), Some((0, 1, 2)));
    }

    /// The definition word for word, in cubic time.
    fn naive(items: &[u8]) -> Option<TailCycle> {
        (0..items.len()).find_map(|onset| {
            let tail = &items[onset..];
            let repeats = |&period: &usize| (period..tail.len()).all(|i| tail[i] == tail[i - period]);
            let period = (1..=tail.len() / 2).find(repeats)?;
            Some(TailCycle { onset, period, length: tail.len() })
        })
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition_on_anything(items in prop::collection::vec(0..3_u8, 0..48)) {
            prop_assert_eq!(tail_cycle(&items), naive(&items));
        }

        #[test]
        fn agrees_with_the_definition_on_cycles(
            head in prop::collection::vec(0..3_u8, 0..16),
            phrase in prop::collection::vec(0..3_u8, 1..9),
            length in 0..40_usize,
        ) {
            let items: Vec<u8> = head.into_iter().chain(phrase.into_iter().cycle().take(length)).collect();
            prop_assert_eq!(tail_cycle(&items), naive(&items));
        }
    }

    /// Every sequence of up to 12 items over two letters.
    #[test]
    fn agrees_with_the_definition_on_everything_short() {
        for length in 0..=12 {
            for bits in 0..1_u32 << length {
                let items: Vec<u8> = (0..length).map(|i| (bits >> i & 1) as u8).collect();
                assert_eq!(tail_cycle(&items), naive(&items), "{items:?}");
            }
        }
    }
}
