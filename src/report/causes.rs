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
    what: &'static str,
    shows: &'static str,
    test: &'static str,
    mend: &'static str,
    threads: Vec<Reported>,
}

/// A cause in the list of all.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    id: &'static str,
    title: &'static str,
    factors: &'static [&'static str],
}

/// A thread that reports it.
#[derive(Clone, Debug, Serialize)]
struct Reported {
    url: &'static str,
    says: &'static str,
}

impl From<Cause> for Explained {
    fn from(cause: Cause) -> Self {
        let Page { what, shows, test, mend, threads } = cause.page();
        let threads = threads.iter().map(|&Thread { url, says }| Reported { url, says }).collect();
        Self { listed: cause.into(), what, shows, test, mend, threads }
    }
}

impl From<Cause> for Listed {
    fn from(cause: Cause) -> Self {
        Self { id: cause.id(), title: cause.title(), factors: cause.factors() }
    }
}

/// One cause, on a page.
pub fn page(Explained { listed, what, shows, test, mend, threads }: &Explained) -> String {
    let Listed { id, title, .. } = listed;
    let mut text = format!("{id}: {title}\n\n");
    for (head, said) in [("what", what), ("shows", shows), ("test", test), ("mend", mend)] {
        text += &hanging(head, said);
    }
    for (i, Reported { url, says }) in threads.iter().enumerate() {
        // An address is not broken, so that it can be clicked.
        let head = if i == 0 { "seen" } else { "" };
        let _ = writeln!(text, "{head:<INDENT$}{url}\n{}", hanging("", says).trim_end());
    }
    text
}

/// All causes, a line each.
pub fn list(causes: &[Listed]) -> String {
    let mut text = String::new();
    for Listed { id, title, .. } in causes {
        let _ = writeln!(text, "{id:<ID$}{title}");
    }
    text + "\nmoe-sweep explain ID says how one shows, how it is tested, and what to change.\n"
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
            let page = page(&cause.into());
            let wide: Vec<_> = page.lines().filter(|line| line.chars().count() > WIDTH).collect();
            assert!(wide.is_empty(), "{cause}: {wide:#?}");
            assert!(page.lines().count() <= 16, "{cause} has {} lines:\n{page}", page.lines().count());
        }
    }

    #[test]
    fn pages() {
        insta::assert_snapshot!("page_zero", page(&Cause::PenaltyZero.into()));
        insta::assert_snapshot!("page_thinking", page(&Cause::Thinking.into()));
    }

    #[test]
    fn the_list_fits_a_terminal() {
        let list = list(&Cause::ALL.map(Listed::from));
        assert!(list.lines().all(|line| line.chars().count() <= WIDTH), "{list}");
        // The column of titles is not shifted by a long id.
        assert!(Cause::ALL.iter().all(|cause| cause.id().len() < ID), "{list}");
        insta::assert_snapshot!("list", list);
    }
}
