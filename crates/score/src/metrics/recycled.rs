//! Measures how much of a text's end was written before.

use foldhash::{HashMap, HashMapExt};

use super::rolling::hashes;

/// Items at the end of a text that are looked at, and of one n-gram.
const WINDOW: usize = 200;
const GRAM: usize = 8;

/// The share of the 8-grams of the last 200 items (words, or characters of a script without
/// spaces) that occur earlier in the text: high for loops whose copies differ in a word or two,
/// which no cycle shows (in a report of such loops 96 % of the phrases were recycled and 92 % of
/// the blocks of 120 characters new: tonyd2wild, issue 29). Of a shorter text, all its 8-grams are
/// looked at. `None` for fewer than eight items.
pub fn recycled(items: &[u32]) -> Option<f64> {
    let all: Vec<u64> = hashes(items, GRAM).collect();
    let last = &all[all.len().saturating_sub(WINDOW - GRAM + 1)..];
    // Where each of the last n-grams occurs first; no others are remembered.
    let mut first: HashMap<u64, usize> = HashMap::with_capacity(last.len());
    last.iter().for_each(|&gram| {
        first.insert(gram, usize::MAX);
    });
    for (at, gram) in all.iter().enumerate() {
        if let Some(first) = first.get_mut(gram) {
            *first = at.min(*first);
        }
    }
    let from = all.len() - last.len();
    let known = last.iter().zip(from..).filter(|(gram, at)| first[*gram] < *at).count();
    (!last.is_empty()).then(|| known as f64 / last.len() as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_written_before_is_recycled() {
        let phrase: Vec<u32> = (0..40).collect();
        assert_eq!(recycled(&phrase), Some(0.0));
        // 33 8-grams of the first copy are new, all that begin later are not.
        assert_eq!(recycled(&phrase.repeat(2)), Some(33.0 / 73.0));
        assert_eq!(recycled(&phrase.repeat(20)), Some(1.0));
        assert_eq!(recycled(&[7; 7]), None);
        assert_eq!(recycled(&[7; 8]), Some(0.0));
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(items in prop::collection::vec(0..2_u32, 0..500)) {
            let grams: Vec<&[u32]> = items.windows(GRAM).collect();
            let from = (items.len().saturating_sub(WINDOW)).min(grams.len());
            let known = (from..grams.len()).filter(|&at| grams[..at].contains(&grams[at])).count();
            let expected = (!grams.is_empty()).then(|| known as f64 / (grams.len() - from) as f64);
            prop_assert_eq!(recycled(&items), expected);
        }
    }
}
