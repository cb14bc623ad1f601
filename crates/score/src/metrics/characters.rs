//! Looks at a text as its characters (Unicode scalars), which need neither spaces nor token ids.

use std::ops::Range;

use super::rolling::hashes;
use super::seen::Seen;
use super::tail::{TailCycle, Tails};

/// Items of a block that [`Coverage`] looks for again.
const BLOCK: usize = 20;

/// The characters of a text; or the same with each run of ASCII digits made one `#`, so that
/// copies that differ in a counter, a line number or an id are the same.
pub(super) struct Characters {
    items: Vec<u32>,
    /// Of each item the place of its first character in the text, and at the end the number of
    /// characters; `None` where items are characters.
    starts: Option<Vec<u32>>,
    tails: Tails,
}

impl Characters {
    pub fn of(text: &str) -> Self {
        Self::new(text.chars().map(u32::from).collect(), None)
    }

    fn new(items: Vec<u32>, starts: Option<Vec<u32>>) -> Self {
        Self { tails: Tails::of(&items), items, starts }
    }

    /// `None` where there is no digit, so that it would be the same.
    pub fn masked(&self) -> Option<Self> {
        let is_digit = |&c: &u32| (u32::from(b'0')..=u32::from(b'9')).contains(&c);
        self.items.iter().any(is_digit).then(|| {
            let (mut items, mut starts) = (Vec::with_capacity(self.items.len()), Vec::new());
            let mut at = 0;
            for run in self.items.chunk_by(|a, b| is_digit(a) && is_digit(b)) {
                items.push(if is_digit(&run[0]) { u32::from('#') } else { run[0] });
                starts.push(at);
                at += run.len() as u32;
            }
            starts.push(at);
            Self::new(items, Some(starts))
        })
    }

    pub fn items(&self) -> &[u32] {
        &self.items
    }

    /// How many characters these items are.
    pub fn n_characters(&self, items: Range<usize>) -> usize {
        match &self.starts {
            None => items.len(),
            Some(starts) => (starts[items.end] - starts[items.start]) as usize,
        }
    }

    /// Whether a cycle of the first `end` items counts as one at all: copies that are the same
    /// only because digits are masked are a table of numbers, unless words repeat with them.
    pub fn says_something(&self, cycle: TailCycle) -> bool {
        let unit = &self.items[cycle.onset..cycle.onset + cycle.period];
        self.starts.is_none() || unit.iter().any(|&c| char::from_u32(c).is_some_and(char::is_alphabetic))
    }

    /// The longest tail of at least so many copies.
    pub fn tail(&self, copies: usize) -> Option<TailCycle> {
        self.tails.longest(copies)
    }
}

/// 1 − distinct / all 4-grams of characters: seq-rep-4 for scripts without spaces. `None` for
/// fewer than four characters.
pub fn repeat_4_chars(characters: &[u32]) -> Option<f64> {
    let grams = hashes(characters, 4);
    let n = grams.len();
    let mut seen = Seen::of_at_most(n);
    grams.for_each(|gram| {
        seen.insert(gram);
    });
    (n > 0).then(|| (n - seen.n_distinct()) as f64 / n as f64)
}

/// Which items lie in a block of 20 that also starts earlier in the sequence, overlapping itself
/// if need be: whatever was written before, anywhere and with any period.
pub(super) struct Coverage {
    /// The longest stretches of such items, in order.
    pub stretches: Vec<Range<usize>>,
    n_items: usize,
}

impl Coverage {
    pub fn of(items: &[u32]) -> Self {
        let mut seen = Seen::of_at_most(items.len());
        let mut stretches: Vec<Range<usize>> = Vec::new();
        let again = hashes(items, BLOCK).enumerate().filter(|&(_, block)| !seen.insert(block));
        for (at, _) in again {
            match stretches.last_mut() {
                Some(last) if last.end >= at => last.end = at + BLOCK,
                _ => stretches.push(at..at + BLOCK),
            }
        }
        Self { stretches, n_items: items.len() }
    }

    /// The share of the items; `None` for fewer than 20.
    pub fn share(&self) -> Option<f64> {
        let covered: usize = self.stretches.iter().map(Range::len).sum();
        (self.n_items >= BLOCK).then(|| covered as f64 / self.n_items as f64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn items(text: &str) -> Vec<u32> {
        text.chars().map(u32::from).collect()
    }

    fn covered_20(text: &str) -> Option<f64> {
        Coverage::of(&items(text)).share()
    }

    /// Computed in plain Python by the definitions.
    #[test]
    fn the_oracles_values() {
        let eighty: String = ('\u{4e00}'..='\u{4e4f}').collect();
        let rows: String = (0..30).map(|i| format!("row{i:02} ok ")).collect();
        let trees = ["ash", "birch", "cedar", "elm", "fir", "gum", "hazel", "ivy", "juniper", "larch"];
        let template = |tree: &str| {
            format!("Wait, let me reconsider whether the {tree} should come first in the list before the others. ")
        };
        let cases = [
            ("好的，我来帮你。".repeat(10), 69.0 / 77.0, 0.9),
            (eighty.repeat(5), 317.0 / 397.0, 0.8),
            (eighty, 0.0, 0.0),
            ("a".repeat(40), 36.0 / 37.0, 0.975),
            (rows, 160.0 / 267.0, 0.0),
            (trees.map(template).concat(), 0.844271, 0.865854),
        ];
        for (text, repeated, covered) in cases {
            let (found_4, found_20) = (repeat_4_chars(&items(&text)).unwrap(), covered_20(&text).unwrap());
            assert!((found_4 - repeated).abs() < 5e-7, "{found_4}, not {repeated}: {text}");
            assert!((found_20 - covered).abs() < 5e-7, "{found_20}, not {covered}: {text}");
        }
    }

    #[test]
    fn what_is_too_short_has_no_share() {
        assert_eq!((repeat_4_chars(&items("abc")), covered_20(&"a".repeat(19))), (None, None));
        assert_eq!((repeat_4_chars(&items("abcd")), covered_20(&"a".repeat(20))), (Some(0.0), Some(0.0)));
    }

    #[test]
    fn counters_are_masked() {
        let characters = Characters::of("row07 ok row123 ok");
        let masked = characters.masked().unwrap();
        assert_eq!(masked.items(), items("row# ok row# ok"));
        assert_eq!((masked.n_characters(0..15), masked.n_characters(3..4), masked.n_characters(8..15)), (18, 2, 9));
        assert!(Characters::of("no digit ١").masked().is_none());
        let rows: String = (0..30).map(|i| format!("row{i:02} ok ")).collect();
        let tail = Characters::of(&rows).masked().unwrap().tail(2).unwrap();
        assert_eq!((tail.period, tail.copies()), (8, 30.0));
    }

    #[test]
    fn numbers_alone_say_nothing() {
        let says = |text: &str| {
            let masked = Characters::of(text).masked().unwrap();
            masked.says_something(masked.tail(3).unwrap())
        };
        assert!(says("row 1, row 2, row 3, ") && !says("1, 2, 3, 4, 5, ") && !says("1|2\n3|4\n5|6\n"));
    }

    /// The definition word for word, in cubic time.
    fn naive(text: &[u32]) -> Vec<bool> {
        let mut covered = vec![false; text.len()];
        for at in 0..(text.len() + 1).saturating_sub(BLOCK) {
            if (0..at).any(|earlier| text[earlier..earlier + BLOCK] == text[at..at + BLOCK]) {
                covered[at..at + BLOCK].fill(true);
            }
        }
        covered
    }

    proptest! {
        #[test]
        fn coverage_is_as_defined(head in prop::collection::vec(0..9_u32, 0..40), n in 1..30_usize, copies in 0..6_usize) {
            let unit: Vec<u32> = head.iter().copied().cycle().take(if head.is_empty() { 0 } else { n }).collect();
            let text = [head, unit.repeat(copies), vec![77; 5]].concat();
            let coverage = Coverage::of(&text);
            let mut covered = vec![false; text.len()];
            coverage.stretches.iter().for_each(|stretch| covered[stretch.clone()].fill(true));
            prop_assert_eq!(covered, naive(&text));
        }
    }
}
