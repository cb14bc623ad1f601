//! Joins half characters: JSON may escape a character beyond U+FFFF as two halves (surrogates), and a server that sends
//! a token a piece may send each half in a piece of its own.
//!
//! Pure. serde_json refuses a half that stands alone. Here it travels as a stand-in, one of the
//! last private characters of Unicode, until all of the text is there: then the halves that
//! belong together are joined, and one that is alone is marked with U+FFFD, like any other half
//! character.

use std::borrow::Cow;

/// What a half is shifted by: U+D800 becomes U+10F800, and U+DFFF the last character of all.
const SHIFT: u32 = 0x10_F800 - 0xD800;

/// JSON in which each half that stands alone is a stand-in; borrowed where there is none.
pub fn with_stand_ins(json: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = json[at..].find('\\') {
        let escape = at + found;
        at = match half(json, escape) {
            // A backslash and what it escapes.
            None => (escape + 2..=json.len()).find(|&at| json.is_char_boundary(at)).unwrap_or(json.len()),
            Some(high) if is_high(high) && half(json, escape + 6).is_some_and(is_low) => escape + 12,
            Some(alone) => {
                out += &json[copied..escape];
                out.extend(char::from_u32(u32::from(alone) + SHIFT));
                copied = escape + 6;
                copied
            }
        };
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    out += &json[copied..];
    Cow::Owned(out)
}

/// The text with its stand-ins joined, or marked as half characters.
pub fn joined(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let Some(half) = stood_for(character) else {
            out.push(character);
            continue;
        };
        let low = characters.peek().copied().and_then(stood_for).filter(|&low| is_high(half) && is_low(low));
        if low.is_some() {
            characters.next();
        }
        let units = [Some(half), low].into_iter().flatten();
        out.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
    }
    out
}

/// The half that is escaped at `at`, if one is.
fn half(json: &str, at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
    let unit = u16::from_str_radix(digits, 16).ok()?;
    (is_high(unit) || is_low(unit)).then_some(unit)
}

fn stood_for(character: char) -> Option<u16> {
    let unit = u32::from(character).checked_sub(SHIFT)?;
    u16::try_from(unit).ok().filter(|&unit| is_high(unit) || is_low(unit))
}

fn is_high(unit: u16) -> bool {
    (0xD800..0xDC00).contains(&unit)
}

fn is_low(unit: u16) -> bool {
    (0xDC00..0xE000).contains(&unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a text is after its way through JSON.
    fn read(json: &str) -> String {
        joined(&serde_json::from_str::<String>(&with_stand_ins(json)).unwrap())
    }

    #[test]
    fn whole_characters_are_left_alone() {
        for json in [r#""a \ud83d\ude00 b""#, r#""\\ud83d""#, r#""größer \"更大\" \\""#, r#""\n\u00e9\uffff""#] {
            assert!(matches!(with_stand_ins(json), Cow::Borrowed(_)), "{json}");
        }
        assert_eq!(read(r#""\\ud83d\\""#), r"\ud83d\");
    }

    #[test]
    fn a_half_alone_is_marked() {
        assert_eq!(read(r#""a\ud83d""#), "a\u{FFFD}");
        assert_eq!(read(r#""\ude00é""#), "\u{FFFD}é");
        assert_eq!(read(r#""\ud83d\ud83d\ude00\ude00""#), "\u{FFFD}😀\u{FFFD}");
        assert_eq!(read(r#""\ud83d\\ude00""#), "\u{FFFD}\\ude00");
    }

    #[test]
    fn halves_of_two_pieces_are_joined() {
        let pieces = [r#"" smile \uD83D""#, r#""\uDE00 done""#];
        let text: String =
            pieces.iter().map(|piece| serde_json::from_str::<String>(&with_stand_ins(piece)).unwrap()).collect();
        assert_eq!(joined(&text), " smile 😀 done");
    }

    #[test]
    fn json_that_ends_too_early_is_no_panic() {
        for json in ["\"\\", "\"\\u", "\"\\ud8", "\\é", "\"\\ud83d\\u", "\"\\ud83d\\é"] {
            let _ = with_stand_ins(json);
        }
    }
}
