//! Remembers which of a sequence of hashes came before.

/// A set of hashes that grows with what is different in it: most n-grams of a text have been
/// seen before, and a small table stays in the processor's cache. Each look-up reads one place,
/// where a map of the standard library's kind reads two.
pub(super) struct Seen {
    /// A hash, or 0 where there is none; at most seven in ten are taken.
    slots: Vec<u64>,
    n_distinct: usize,
}

impl Seen {
    /// For so many hashes at most: a small text's table need not grow.
    pub fn of_at_most(n: usize) -> Self {
        let slots = (n + n / 2).next_power_of_two().clamp(64, 1 << 14);
        Self { slots: vec![0; slots], n_distinct: 0 }
    }

    /// Adds a hash below 2⁶³; whether it is new.
    pub fn insert(&mut self, hash: u64) -> bool {
        // None is 0.
        let is_new = self.put(hash + 1);
        self.n_distinct += usize::from(is_new);
        if 10 * self.n_distinct > 7 * self.slots.len() {
            let twice = vec![0; 2 * self.slots.len()];
            let old = std::mem::replace(&mut self.slots, twice);
            old.into_iter().filter(|&key| key != 0).for_each(|key| {
                self.put(key);
            });
        }
        is_new
    }

    pub fn n_distinct(&self) -> usize {
        self.n_distinct
    }

    fn put(&mut self, key: u64) -> bool {
        let mask = self.slots.len() - 1;
        // Fibonacci hashing (Knuth, The Art of Computer Programming 3, § 6.4): the high bits
        // of the product depend on all of the key's.
        let mut place = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) as usize & mask;
        loop {
            match self.slots[place] {
                0 => {
                    self.slots[place] = key;
                    return true;
                }
                known if known == key => return false,
                _ => place = (place + 1) & mask,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_a_set(hashes in prop::collection::vec(0..500_u64, 0..2000)) {
            let (mut seen, mut known) = (Seen::of_at_most(60), BTreeSet::new());
            for hash in hashes.into_iter().map(|hash| hash << 40 | hash) {
                prop_assert_eq!(seen.insert(hash), known.insert(hash));
            }
            prop_assert_eq!(seen.n_distinct(), known.len());
        }
    }
}
