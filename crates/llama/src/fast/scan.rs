//! Passes over a whole vocabulary's logits, for their extremes and the k largest.

use crate::Token;

/// A token that is still in the running.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    pub id: Token,
    pub logit: f32,
    /// Another token had the same logit when the list was sorted: which of
    /// them comes first is the standard library's choice, not ours.
    pub tied: bool,
}

/// Numbers compared at once: a few vector registers.
pub const BLOCK: usize = 64;

/// What a pass over all logits must know before it trusts them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extremes {
    /// The largest, NaN aside; -∞ for none.
    pub max: f32,
    pub has_nan: bool,
}

pub fn extremes(logits: &[f32]) -> Extremes {
    const LANES: usize = 16;
    let mut max = [f32::NEG_INFINITY; LANES];
    let mut nan = [0u32; LANES];
    let (blocks, rest) = logits.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            max[lane] = if block[lane] > max[lane] { block[lane] } else { max[lane] };
            nan[lane] |= u32::from(block[lane].is_nan());
        }
    }
    let max = max.iter().chain(rest).fold(f32::NEG_INFINITY, |max, &logit| max.max(logit));
    Extremes { max, has_nan: nan.iter().any(|&nan| nan != 0) || rest.iter().any(|logit| logit.is_nan()) }
}

/// Whether any of a block reaches `threshold`. Without a branch inside, so
/// that the compiler compares many at once.
fn any_at_least(block: &[f32], threshold: f32) -> bool {
    block.iter().fold(false, |any, &logit| any | (logit >= threshold))
}

/// What llama.cpp's `greedy` selects: the first of the largest. A NaN in front
/// stays, for nothing is larger than it.
pub fn first_max(logits: &[f32]) -> Option<usize> {
    let first = *logits.first()?;
    if first.is_nan() {
        return Some(0);
    }
    let max = extremes(logits).max;
    let block = logits.chunks(BLOCK).position(|block| any_at_least(block, max))?;
    let start = block * BLOCK;
    logits[start..].iter().position(|&logit| logit == max).map(|index| start + index)
}

/// The `k` largest, largest first, each marked if it was tied with any other
/// token, cut off or not. No logit may be NaN.
pub fn largest(logits: &[f32], k: usize) -> Vec<Candidate> {
    let k = k.min(logits.len());
    if k == 0 {
        return Vec::new();
    }
    // All that reach the k-th largest so far; thinned out when it is full.
    let mut pool: Vec<Candidate> = Vec::new();
    let mut threshold = f32::NEG_INFINITY;
    let mut full = (4 * k).max(BLOCK);
    for (block, start) in logits.chunks(BLOCK).zip((0..).step_by(BLOCK)) {
        if !any_at_least(block, threshold) {
            continue;
        }
        let reaching = (start..).zip(block).filter(|&(_, &logit)| logit >= threshold);
        pool.extend(reaching.map(|(id, &logit)| Candidate { id, logit, tied: false }));
        if pool.len() >= full {
            threshold = keep_largest(&mut pool, k);
            // What ties with the k-th can't be dropped: make room for it.
            full = full.max(2 * pool.len());
        }
    }
    if pool.len() > k {
        keep_largest(&mut pool, k);
    }
    sort(&mut pool);
    pool.truncate(k);
    pool
}

/// Drops what is below the k-th largest, and returns it.
fn keep_largest(pool: &mut Vec<Candidate>, k: usize) -> f32 {
    let (_, &mut Candidate { logit: threshold, .. }, _) = pool.select_nth_unstable_by(k - 1, descending);
    pool.retain(|candidate| candidate.logit >= threshold);
    threshold
}

/// Sorts by falling logit and marks what is tied. No logit may be NaN.
pub fn sort(candidates: &mut [Candidate]) {
    candidates.sort_unstable_by(descending);
    for index in 1..candidates.len() {
        if candidates[index - 1].logit == candidates[index].logit {
            candidates[index - 1].tied = true;
            candidates[index].tied = true;
        }
    }
}

fn descending(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    // Not total_cmp: 0 and -0 are equal to llama.cpp. The id, so that we at
    // least agree with ourselves.
    b.logit.partial_cmp(&a.logit).expect("no logit is NaN").then(a.id.cmp(&b.id))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with_ties() -> impl Strategy<Value = Vec<f32>> {
        let logit = prop_oneof![
            4 => -20.0f32..20.0,
            4 => (-8i8..8).prop_map(f32::from),
            1 => Just(f32::NEG_INFINITY),
            1 => Just(f32::INFINITY),
        ];
        prop::collection::vec(logit, 1..700)
    }

    proptest! {
        #[test]
        fn the_largest_are_the_head_of_a_full_sort(logits in with_ties(), k in 0usize..300) {
            let mut all: Vec<_> =
                (0..).zip(&logits).map(|(id, &logit)| Candidate { id, logit, tied: false }).collect();
            sort(&mut all);
            all.truncate(k);
            prop_assert_eq!(largest(&logits, k), all);
        }

        #[test]
        fn the_first_maximum_is_found(logits in with_ties()) {
            let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            prop_assert_eq!(extremes(&logits), Extremes { max, has_nan: false });
            prop_assert_eq!(first_max(&logits), logits.iter().position(|&logit| logit == max));
        }
    }

    #[test]
    fn equal_logits_are_all_kept_in_mind() {
        assert!(largest(&vec![1.5; 10_000], 40).iter().all(|candidate| candidate.tied));
    }

    #[test]
    fn nan_is_seen_and_stays_in_front() {
        let mut logits = vec![1.0; 100];
        logits[98] = f32::NAN;
        assert_eq!(extremes(&logits), Extremes { max: 1.0, has_nan: true });
        logits[0] = f32::NAN;
        assert_eq!(first_max(&logits), Some(0));
        assert_eq!(first_max(&[]), None);
    }
}
