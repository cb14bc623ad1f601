//! Numbers things in the order in which they first occur.
//!
//! An open-addressing table of its own: numbering n-grams is most of the work of
//! scoring, and this is about twice as fast as the standard library's map with
//! the same hashes (docs/performance.md, Scoring).

use std::cell::RefCell;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;

/// Hashes of fixed seed: only numbers in order of occurrence leave this file.
const HASHES: FixedState = FixedState::with_seed(0);

/// A key's number is found without asking whether the key is new: that can't be
/// foreseen, and a processor that guesses wrong loses more time than all the rest
/// takes. The key is written behind the ones known, an empty slot points there,
/// and so every search ends in a hit.
#[derive(Default)]
struct Table {
    /// 1 + a number, or 0; at most a quarter of them are taken.
    slots: Vec<u32>,
    /// Of each number, and room for one more.
    keys: Vec<u64>,
    n_keys: usize,
}

impl Table {
    /// Empties it and makes room for `n` keys.
    fn clear(&mut self, n: usize) {
        self.slots.clear();
        self.slots.resize((4 * n.max(8)).next_power_of_two(), 0);
        self.keys.resize(self.keys.len().max(n + 1), 0);
        self.n_keys = 0;
    }

    /// The number of a key that is also what `is` recognises.
    fn number(&mut self, hash: u64, key: u64, is: impl Fn(usize) -> bool) -> u32 {
        let mask = self.slots.len() - 1;
        let mut place = (hash >> 20) as usize & mask;
        self.keys[self.n_keys] = key;
        let id = loop {
            let slot = self.slots[place] as usize;
            let id = if slot == 0 { self.n_keys } else { slot - 1 };
            if self.keys[id] == key && (id == self.n_keys || is(id)) {
                break id;
            }
            place = (place + 1) & mask;
        };
        self.slots[place] = id as u32 + 1;
        self.n_keys += usize::from(id == self.n_keys);
        id as u32
    }
}

thread_local! {
    static TABLE: RefCell<Table> = RefCell::default();
}

/// The number of each key, and how many different ones there are.
///
/// # Panics
///
/// For 2³¹ keys or more.
pub(super) fn number_keys(keys: impl ExactSizeIterator<Item = u64>) -> (Vec<u32>, usize) {
    assert!(keys.len() < 1 << 31, "a text holds fewer than 2³¹ n-grams");
    TABLE.with_borrow_mut(|table| {
        table.clear(keys.len());
        let ids = keys.map(|key| table.number(HASHES.hash_one(key), key, |_| true)).collect();
        (ids, table.n_keys)
    })
}

/// The number of each word. A word's key is its hash; should two words share one,
/// they are still told apart.
///
/// # Panics
///
/// For 2³¹ words or more.
pub(super) fn number_words<'a>(words: impl Iterator<Item = &'a str>) -> Vec<u32> {
    let words: Vec<&str> = words.collect();
    assert!(words.len() < 1 << 31, "a text holds fewer than 2³¹ words");
    let mut unique: Vec<&str> = Vec::with_capacity(words.len());
    TABLE.with_borrow_mut(|table| {
        table.clear(words.len());
        let number = |word: &&'a str| {
            let hash = HASHES.hash_one(word.as_bytes());
            let id = table.number(hash, hash, |id| unique[id] == *word);
            if id as usize == unique.len() {
                unique.push(word);
            }
            id
        };
        words.iter().map(number).collect()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_count_up_in_order_of_occurrence() {
        assert_eq!(number_keys([9, 7, 9, u64::MAX, 0, 7].into_iter()), (vec![0, 1, 0, 2, 3, 1], 4));
        assert_eq!(number_keys([].into_iter()), (vec![], 0));
        assert_eq!(number_words(["b", "a", "b", "ab"].into_iter()), [0, 1, 0, 2]);
    }

    proptest! {
        #[test]
        fn equal_keys_have_equal_numbers(keys in prop::collection::vec(0..60_u64, 0..200)) {
            let (ids, n_unique) = number_keys(keys.iter().map(|key| key << 32));
            let first = |key: &u64| keys.iter().position(|other| other == key).unwrap();
            for (key, id) in keys.iter().zip(&ids) {
                prop_assert_eq!(*id, ids[first(key)]);
            }
            let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
            prop_assert_eq!(distinct.len(), n_unique);
            prop_assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), n_unique);
        }
    }
}
