//! Shows causes of loops as `explain` does: one on a page, or all of them in a list.

use serde::Serialize;

use crate::causes::{Cause, Page, Thread};
use crate::screen::{Lines, Tone};

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
pub fn page(cause: Cause) -> Lines {
    let Page { what, shows, test, mend, threads } = cause.page();
    let mut lines = Lines::default();
    lines.heading(&format!("{}: {}", cause.id(), cause.title()));
    lines.blank();
    let head = |head: &str| format!("{head:<INDENT$}");
    for (name, said) in [("what", what), ("shows", shows), ("test", test), ("mend", mend)] {
        lines.toned((&head(name), Tone::Heading), (said, Tone::Plain));
    }
    for (i, Thread { url, says }) in threads.iter().enumerate() {
        let name = if i == 0 { "seen" } else { "" };
        lines.toned((&head(name), Tone::Heading), (url, Tone::Plain));
        lines.text(&head(""), says);
    }
    lines
}

/// All causes, a line each.
pub fn list() -> Lines {
    let mut lines = Lines::default();
    for cause in Cause::ALL {
        lines.text(&format!("{cause:<ID$}"), cause.title());
    }
    lines.blank();
    lines.text("", "moe-sweep explain ID says how one shows, how it is tested, and what to change.");
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::Layout;

    const WIDTH: usize = Layout::FILE.width;

    #[test]
    fn a_page_is_short_and_fits_a_terminal() {
        for cause in Cause::ALL {
            let page = page(cause).laid_out(Layout::FILE);
            let wide: Vec<_> = page.lines().filter(|line| line.chars().count() > WIDTH).collect();
            assert!(wide.is_empty(), "{cause}: {wide:#?}");
            assert!(page.lines().count() <= 16, "{cause} has {} lines:\n{page}", page.lines().count());
        }
    }

    #[test]
    fn pages() {
        insta::assert_snapshot!("page_zero", page(Cause::PenaltyZero).laid_out(Layout::FILE));
        insta::assert_snapshot!("page_thinking", page(Cause::Thinking).laid_out(Layout::FILE));
    }

    #[test]
    fn the_list_fits_a_terminal() {
        let list = list().laid_out(Layout::FILE);
        assert!(list.lines().all(|line| line.chars().count() <= WIDTH), "{list}");
        // The column of titles is not shifted by a long id.
        assert!(Cause::ALL.iter().all(|cause| cause.id().len() < ID), "{list}");
        insta::assert_snapshot!("list", list);
    }
}
