//! Splits words as Python's `str.split()` does, since the finding's script and the published tools split that way.

use super::interner::number_words;

/// The words of a text: the longest stretches without white space.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len()
            && let Some(width) = white_space(text, at)
        {
            at += width;
        }
        let start = at;
        // The middle of a character is never taken for white space.
        while at < bytes.len() && (CLASSES[usize::from(bytes[at])] == Class::Word || white_space(text, at).is_none()) {
            at += 1;
        }
        (start < at).then(|| &text[start..at])
    })
}

/// The length in bytes of the white space at a place, if there is any.
fn white_space(text: &str, at: usize) -> Option<usize> {
    match CLASSES[usize::from(text.as_bytes()[at])] {
        Class::Word => None,
        Class::Space => Some(1),
        Class::Unsure => {
            let c = text[at..].chars().next()?;
            is_white_space(c).then(|| c.len_utf8())
        }
    }
}

/// What a byte can be part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Word,
    Space,
    /// The first byte of a character that may be white space.
    Unsure,
}

/// A table, because a text is mostly read by it.
static CLASSES: [Class; 256] = {
    let mut classes = [Class::Word; 256];
    let mut byte = 0;
    while byte < 256 {
        // All white space beyond ASCII begins with one of these: U+0085 and U+00A0;
        // U+1680; U+2000 to U+205F; U+3000.
        classes[byte] = match byte as u8 {
            b'\t'..=b'\r' | 0x1c..=b' ' => Class::Space,
            0xc2 | 0xe1..=0xe3 => Class::Unsure,
            _ => Class::Word,
        };
        byte += 1;
    }
    classes
};

/// The words of a text, each replaced by the number of the first word equal to
/// it, so that n-grams of words are compared without touching the text again.
pub fn word_ids(text: &str) -> Vec<u32> {
    number_words(words(text))
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
