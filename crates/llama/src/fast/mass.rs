//! Sums `expf(logit - max)` over a whole vocabulary, in the vocabulary's order and to the last bit as llama.cpp adds it
//! up, without the terms that can't change the sum.
//!
//! A term below half the distance from the sum to the next larger number is
//! rounded away. The largest term is 1, so from there on most of a vocabulary
//! at a low temperature need not be exponentiated.

use super::scan::BLOCK;

/// Below this, `expf` is 0 (the smallest subnormal is e^-103.3).
const UNDERFLOW: f32 = -104.5;
/// What a logit must lie below a limit before its term is skipped: far more
/// than any `expf` is wrong.
const MARGIN: f32 = 0.01;

/// A sum that knows which terms it would round away.
trait Sum: Copy {
    fn add(self, term: f32) -> Self;
    /// Terms of logits below `max + limit` leave the sum as it is.
    fn limit(self) -> f32;
}

/// The limit, given the sum's exponent of two and its significant bits.
fn limit(exponent: i32, bits: i32) -> f32 {
    if exponent < 0 {
        return UNDERFLOW;
    }
    let half_a_step = (exponent - bits) as f32 * std::f32::consts::LN_2;
    (half_a_step - MARGIN).max(UNDERFLOW)
}

impl Sum for f32 {
    fn add(self, term: f32) -> Self {
        self + term
    }

    fn limit(self) -> f32 {
        limit((self.to_bits() >> 23) as i32 - 127, 24)
    }
}

impl Sum for f64 {
    fn add(self, term: f32) -> Self {
        self + f64::from(term)
    }

    fn limit(self) -> f32 {
        limit((self.to_bits() >> 52) as i32 - 1023, 53)
    }
}

/// Goes on with a sum over one block. `max` is finite and the largest logit.
fn add_block<S: Sum>(mut sum: S, block: &[f32], max: f32) -> S {
    let limit = sum.limit();
    // On the differences, which are what is exponentiated: `max + limit` is
    // rounded, by more than the margin where the logits are large.
    if !block.iter().fold(false, |any, &logit| any | (logit - max >= limit)) {
        return sum;
    }
    for &logit in block {
        let difference = logit - max;
        if difference >= limit {
            sum = sum.add(difference.exp());
        }
    }
    sum
}

/// `cum_sum` of `llama_sampler_softmax_impl` over unsorted candidates.
pub fn softmax_sum(logits: &[f32], max: f32) -> f32 {
    logits.chunks(BLOCK).fold(0.0, |sum, block| add_block(sum, block, max))
}

/// The running sums of `llama_sampler_dist_apply`: one after each block.
#[derive(Clone, Debug, PartialEq)]
pub struct RunningSums {
    max: f32,
    after: Vec<f64>,
}

impl RunningSums {
    pub fn new(logits: &[f32], max: f32) -> Self {
        let add = |sum: &mut f64, block: &[f32]| {
            *sum = add_block(*sum, block, max);
            Some(*sum)
        };
        Self { max, after: logits.chunks(BLOCK).scan(0.0, add).collect() }
    }

    /// Where the block begins in which the running sum reaches `drawn` of the
    /// whole, and the sum to reach.
    pub fn block(&self, drawn: f64) -> (usize, f64) {
        let target = self.after.last().map_or(0.0, |whole| whole * drawn);
        (self.after.partition_point(|&sum| sum < target) * BLOCK, target)
    }

    /// The token at which the sum reaches `target`, given its block.
    pub fn within(&self, start: usize, block: &[f32], target: f64) -> Option<usize> {
        let mut sum = (start / BLOCK).checked_sub(1).map_or(0.0, |before| self.after[before]);
        let reached = block.iter().position(|&logit| {
            sum += f64::from((logit - self.max).exp());
            sum >= target
        });
        reached.map(|index| start + index)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The sums as llama.cpp writes them.
    fn plainly(logits: &[f32], max: f32) -> (f32, f64) {
        let terms = logits.iter().map(|logit| (logit - max).exp());
        terms.fold((0.0, 0.0), |(single, double), term| (single + term, double + f64::from(term)))
    }

    fn select(sums: &RunningSums, logits: &[f32], drawn: f64) -> Option<usize> {
        let (start, target) = sums.block(drawn);
        sums.within(start, logits.chunks(BLOCK).nth(start / BLOCK)?, target)
    }

    proptest! {
        #[test]
        fn no_skipped_term_is_missed(
            logits in prop::collection::vec(-10.0f32..10.0, 1..3000),
            scale in prop_oneof![Just(0.01f32), Just(1.0), Just(2.0), Just(5.0), Just(100.0), Just(1e5)],
            drawn in 0.0f64..1.0,
        ) {
            let logits: Vec<_> = logits.iter().map(|logit| logit * scale).collect();
            let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let (single, double) = plainly(&logits, max);
            prop_assert_eq!(softmax_sum(&logits, max).to_bits(), single.to_bits());
            let sums = RunningSums::new(&logits, max);
            prop_assert_eq!(sums.after.last().unwrap().to_bits(), double.to_bits());
            let mut sum = 0.0;
            let selected = logits.iter().position(|logit| {
                sum += f64::from((logit - max).exp());
                sum >= double * drawn
            });
            prop_assert_eq!(select(&sums, &logits, drawn), selected);
        }
    }

    #[test]
    fn a_draw_of_zero_selects_the_first_even_if_it_is_impossible() {
        let logits = [f32::NEG_INFINITY, 0.0];
        assert_eq!(select(&RunningSums::new(&logits, 0.0), &logits, 0.0), Some(0));
    }

    /// Just above and just below half a step: the limit is on the safe side.
    #[test]
    fn limits_are_where_terms_vanish() {
        for sum in [1.0f32, 1.9, 2.0, 700.0] {
            assert_eq!(sum + sum.limit().exp(), sum);
            assert_ne!(sum + (sum.limit() + 2.0 * MARGIN + std::f32::consts::LN_2).exp(), sum);
        }
        for sum in [1.0f64, 1.9, 2.0, 700.0] {
            assert_eq!(sum + f64::from(sum.limit().exp()), sum);
        }
    }
}
