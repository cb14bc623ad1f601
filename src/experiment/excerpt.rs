//! Cuts out the lines of a file around a place and makes them fit to be shown: short, without control characters,
//! numbered as in the file.
//!
//! A file comes from anybody. What it holds must be seen, not obeyed, and one long line must not fill a terminal.

use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::plain::neutralise_lines;

/// Lines shown before and after the place.
const AROUND: usize = 1;
/// Lines of the place itself: a table may have thousands.
const MOST_LINES: usize = 8;
/// What of a line is shown, in bytes.
const LONGEST_LINE_BYTES: usize = 240;

/// A piece of a file, and a place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    name: String,
    text: String,
    /// The line at which `text` begins, counted from 0.
    first_line: usize,
    /// Where the place is in `text`, in bytes.
    pub place: Range<usize>,
}

impl Excerpt {
    /// The lines of `text` around `place`, which is in bytes; a place outside of the text is at its end.
    pub fn of(name: &str, text: &str, place: Range<usize>) -> Self {
        let start = text.floor_char_boundary(place.start.min(text.len()));
        let end = text.floor_char_boundary(place.end.clamp(start, text.len()));
        let line_of = |at: usize| text[..at].matches('\n').count();
        let (from, to) = (line_of(start), line_of(end));
        let first_line = from.saturating_sub(AROUND);
        let last_line = to.min(from + MOST_LINES) + AROUND;

        let mut excerpt = Self { name: name.to_owned(), text: String::new(), first_line, place: 0..0 };
        let mut begins_at = 0;
        for (number, line) in text.split_inclusive('\n').enumerate().take(last_line + 1) {
            if number >= first_line {
                excerpt.push_line(line, begins_at, start..end);
            }
            begins_at += line.len();
        }
        // Behind the last line, where a file ends too early.
        if start >= begins_at {
            excerpt.place = excerpt.text.len()..excerpt.text.len();
        }
        excerpt
    }

    /// Adds a line that begins at `begins_at` of the file, and moves the place along with what is in it.
    fn push_line(&mut self, line: &str, begins_at: usize, place: Range<usize>) {
        let content = line.trim_end_matches(['\n', '\r']);
        let inside =
            |at: usize| at.checked_sub(begins_at).filter(|&at| at < line.len()).map(|at| at.min(content.len()));
        let (start, end) = (inside(place.start), inside(place.end));
        let shown = window(content, start.or(end).unwrap_or(0));
        if shown.start > 0 {
            self.text.push('…');
        }
        let base = self.text.len();
        let at = |at: usize| base + neutralise_lines(&content[shown.start..at.clamp(shown.start, shown.end)]).len();
        if let Some(start) = start {
            self.place = at(start)..at(content.len());
        }
        if let Some(end) = end {
            self.place.end = at(end);
        } else if place.start < begins_at && place.end >= begins_at + line.len() {
            self.place.end = at(content.len());
        }
        self.text.push_str(&neutralise_lines(&content[shown.clone()]));
        if shown.end < content.len() {
            self.text.push('…');
        }
        if line.ends_with('\n') {
            self.text.push('\n');
        }
    }
}

/// What of a line is shown: all, or the part around `at`.
fn window(line: &str, at: usize) -> Range<usize> {
    if line.len() <= LONGEST_LINE_BYTES {
        return 0..line.len();
    }
    let start = at.saturating_sub(LONGEST_LINE_BYTES / 2).min(line.len() - LONGEST_LINE_BYTES);
    line.floor_char_boundary(start)..line.floor_char_boundary(start + LONGEST_LINE_BYTES)
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let found = self.text.read_span(span, context_lines_before, context_lines_after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            found.data(),
            *found.span(),
            found.line() + self.first_line,
            found.column(),
            found.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(excerpt: &Excerpt) -> &str {
        &excerpt.text[excerpt.place.clone()]
    }

    #[test]
    fn an_excerpt_keeps_its_place_and_its_lines() {
        let text = "one\r\ntwo\nthr\u{1b}ee = \u{9b} bad\nfour\nfive\n";
        let at = text.find("bad").unwrap();
        let excerpt = Excerpt::of("f", text, at..at + 3);
        assert_eq!((marked(&excerpt), excerpt.first_line), ("bad", 1));
        assert_eq!(excerpt.text, "two\nthr\\u{1b}ee = \\u{9b} bad\nfour\n");
        let end = Excerpt::of("f", text, text.len()..text.len());
        assert_eq!((marked(&end), end.text.as_str()), ("", "five\n"));
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let text = format!("{}bad{}\nnext\n", "é".repeat(5000), "x".repeat(5000));
        let excerpt = Excerpt::of("f", &text, 10_000..10_003);
        assert_eq!(marked(&excerpt), "bad");
        assert!(excerpt.text.len() < 300 && excerpt.text.starts_with("…é"), "{}", excerpt.text);
    }

    proptest! {
        #[test]
        fn any_place_of_any_text_is_in_its_excerpt(text in "[a\u{1b}é\r\n\t]{0,60}", start in 0_usize..70, length in 0_usize..70) {
            let excerpt = Excerpt::of("f", &text, start..start + length);
            prop_assert!(excerpt.place.start <= excerpt.place.end && excerpt.place.end <= excerpt.text.len());
            prop_assert!(excerpt.text.is_char_boundary(excerpt.place.start) && excerpt.text.is_char_boundary(excerpt.place.end));
            let has_raw = excerpt.text.contains(['\u{1b}', '\r']);
            prop_assert!(!has_raw);
            let span = SourceSpan::from((excerpt.place.start, excerpt.place.len()));
            prop_assert!(excerpt.read_span(&span, 1, 1).is_ok());
        }
    }
}
