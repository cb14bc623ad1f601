//! Has `top_p`: the fewest most probable tokens that make up `p`.

use super::mass;
use super::scan::{self, Candidate};

/// llama.cpp's `top_p` and its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TopP {
    pub p: f32,
    pub min_keep: usize,
}

impl TopP {
    /// How many of the `sorted` candidates are kept; None if the sum does not
    /// get to `p` among them. `sum` is what their terms are divided by.
    fn cut(self, sorted: &[Candidate], max: f32, sum: f32) -> Option<usize> {
        let mut reached = 0.0f32;
        let last = (1..).zip(sorted).find(|(kept, candidate)| {
            reached += (candidate.logit - max).exp() / sum;
            reached >= self.p && *kept >= self.min_keep
        });
        last.map(|(kept, _)| kept)
    }

    /// Of a whole vocabulary: the nucleus, sorted, or its first `at_most`.
    /// `max` is finite, and no logit is NaN.
    ///
    /// llama.cpp divides by a sum in the vocabulary's order and then adds up in
    /// the sorted order, so that only the head need be sorted.
    pub fn of_vocabulary(self, logits: &[f32], max: f32, at_most: Option<usize>) -> Vec<Candidate> {
        let sum = mass::softmax_sum(logits, max);
        let most = at_most.unwrap_or(logits.len()).min(logits.len());
        let mut k = 256.min(most);
        loop {
            let mut head = scan::largest(logits, k);
            match self.cut(&head, max, sum) {
                Some(kept) => {
                    head.truncate(kept);
                    return head;
                }
                None if k == most => return head,
                None => k = (16 * k).min(most),
            }
        }
    }

    /// Of a list: `sorted` tells whether it is, which decides in what order
    /// llama.cpp adds up the divisor. Sorts it otherwise.
    pub fn of_list(self, candidates: &mut Vec<Candidate>, sorted: bool) {
        let max = if sorted { candidates[0].logit } else { max(candidates) };
        let sum = candidates.iter().fold(0.0, |sum, candidate| sum + (candidate.logit - max).exp());
        if !sorted {
            scan::sort(candidates);
        }
        if let Some(kept) = self.cut(candidates, max, sum) {
            candidates.truncate(kept);
        }
    }
}

/// The largest logit of a list, as llama.cpp's softmax finds it.
pub fn max(candidates: &[Candidate]) -> f32 {
    candidates
        .iter()
        .fold(candidates[0].logit, |max, candidate| if max < candidate.logit { candidate.logit } else { max })
}
