//! Words as Python's `str.split()` sees them, since the finding's script and
//! the published tools split that way.

use foldhash::{HashMap, HashMapExt};

/// The words of a text: the longest stretches without white space.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_white_space).filter(|word| !word.is_empty())
}

/// The words of a text, each replaced by the number of the first word equal to
/// it, so that n-grams of words are compared without touching the text again.
pub fn word_ids(text: &str) -> Vec<u32> {
    let mut ids = HashMap::new();
    words(text)
        .map(|word| {
            let next = u32::try_from(ids.len()).expect("a text holds fewer than 2³² different words");
            *ids.entry(word).or_insert(next)
        })
        .collect()
}

/// Python's `str.isspace`: Unicode's `White_Space` and, by their bidirectional
/// class, the four information separators U+001C to U+001F.
fn is_white_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_what_python_calls_white_space() {
        let split = |text| words(text).collect::<Vec<_>>();
        assert_eq!(split("  a\tb\u{1c}c\u{1f}d\u{85}e\u{a0}f\u{3000}g\r\n"), ["a", "b", "c", "d", "e", "f", "g"]);
        // A zero-width space, a word joiner and a byte order mark are not white space.
        assert_eq!(split("a\u{200b}b\u{2060}c\u{feff}d"), ["a\u{200b}b\u{2060}c\u{feff}d"]);
        assert_eq!(split(" \n\u{2028}"), [""; 0]);
        assert_eq!(split(""), [""; 0]);
    }

    #[test]
    fn equal_words_have_equal_ids() {
        assert_eq!(word_ids("to be or not to be To"), [0, 1, 2, 3, 0, 1, 4]);
    }
}
