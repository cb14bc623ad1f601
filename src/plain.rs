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
    neutralise_into(&mut out, text, is_unsafe);
    Cow::Owned(out)
}

/// The same for a text of several lines, which stay lines, and tabs stay tabs. A line that GitHub Actions
/// would take for a workflow command is none afterwards.
pub fn neutralise_lines(text: &str) -> Cow<'_, str> {
    let is_unsafe = |c| is_unsafe(c) && c != '\n' && c != '\t';
    if !text.contains(is_unsafe) && !text.contains("##[") && !text.lines().any(is_command) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for line in text.split_inclusive('\n') {
        let rest = line.trim_start();
        let indent = &line[..line.len() - rest.len()];
        neutralise_into(&mut out, indent, is_unsafe);
        let rest = if is_command(line) {
            out.push_str("\\u{3a}");
            &rest[1..]
        } else {
            rest
        };
        neutralise_into(&mut out, &rest.replace("##[", "##\\u{5b}"), is_unsafe);
    }
    Cow::Owned(out)
}

/// As the runner of GitHub Actions knows them.
fn is_command(line: &str) -> bool {
    line.trim_start().starts_with("::")
}

fn neutralise_into(out: &mut String, text: &str, is_unsafe: impl Fn(char) -> bool) {
    for c in text.chars() {
        match c {
            c if !is_unsafe(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => write!(out, "\\u{{{:x}}}", u32::from(c)).expect("a String takes any text"),
        }
    }
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
    use super::{neutralise, neutralise_lines};

    #[test]
    fn escape_sequences_are_shown_not_obeyed() {
        assert_eq!(neutralise("\x1b[31mred\x1b[0m\x07"), r"\u{1b}[31mred\u{1b}[0m\u{7}");
        assert_eq!(neutralise("\u{9b}2J\u{202e}txt\u{200b}\r\n\t"), r"\u{9b}2J\u{202e}txt\u{200b}\r\n\t");
    }

    #[test]
    fn lines_stay_lines_and_are_no_commands() {
        assert_eq!(neutralise_lines("a\n\tb\x1b[2J\r\n"), "a\n\tb\\u{1b}[2J\\r\n");
        assert_eq!(neutralise_lines("x\n  ::error::y\nz ##[set]"), "x\n  \\u{3a}:error::y\nz ##\\u{5b}set]");
        assert!(matches!(neutralise_lines("std::fs\n\tand so on: x"), std::borrow::Cow::Borrowed(_)));
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(neutralise("größer, 更大 – “ok”"), std::borrow::Cow::Borrowed(_)));
    }
}
