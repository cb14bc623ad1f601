//! Ranks values, ties included.

use super::rounded;

/// The rank of each value, 1 for the least; values that are equal to 12 decimals share the mean of
/// their ranks.
pub(super) fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let values: Vec<f64> = values.iter().map(|&value| rounded(value)).collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        for &index in tied {
            ranks[index] = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        }
        before += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_their_ranks() {
        assert_eq!(mid_ranks(&[30.0, 10.0, 20.0]), [3.0, 1.0, 2.0]);
        assert_eq!(mid_ranks(&[2.0, 1.0, 2.0, 2.0]), [3.0, 1.0, 3.0, 3.0]);
        assert_eq!(mid_ranks(&[0.0, -0.0]), [1.5, 1.5]);
        assert_eq!(mid_ranks(&[0.1 + 0.2, 0.3, 0.2]), [2.5, 2.5, 1.0]);
        assert_eq!(mid_ranks(&[]), [0.0; 0]);
    }
}
