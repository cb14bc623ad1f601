//! Draws random numbers from a fixed key, so that a result depends on its data alone.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The generator of one purpose: each has a key of its own.
pub(super) fn generator(key: &[u8; 32]) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(*key)
}

/// A number below `n`. Multiplying and shifting prefers some numbers by at most
/// n / 2³², and unlike the distributions of `rand` it can't change under us.
pub(super) fn draw(rng: &mut impl Rng, n: usize) -> usize {
    ((u64::from(rng.next_u32()) * n as u64) >> 32) as usize
}

/// Fisher and Yates' shuffle.
pub(super) fn shuffle<T>(rng: &mut impl Rng, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, draw(rng, last + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_is_equally_likely() {
        let mut rng = generator(b"moe-sweep: test of the shuffle..");
        let mut seen = std::collections::BTreeMap::<[u8; 3], u32>::new();
        for _ in 0..6000 {
            let mut items = [0, 1, 2];
            shuffle(&mut rng, &mut items);
            *seen.entry(items).or_default() += 1;
        }
        // 1000 each, with a standard deviation of 29.
        assert_eq!(seen.len(), 6);
        assert!(seen.values().all(|count| count.abs_diff(1000) < 120), "{seen:?}");
    }
}
