//! Compares two texts: whether they are the same, and where they part.
//!
//! A text is what was generated, thought and answer, and why it ended. Owns this
//! one comparison; which texts belong beside each other is `comparison`'s affair.

use serde::Serialize;

use crate::domain::{Generation, Stop};

/// Two texts beside each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    Identical,
    Parted(Parting),
}

/// How much two texts have in common before they part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parting {
    pub after: usize,
    pub unit: Unit,
}

/// What a common beginning is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Unit {
    /// Where the ids of both texts' tokens are known.
    Tokens,
    /// Unicode characters, where a server gives text only.
    Characters,
}

/// Compares two texts: by their tokens where both have them, else by thought and answer.
///
/// Texts that say the same and ended for different reasons are not the same: one would have
/// gone on. They part after all that they say. A reason that is not told contradicts none.
pub fn likeness(a: &Generation, b: &Generation) -> Likeness {
    let by_characters = parting(said(a), said(b), Unit::Characters);
    let by_tokens = match (&a.tokens, &b.tokens) {
        (Some(a), Some(b)) => Some(parting(a.iter(), b.iter(), Unit::Tokens)),
        _ => None,
    };
    let first = match by_tokens {
        Some((Difference::None, after)) if by_characters.0 == Difference::None => (Difference::None, after),
        Some((Difference::Found, after)) => (Difference::Found, after),
        // No tokens; or the same ids for different texts, so ids of two vocabularies, which say nothing.
        _ => by_characters,
    };
    match first {
        (Difference::None, _) if same_end(a.stop, b.stop) => Likeness::Identical,
        (_, parting) => Likeness::Parted(parting),
    }
}

/// Whether two reasons may be one.
fn same_end(a: Stop, b: Stop) -> bool {
    a == b || a == Stop::Unknown || b == Stop::Unknown
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Difference {
    None,
    Found,
}

/// The characters of a text in the order in which they were generated, those of the thought marked.
fn said(generation: &Generation) -> impl Iterator<Item = (bool, char)> {
    let thought = generation.thought.as_deref().unwrap_or_default();
    thought.chars().map(|c| (true, c)).chain(generation.text.chars().map(|c| (false, c)))
}

/// Whether two sequences differ, and how many items they begin with in common.
fn parting<T: PartialEq>(
    mut a: impl Iterator<Item = T>,
    mut b: impl Iterator<Item = T>,
    unit: Unit,
) -> (Difference, Parting) {
    let mut after = 0;
    loop {
        match (a.next(), b.next()) {
            (None, None) => return (Difference::None, Parting { after, unit }),
            (a, b) if a == b => after += 1,
            _ => return (Difference::Found, Parting { after, unit }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Token;

    fn of_tokens(tokens: &[Token], stop: Stop) -> Generation {
        let text: String = tokens.iter().map(|token| format!("{token} ")).collect();
        Generation::of_tokens(1, tokens.to_vec(), text, stop)
    }

    fn of_text(text: &str, stop: Stop) -> Generation {
        Generation { tokens: None, ..Generation::of_tokens(1, vec![], text.to_owned(), stop) }
    }

    fn with_thought(thought: &str, text: &str) -> Generation {
        Generation { thought: Some(thought.to_owned()), ..of_text(text, Stop::Eos) }
    }

    fn parted(after: usize, unit: Unit) -> Likeness {
        Likeness::Parted(Parting { after, unit })
    }

    #[test]
    fn tokens_are_counted_where_both_have_them() {
        let (short, long) = (of_tokens(&[7; 12], Stop::MaxTokens), of_tokens(&[7; 20], Stop::MaxTokens));
        assert_eq!(likeness(&short, &long), parted(12, Unit::Tokens));
        assert_eq!(likeness(&of_tokens(&[1, 2], Stop::Eos), &of_tokens(&[1, 3], Stop::Eos)), parted(1, Unit::Tokens));
        assert_eq!(likeness(&short, &of_text("7 7 x", Stop::Eos)), parted(4, Unit::Characters));
    }

    #[test]
    fn texts_without_tokens_are_compared() {
        assert_eq!(likeness(&of_text("äb", Stop::Eos), &of_text("äc", Stop::Eos)), parted(1, Unit::Characters));
        assert_eq!(likeness(&of_text("äb", Stop::Eos), &of_text("äb", Stop::Eos)), Likeness::Identical);
    }

    #[test]
    fn a_thought_is_part_of_the_text() {
        let a = with_thought("wait", "Paris.");
        assert_eq!(likeness(&a, &with_thought("wait", "Paris.")), Likeness::Identical);
        assert_eq!(likeness(&a, &with_thought("well", "Paris.")), parted(1, Unit::Characters));
        assert_eq!(likeness(&a, &with_thought("wait", "Paris!")), parted(9, Unit::Characters));
        // The same characters, but the thought ends elsewhere.
        assert_eq!(likeness(&a, &with_thought("waitP", "aris.")), parted(4, Unit::Characters));
        assert_eq!(likeness(&with_thought("", "Paris."), &of_text("Paris.", Stop::Eos)), Likeness::Identical);
    }

    #[test]
    fn texts_that_ended_for_different_reasons_are_not_the_same() {
        let tokens = |stop| of_tokens(&[1, 2, 3], stop);
        assert_eq!(likeness(&tokens(Stop::Cut), &tokens(Stop::MaxTokens)), parted(3, Unit::Tokens));
        assert_eq!(likeness(&tokens(Stop::Eos), &tokens(Stop::MaxTokens)), parted(3, Unit::Tokens));
        assert_eq!(likeness(&of_text("ab", Stop::Cut), &of_text("ab", Stop::Eos)), parted(2, Unit::Characters));
        assert_eq!(likeness(&of_text("ab", Stop::Unknown), &of_text("ab", Stop::Eos)), Likeness::Identical);
    }

    #[test]
    fn ids_of_two_vocabularies_prove_nothing() {
        let other = Generation { text: "one two".to_owned(), ..of_tokens(&[1, 2], Stop::Eos) };
        assert_eq!(likeness(&of_tokens(&[1, 2], Stop::Eos), &other), parted(0, Unit::Characters));
    }

    fn any_stop() -> impl Strategy<Value = Stop> {
        prop_oneof![
            Just(Stop::Eos),
            Just(Stop::MaxTokens),
            Just(Stop::Grammar),
            Just(Stop::Cut),
            Just(Stop::Repetition),
            Just(Stop::Unknown)
        ]
    }

    fn any_generation() -> impl Strategy<Value = Generation> {
        let tokens = proptest::option::of(proptest::collection::vec(0..3, 0..6));
        (tokens, proptest::option::of("[ab]{0,3}"), "[ab]{0,4}", any_stop())
            .prop_map(|(tokens, thought, text, stop)| Generation { tokens, thought, ..of_text(&text, stop) })
    }

    proptest! {
        #[test]
        fn a_text_is_identical_to_itself(a in any_generation()) {
            prop_assert_eq!(likeness(&a, &a), Likeness::Identical);
        }

        #[test]
        fn the_order_of_the_two_changes_nothing(a in any_generation(), b in any_generation()) {
            prop_assert_eq!(likeness(&a, &b), likeness(&b, &a));
        }

        #[test]
        fn identical_texts_say_the_same(a in any_generation(), b in any_generation()) {
            if likeness(&a, &b) == Likeness::Identical {
                prop_assert_eq!(&a.text, &b.text);
                prop_assert_eq!(a.thought.clone().unwrap_or_default(), b.thought.clone().unwrap_or_default());
                prop_assert!(a.tokens == b.tokens || a.tokens.is_none() || b.tokens.is_none());
            }
        }

        #[test]
        fn texts_part_where_one_was_changed(common in proptest::collection::vec(0..9, 0..20), ends: (Vec<i32>, Vec<i32>)) {
            let [a, b] = [(0, ends.0), (1, ends.1)].map(|(first, rest)| [&common[..], &[first], &rest[..]].concat());
            let parted_tokens = likeness(&of_tokens(&a, Stop::Eos), &of_tokens(&b, Stop::Eos));
            prop_assert_eq!(parted_tokens, parted(common.len(), Unit::Tokens));
            let text = |tokens: &[i32]| tokens.iter().map(|token| char::from_u32(0x4e00 + token.rem_euclid(999) as u32).unwrap()).collect::<String>();
            let parted_text = likeness(&of_text(&text(&a), Stop::Eos), &of_text(&text(&b), Stop::Eos));
            prop_assert_eq!(parted_text, parted(common.len(), Unit::Characters));
        }

        #[test]
        fn a_text_cut_short_parts_where_it_was_cut(tokens in proptest::collection::vec(0..3, 1..30), cut: prop::sample::Index) {
            let cut = cut.index(tokens.len());
            let (short, long) = (of_tokens(&tokens[..cut], Stop::MaxTokens), of_tokens(&tokens, Stop::MaxTokens));
            prop_assert_eq!(likeness(&short, &long), parted(cut, Unit::Tokens));
        }
    }
}
