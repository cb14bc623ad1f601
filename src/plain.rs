//! Makes text that a model or a file supplied safe to print.
//!
//! A model can write anything, terminal escape sequences included; what it
//! writes must be seen, not obeyed.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Control characters (tab and line ends too) and characters that reorder or
/// hide others, written as Rust escapes; everything else as it is.
pub fn neutralise(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unsafe(c) => write!(out, "\\u{{{:x}}}", u32::from(c)).expect("a String takes any text"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn is_unsafe(c: char) -> bool {
    // C0 and C1 controls; line and paragraph separators; the marks,
    // embeddings, overrides and isolates of bidirectional text; joiners and
    // spaces of no width; tags; noncharacters that XML does not allow.
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fffe}'..='\u{ffff}'
            | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::neutralise;

    #[test]
    fn escape_sequences_are_shown_not_obeyed() {
        assert_eq!(neutralise("\x1b[31mred\x1b[0m\x07"), r"\u{1b}[31mred\u{1b}[0m\u{7}");
        assert_eq!(neutralise("\u{9b}2J\u{202e}txt\u{200b}\r\n\t"), r"\u{9b}2J\u{202e}txt\u{200b}\r\n\t");
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(neutralise("größer, 更大 – “ok”"), std::borrow::Cow::Borrowed(_)));
    }
}
