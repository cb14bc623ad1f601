//! Numbers long n-grams, in one pass whatever their length.

/// A prime, so that residues are spread evenly: 2⁶¹ − 1.
const MODULUS: u64 = (1 << 61) - 1;
/// Any large residue; fixed, so that nothing depends on the run.
const BASE: u64 = 0x0f3a_6c1b_94d2_57e9;

/// The polynomial hash of each n-gram of `n` items, in the order of their first items (Karp and
/// Rabin 1987, "Efficient randomized pattern-matching algorithms"). Different n-grams of a text
/// of a million share a hash with a probability below 10⁻⁴; texts that were made to collide
/// would be miscounted, and nothing else. Empty for fewer than `n` items.
pub(super) fn hashes(items: &[u32], n: usize) -> impl ExactSizeIterator<Item = u64> {
    let leading = (1..n).fold(1, |power, _| times(power, BASE));
    // The hash of the n-gram before, without its first item.
    let mut rest = items.iter().take(n.saturating_sub(1)).fold(0, |hash, &item| push(hash, item));
    let n_grams = (items.len() + 1).saturating_sub(n.max(1));
    (0..n_grams).map(move |at| {
        let hash = push(rest, items[at + n - 1]);
        rest = minus(hash, times(digit(items[at]), leading));
        hash
    })
}

fn push(hash: u64, item: u32) -> u64 {
    let sum = times(hash, BASE) + digit(item);
    if sum >= MODULUS { sum - MODULUS } else { sum }
}

/// No item is 0, or leading ones would not count.
fn digit(item: u32) -> u64 {
    u64::from(item) + 1
}

fn times(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let folded = (product & u128::from(MODULUS)) as u64 + (product >> 61) as u64;
    if folded >= MODULUS { folded - MODULUS } else { folded }
}

fn minus(a: u64, b: u64) -> u64 {
    if a >= b { a - b } else { a + MODULUS - b }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_too_short_has_none() {
        assert_eq!(hashes(&[], 4).len(), 0);
        assert_eq!(hashes(&[1, 2, 3], 4).len(), 0);
        assert_eq!(hashes(&[1, 2, 3, 4], 4).len(), 1);
    }

    proptest! {
        #[test]
        fn equal_n_grams_have_equal_hashes(items in prop::collection::vec(0..3_u32, 0..60), n in 1..9_usize) {
            let windows: Vec<&[u32]> = items.windows(n).collect();
            let hashes: Vec<u64> = hashes(&items, n).collect();
            prop_assert_eq!(hashes.len(), windows.len());
            for (i, a) in windows.iter().enumerate() {
                for (j, b) in windows.iter().enumerate() {
                    prop_assert_eq!(a == b, hashes[i] == hashes[j]);
                }
            }
        }
    }
}
