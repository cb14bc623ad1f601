//! Shows causes of loops as `explain` does: one on a page, or all of them in a list.

use std::fmt::Write as _;

use serde::Serialize;

use crate::causes::{Cause, Page, Thread};

/// Columns of a page.
const WIDTH: usize = 80;
/// Where the text of a page begins, after the word that says what it is.
const INDENT: usize = 7;
/// Columns of the longest id, and of the space after it.
const ID: usize = 21;

/// A cause with its page, in the shape in which `--json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    #[serde(flatten)]
    listed: Listed,
    #[serde(flatten)]
    page: Page,
}

/// A cause in the list of all, in that shape.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    id: &'static str,
    title: &'static str,
    factors: &'static [&'static str],
}

impl From<Cause> for Explained {
    fn from(cause: Cause) -> Self {
        Self { listed: cause.into(), page: cause.page() }
    }
}

impl From<Cause> for Listed {
    fn from(cause: Cause) -> Self {
        Self { id: cause.id(), title: cause.title(), factors: cause.factors() }
    }
}

/// One cause, on a page.
pub fn page(cause: Cause) -> String {
    let Page { what, shows, test, mend, threads } = cause.page();
    let mut text = format!("{}: {}\n\n", cause.id(), cause.title());
    for (head, said) in [("what", what), ("shows", shows), ("test", test), ("mend", mend)] {
        text += &hanging(head, said);
    }
    for (i, Thread { url, says }) in threads.iter().enumerate() {
        // An address is not broken, so that it can be clicked.
        let _ = writeln!(text, "{:<INDENT$}{url}", if i == 0 { "seen" } else { "" });
        text += &hanging("", says);
    }
    text
}

/// All causes, a line each.
pub fn list() -> String {
    let mut text = String::new();
    for cause in Cause::ALL {
        let _ = writeln!(text, "{cause:<ID$}{}", cause.title());
    }
    text + "\nmoe-sweep explain ID says how to recognise one, test it and fix it.\n"
}

/// A text that hangs from its head's column.
fn hanging(head: &str, text: &str) -> String {
    let head = format!("{head:<INDENT$}");
    let indent = " ".repeat(INDENT);
    // Flags and names of chains have hyphens, and are to be copied.
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(&head)
        .subsequent_indent(&indent)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(text, options) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_short_and_fits_a_terminal() {
        for cause in Cause::ALL {
            let page = page(cause);
            let wide: Vec<_> = page.lines().filter(|line| line.chars().count() > WIDTH).collect();
            assert!(wide.is_empty(), "{cause}: {wide:#?}");
            assert!(page.lines().count() <= 16, "{cause} has {} lines:\n{page}", page.lines().count());
        }
    }

    #[test]
    fn pages() {
        insta::assert_snapshot!("page_zero", page(Cause::PenaltyZero));
        insta::assert_snapshot!("page_thinking", page(Cause::Thinking));
    }

    #[test]
    fn the_list_fits_a_terminal() {
        let list = list();
        assert!(list.lines().all(|line| line.chars().count() <= WIDTH), "{list}");
        // The column of titles is not shifted by a long id.
        assert!(Cause::ALL.iter().all(|cause| cause.id().len() < ID), "{list}");
        insta::assert_snapshot!("list", list);
    }
}
