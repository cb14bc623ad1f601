//! Says when a text counts as one that is stuck in a loop, and when it got out again.

use super::characters::{Characters, Coverage};
use super::tail::{TailCycle, Tails};
use super::together::together;

/// A tail is a loop from so many copies on. The last one may be partial, so this is two whole
/// ones and a third that is begun and, by the lengths below, long enough not to be chance.
const COPIES: usize = 3;
/// What it must cover, in tokens: prose, lists, tables and code end in shorter repeats by themselves.
pub const LEAST_TOKENS: usize = 48;
/// The same of its characters.
pub const LEAST_CHARACTERS: usize = 120;
/// A shorter text that is nothing but copies is no loop by the rule, and not a clean text either:
/// two and a half, for three of "no" without a space at the end are no three whole ones.
const WHOLLY: f64 = 0.9;
const WHOLLY_COPIES: f64 = 2.5;

/// The loop that the tokens end in: at least three copies of a unit, of any length, over at
/// least 48 tokens.
pub fn loop_of_tokens<T: Eq>(tokens: &[T]) -> Option<TailCycle> {
    Tails::of(tokens).longest(COPIES).filter(|tail| tail.length >= LEAST_TOKENS)
}

/// What of a text repeats itself, by its characters.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Looping {
    /// It ends in at least three copies of a unit, of any length, over at least 120 characters;
    /// copies may differ in digits where words repeat with them.
    pub ends_in_loop: bool,
    /// It was in such a loop before its end, and went on with something new.
    pub recovered: bool,
    /// The share of the text that copies after the first one make up, in the loop that it ends
    /// in or wholly consists of; 0 where there is none. What a metric must show to be believed.
    pub repeated_share: f64,
    /// The characters of those copies.
    pub n_repeated_chars: usize,
    /// The first character of the loop that it ends in.
    pub onset: Option<usize>,
}

impl Looping {
    pub fn of(text: &str) -> Self {
        let plain = Characters::of(text);
        Self::of_both(&plain, &Coverage::of(plain.items()), plain.masked().as_ref())
    }

    /// Of a text's characters, and of the same with masked digits where there are any.
    pub(super) fn of_both(plain: &Characters, coverage: &Coverage, masked: Option<&Characters>) -> Self {
        let (of_plain, of_masked) = together(
            plain.items().len(),
            || Self::of_characters(plain, coverage),
            || masked.map(|masked| Self::of_characters(masked, &Coverage::of(masked.items()))),
        );
        of_plain.or(of_masked.unwrap_or_default())
    }

    fn of_characters(characters: &Characters, coverage: &Coverage) -> Self {
        let says_something = |tail: &TailCycle| characters.says_something(*tail);
        let tail = characters.tail(COPIES).filter(says_something).filter(|tail| is_long(characters, *tail));
        let is_whole = |tail: &TailCycle| tail.share() >= WHOLLY && tail.copies() >= WHOLLY_COPIES;
        let whole = characters.tail(2).filter(says_something).filter(is_whole);
        let repeated = tail.or(whole);
        let repeated_share = repeated.map_or(0.0, TailCycle::repeated_share);
        let n_repeated_chars = repeated.map_or(0, |tail| {
            let first = tail.onset + tail.period;
            characters.n_characters(first..tail.onset + tail.length)
        });
        let onset = tail.map(|tail| characters.n_characters(0..tail.onset));
        Self {
            ends_in_loop: tail.is_some(),
            recovered: has_recovered(characters, coverage),
            repeated_share,
            n_repeated_chars,
            onset,
        }
    }

    /// What either finds.
    pub fn or(self, other: Self) -> Self {
        Self {
            ends_in_loop: self.ends_in_loop || other.ends_in_loop,
            recovered: self.recovered || other.recovered,
            repeated_share: self.repeated_share.max(other.repeated_share),
            n_repeated_chars: self.n_repeated_chars.max(other.n_repeated_chars),
            onset: self.onset.into_iter().chain(other.onset).min(),
        }
    }

    /// The same of a text that stands behind so many characters.
    pub fn behind(self, n_characters: usize) -> Self {
        Self { onset: self.onset.map(|onset| n_characters + onset), ..self }
    }
}

fn is_long(characters: &Characters, tail: TailCycle) -> bool {
    characters.n_characters(tail.onset..tail.onset + tail.length) >= LEAST_CHARACTERS
}

/// Whether the text ended in a loop somewhere before its end, at a place where it then wrote
/// something that it had not written before.
///
/// All copies of a loop but the first lie in one stretch of what was written before, which ends
/// where something new begins: so only the ends of stretches are looked at, and of each no more
/// than the loop can cover. Linear, for stretches do not overlap.
fn has_recovered(characters: &Characters, coverage: &Coverage) -> bool {
    let items = characters.items();
    coverage.stretches.iter().filter(|stretch| stretch.end < items.len()).any(|stretch| {
        let before = stretch.len() / (COPIES - 1) + 1;
        let from = stretch.start.saturating_sub(before);
        let tail = Tails::of(&items[from..stretch.end]).longest(COPIES);
        let tail = tail.map(|tail| TailCycle { onset: from + tail.onset, ..tail });
        tail.is_some_and(|tail| characters.says_something(tail) && is_long(characters, tail))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn looping(text: &str) -> Looping {
        Looping::of(text)
    }

    const CLEAN: &str = "In spring the river rises, and the willows on its banks put forth their first pale leaves. ";

    #[test]
    fn any_period_and_any_script_can_loop() {
        let eighty: String = ('\u{4e00}'..='\u{4e4f}').collect();
        let long = format!("{CLEAN}{}", CLEAN.to_uppercase());
        for unit in ["a", ".", "\n", "今天天气很好。", &eighty, &long, "👩‍👩‍👧‍👦", "x=x+1;", "ฉันไปตลาด"]
        {
            let copies = 120 / unit.chars().count() + 3;
            let found = looping(&(CLEAN.to_owned() + &unit.repeat(copies)));
            assert!(found.ends_in_loop && !found.recovered && found.repeated_share > 0.3, "{unit}: {found:?}");
        }
        let rows: String = (0..30).map(|i| format!("row{i:02} ok ")).collect();
        assert!(looping(&rows).ends_in_loop);
    }

    #[test]
    fn two_copies_or_a_short_tail_are_no_loop() {
        assert_eq!(looping(CLEAN), Looping::default());
        assert!(!looping(&CLEAN.repeat(2)).ends_in_loop);
        assert!(!looping(&format!("{CLEAN}{}", "ha ".repeat(39))).ends_in_loop);
        assert!(looping(&format!("{CLEAN}{}", "ha ".repeat(40))).ends_in_loop);
        assert!(!looping(&(0..300).map(|i| format!("{i}, ")).collect::<String>()).ends_in_loop);
    }

    #[test]
    fn a_short_text_of_nothing_but_copies_repeats_and_is_no_loop() {
        let found = looping("no no no ");
        assert!(!found.ends_in_loop && (found.repeated_share - 2.0 / 3.0).abs() < 1e-12);
        assert!(looping("no no no").repeated_share > 0.5 && looping("no no").repeated_share == 0.0);
        assert_eq!(looping("Well, no no no ").repeated_share, 0.0);
    }

    #[test]
    fn tokens_need_48_of_them() {
        let cycle = |period: u32, n: usize| (0..period).cycle().take(n).collect::<Vec<_>>();
        let loops = |tokens: &[u32]| loop_of_tokens(tokens).is_some();
        assert!(loops(&cycle(80, 400)) && loops(&cycle(405, 1215)) && !loops(&cycle(405, 1214)));
        assert!(loops(&cycle(1, 48)) && !loops(&cycle(1, 47)) && !loops(&[]));
    }

    #[test]
    fn a_loop_that_was_left_is_recovered() {
        let left = format!("{CLEAN}{}But then it stopped.", "and on and on ".repeat(12));
        let found = looping(&left);
        assert!(found.recovered && !found.ends_in_loop, "{found:?}");
        let counted = (0..30).map(|i| format!("row{i:02} ok ")).collect::<String>() + "That was all of them.";
        assert!(looping(&counted).recovered);
        assert!(!looping(&format!("{}{CLEAN}", CLEAN.repeat(2))).recovered);
    }

    proptest! {
        /// What the definitions say of any repetition, wherever it stands.
        #[test]
        fn repetitions_are_seen(unit in "\\PC{1,60}", copies in 3..9_usize, head in "\\PC{0,40}", end in "\\PC{0,3}") {
            let unit = unit.replace(|c: char| c.is_ascii_digit(), "d");
            let whole = looping(&unit.repeat(copies));
            prop_assert!(whole.repeated_share >= 2.0 / 3.0 - 1e-9);
            prop_assert_eq!(whole.ends_in_loop, unit.chars().count() * copies >= LEAST_CHARACTERS);
            let tail = looping(&(head.clone() + &unit.repeat(copies)));
            prop_assert!(tail.ends_in_loop >= whole.ends_in_loop);
            let left = looping(&(head + &unit.repeat(copies) + &end + "\u{10ffff}"));
            prop_assert!(left.recovered || !whole.ends_in_loop || end.chars().count() > 0, "{:?}", left);
        }
    }
}
