//! Estimates how long a model takes to generate, from its [`Anatomy`] and the pace of the machine.
//!
//! Pure. A range, for what decides it is known when the texts are there: how long they are, how much they share, which
//! experts they take. docs/planning.md holds it against runs.

use super::Anatomy;
use crate::hardware::Pace;

/// The share of the tokens asked for that are evaluated where texts share much: 0.48 and 0.50 in the grids of
/// docs/performance.md.
const LEAST_SHARE: f64 = 0.5;
/// What a step takes at most, in products of Q4_K, for slower types, attention, sampling and threads that wait for each
/// other: 3.2 was measured (docs/planning.md).
const MOST_OVERHEAD: f64 = 4.0;

/// What is to be decoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decoding {
    /// Tokens to generate at most, all texts together.
    pub generated_tokens: u64,
    /// Tokens of all prompts, each evaluated once.
    pub prompt_tokens: u64,
    /// Texts decoded together: these share a reading of the weights.
    pub together: u32,
}

/// A time between two bounds, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Span {
    pub least_s: f64,
    pub most_s: f64,
}

impl Span {
    /// Estimates the time of `work`; `None` where the header does not tell how many weights a token meets.
    ///
    /// A step decodes one token of each of `n` texts. It reads the weights that the texts meet: all but the routed experts,
    /// and of these the share 1 − (1 − used / count)^n, as if each token chose at random. It multiplies every active weight
    /// with n tokens' activations. With r = bytes read / bytes a second and m = n × active parameters / products a second,
    /// a step takes
    ///
    /// - at least max(r, m), where reading and multiplying overlap;
    /// - at most 4 × (r + m), where they don't, and types, attention and threads that wait cost three times as much again.
    ///
    /// The tokens are as many as asked for at most, and half of that at least, where texts share beginnings.
    pub fn of(anatomy: &Anatomy, work: Decoding, pace: Pace) -> Option<Self> {
        let active = anatomy.parameters.active? as f64;
        let texts = f64::from(work.together.max(1));
        let untouched = match anatomy.experts.as_ref() {
            None => 0.0,
            Some(experts) => (1.0 - experts.used? as f64 / experts.count.max(1) as f64).clamp(0.0, 1.0).powf(texts),
        };
        let weights = &anatomy.weights;
        let read_bytes = weights.other_bytes as f64 + weights.expert_bytes as f64 * (1.0 - untouched);
        let reading_s = read_bytes / pace.weight_bytes_per_s / texts;
        let multiplying_s = active / pace.products_per_s;
        let tokens = |share: f64| work.generated_tokens as f64 * share + work.prompt_tokens as f64;
        Some(Self {
            least_s: tokens(LEAST_SHARE) * reading_s.max(multiplying_s),
            most_s: tokens(1.0) * (reading_s + multiplying_s) * MOST_OVERHEAD,
        })
    }

    /// One after the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { least_s: self.least_s + other.least_s, most_s: self.most_s + other.most_s }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::ModelShape;

    /// 64 weights in 64 bytes, of which 48 are of 4 experts.
    fn anatomy(experts: u32) -> Anatomy {
        let shape = ModelShape {
            layers: 1,
            embedding: 2,
            heads: 1,
            kv_heads: 1,
            head_width: 2,
            vocabulary: 2,
            feed_forward: 0,
            experts,
            experts_used: experts / 4,
            expert_feed_forward: 2,
            dense_layers: 0,
            sliding_window: None,
            parameters: 64,
            about_bytes: None,
        };
        Anatomy::of_shape(&shape, 64)
    }

    fn span(experts: u32, together: u32, pace: Pace) -> Span {
        let work = Decoding { generated_tokens: 1000, prompt_tokens: 0, together };
        Span::of(&anatomy(experts), work, pace).expect("its active weights are known")
    }

    const READS: Pace = Pace { weight_bytes_per_s: 64.0, products_per_s: f64::INFINITY };
    const MULTIPLIES: Pace = Pace { weight_bytes_per_s: f64::INFINITY, products_per_s: 64.0 };

    #[test]
    fn a_dense_model_alone_reads_its_file_once_a_token() {
        assert_eq!(span(0, 1, READS), Span { least_s: 500.0, most_s: 4000.0 });
        assert_eq!(span(0, 10, READS), Span { least_s: 50.0, most_s: 400.0 }, "ten texts share the reading");
        assert_eq!(span(0, 10, MULTIPLIES), span(0, 1, MULTIPLIES), "and multiply each for itself");
    }

    #[test]
    fn experts_are_read_as_far_as_texts_meet_them() {
        // One expert of four has 12 of the 64 bytes; 16 are no expert's.
        assert_eq!(span(4, 1, READS).least_s, 500.0 * 28.0 / 64.0);
        assert_eq!(span(4, 1, MULTIPLIES).least_s, 500.0 * 28.0 / 64.0);
        let both = span(4, 2, READS).least_s;
        assert!((both - 500.0 / 2.0 * (16.0 + 48.0 * (1.0 - 0.75 * 0.75)) / 64.0).abs() < 1e-9, "{both}");
    }

    #[test]
    fn prompts_are_evaluated_once_however_much_texts_share() {
        let work = Decoding { generated_tokens: 0, prompt_tokens: 1000, together: 1 };
        let span = Span::of(&anatomy(0), work, READS).expect("known");
        assert_eq!(span, Span { least_s: 1000.0, most_s: 4000.0 });
    }

    #[test]
    fn where_the_used_experts_are_not_told_nothing_is_guessed() {
        let mut anatomy = anatomy(4);
        anatomy.experts.as_mut().expect("it has experts").used = None;
        let work = Decoding { generated_tokens: 1, prompt_tokens: 0, together: 1 };
        assert_eq!(Span::of(&anatomy, work, READS), None);
    }
}
