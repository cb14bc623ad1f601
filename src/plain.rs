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

/// The same for a text of several lines, which stay lines, and tabs stay tabs.
pub fn neutralise_text(text: &str) -> Cow<'_, str> {
    let is_unsafe = |c| is_unsafe(c) && c != '\n' && c != '\t';
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    neutralise_into(&mut out, text, is_unsafe);
    Cow::Owned(out)
}

/// The same for what is printed: in addition no line is left that GitHub Actions takes for a workflow command.
pub fn neutralise_lines(text: &str) -> Cow<'_, str> {
    let text = neutralise_text(text);
    let is_command = |line: &str| line.trim_start().starts_with("::");
    if !text.contains("##[") && !text.lines().any(is_command) {
        return text;
    }
    let disarmed = |line: &str| if is_command(line) { line.replacen(':', "\\u{3a}", 1) } else { line.to_owned() };
    Cow::Owned(text.replace("##[", "##\\u{5b}").split_inclusive('\n').map(disarmed).collect())
}

/// For Markdown, as one line: nothing in it is markup, a link or a picture.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in neutralise(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// For the data of a workflow command of GitHub Actions, as their toolkit escapes it.
pub fn workflow_data(text: &str) -> String {
    neutralise(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
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

/// Whether a character commands a terminal, or reorders or hides others.
pub fn is_unsafe(c: char) -> bool {
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
