//! Looks for exact copies at the end of a text by the rules of others.
//!
//! `tail.rs` has the detector that reports use; these are here so that results
//! can be compared with theirs. They ask, for each period p, how many copies of
//! its last p items a text ends in.

/// How many copies of the last `period` items the sequence ends in, for periods
/// from 1 up to its length; at least 1.
///
/// From the Z-function of the reversed items: the length of the longest match
/// with the beginning, at every place, in linear time (Gusfield 1997,
/// "Algorithms on Strings, Trees, and Sequences", § 1.3).
fn copies_at_end<T: Eq>(items: &[T], longest: usize) -> Vec<usize> {
    let backwards = |index: usize| &items[items.len() - 1 - index];
    let longest = longest.min(items.len());
    let mut matches = vec![0_usize; longest + 1];
    let (mut from, mut to) = (0, 0);
    for at in 1..=longest {
        let mut length = if at < to { matches[at - from].min(to - at) } else { 0 };
        while at + length < items.len() && backwards(length) == backwards(at + length) {
            length += 1;
        }
        matches[at] = length;
        if at + length > to {
            (from, to) = (at, at + length);
        }
    }
    (1..=longest).map(|period| 1 + matches[period] / period).collect()
}

/// Whether a text is a repetition by Holtzman et al. 2020, "The Curious Case of
/// Neural Text Degeneration", as their script has it: of the periods 1 to 90 the
/// one with most copies at the end (the shortest of several) decides, and it says
/// yes for more than one copy of at least three tokens, or more than 50 of fewer.
/// So `paaapaaa` is none, because its three `a` outnumber its two `paaa`. `None`
/// of nothing.
pub fn is_holtzman_repetition<T: Eq>(tokens: &[T]) -> Option<bool> {
    let copies = copies_at_end(tokens, 90);
    let most = *copies.iter().max()?;
    let period = 1 + copies.iter().position(|&copies| copies == most)?;
    Some(most > 1 && (period >= 3 || most > 50))
}

/// Whether vLLM's stop for repetition would hold at the end of the text: some
/// period within the limits, of which the text ends in at least so many copies.
/// `None` of nothing.
pub fn ends_in_copies<T: Eq>(tokens: &[T], rule: CopiesRule) -> Option<bool> {
    if tokens.is_empty() {
        return None;
    }
    let copies = copies_at_end(tokens, rule.longest);
    Some(copies.iter().skip(rule.shortest.saturating_sub(1)).any(|&copies| copies >= rule.copies))
}

/// vLLM's `min_pattern_size`, `max_pattern_size` and `min_count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopiesRule {
    pub shortest: usize,
    pub longest: usize,
    pub copies: usize,
}

impl CopiesRule {
    /// The limits behind [`super::Metric::VllmLoop`]. vLLM leaves them to the
    /// request; these are ours.
    pub const OURS: Self = Self { shortest: 1, longest: 64, copies: 4 };
}

/// Whether Ollama would have ended the text: "token repeat limit reached", when a piece is the
/// same as the one before it more than 30 times in a row, so 32 equal ones (its `llm/server.go`).
/// Ollama compares pieces of text without the white space around them, this takes tokens: two
/// that differ in white space alone are the same there and not here. `None` of nothing.
pub fn has_ollama_repeats<T: Eq>(tokens: &[T]) -> Option<bool> {
    const EQUAL: usize = 32;
    let longest = tokens.chunk_by(|a, b| a == b).map(<[T]>::len).max()?;
    Some(longest >= EQUAL)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ollama_counts_to_thirty_after_the_first_two() {
        let repeats = |n| has_ollama_repeats(&[vec![1], vec![7; n], vec![2, 7]].concat());
        assert_eq!((repeats(31), repeats(32)), (Some(false), Some(true)));
        assert_eq!(has_ollama_repeats::<u8>(&[]), None);
        // Two tokens in turn are none for it.
        assert_eq!(has_ollama_repeats(&[1, 2].repeat(99)), Some(false));
    }

    #[test]
    fn a_multiple_of_the_period_counts_for_vllm() {
        let rule = |longest, shortest, copies| CopiesRule { shortest, longest, copies };
        let cycle = |period: u32, copies: usize| (0..period).collect::<Vec<_>>().repeat(copies);
        let holds = |tokens: &[u32], rule| ends_in_copies(tokens, rule).unwrap();
        assert!(!holds(&cycle(80, 5), CopiesRule::OURS) && holds(&cycle(80, 5), rule(1024, 16, 4)));
        assert!(holds(&cycle(405, 3), rule(1024, 1, 3)) && !holds(&cycle(405, 3), rule(1024, 1, 4)));
        assert!(holds(&vec![7; 64], rule(1024, 16, 4)));
    }

    fn holtzman(text: &str) -> bool {
        is_holtzman_repetition(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_published_ends_of_holtzmans_rule() {
        assert!(!holtzman(&"a".repeat(50)) && holtzman(&"a".repeat(51)));
        assert!(!holtzman(&"ab".repeat(50)) && holtzman(&"ab".repeat(51)));
        assert!(holtzman("xyzxyz"));
        assert!(!holtzman("paaapaaa"));
        let twice = |n: u32| (0..n).chain(0..n).collect::<Vec<_>>();
        assert_eq!(is_holtzman_repetition(&twice(90)), Some(true));
        assert_eq!(is_holtzman_repetition(&twice(91)), Some(false));
        assert_eq!(is_holtzman_repetition::<u8>(&[]), None);
        assert!(!holtzman("a"));
    }

    #[test]
    fn the_published_examples_of_vllms_rule() {
        let rule = CopiesRule { shortest: 2, longest: 3, copies: 3 };
        let holds = |text: &str| ends_in_copies(text.as_bytes(), rule).unwrap();
        assert!(holds("123123123"));
        assert!(!holds("123123"));
        assert!(holds("1234565656"));
        assert!(!holds("123123124"));
        assert!(!holds("111"));
        assert_eq!(ends_in_copies::<u8>(&[], rule), None);
    }

    proptest! {
        #[test]
        fn copies_are_counted_as_defined(items in prop::collection::vec(0..2_u8, 0..40)) {
            let naive = |period: usize| {
                let last = &items[items.len() - period..];
                items.rchunks_exact(period).take_while(|chunk| *chunk == last).count()
            };
            let expected: Vec<usize> = (1..=items.len()).map(naive).collect();
            prop_assert_eq!(copies_at_end(&items, usize::MAX), expected);
        }
    }
}
