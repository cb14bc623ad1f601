//! Makes a failure fit to be shown: every word of it is neutralised, and no more problems are listed than are read.
//!
//! The excerpts of files are neutralised where they are cut out (`experiment::excerpt`), for here their places
//! could no longer be moved along.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, MietteHandler, MietteHandlerOpts, ReportHandler as _, SourceCode};
use textwrap::{WordSeparator, WordSplitter};

use super::legible;

/// How many problems of one file are told at once.
const MOST_PROBLEMS: usize = 20;

/// A failure as the text that a person gets. Where it lists problems and says nothing itself but of what, that is a line
/// above them, and no failure of its own.
pub fn rendered(failure: &dyn Diagnostic) -> String {
    let mut whole = Legible::of(failure);
    let problems = std::mem::take(&mut whole.related);
    let says_no_more = whole.cause.is_none() && whole.help().is_none() && whole.labels().is_none();
    let head = match (problems.is_empty(), says_no_more) {
        (false, true) => format!("{}:\n", whole.message),
        _ => drawn(whole),
    };
    head + &problems
        .into_iter()
        .map(|problem| format!("\n{}", drawn(problem).trim_start_matches('\n')))
        .collect::<String>()
}

fn drawn(failure: Legible<'_>) -> String {
    struct Shown<'a>(MietteHandler, Legible<'a>);
    impl fmt::Debug for Shown<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.debug(&self.1, f)
        }
    }
    format!("{:?}", Shown(handler(), failure))
}

/// Lines are broken at spaces only: a path must be fit to be copied.
fn handler() -> MietteHandler {
    MietteHandlerOpts::new()
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .build()
}

#[derive(Debug)]
struct Legible<'a> {
    inner: &'a dyn Diagnostic,
    message: String,
    cause: Option<Cause>,
    related: Vec<Legible<'a>>,
}

/// What an error names as its source.
#[derive(Debug)]
struct Cause {
    message: String,
    cause: Option<Box<Cause>>,
}

impl<'a> Legible<'a> {
    fn of(inner: &'a dyn Diagnostic) -> Self {
        let mut message = inner.to_string();
        let mut problems = inner.related().into_iter().flatten();
        let related = problems.by_ref().take(MOST_PROBLEMS).map(Self::of).collect();
        if problems.next().is_some() {
            message += &format!(": its first {MOST_PROBLEMS} problems");
        }
        Self { inner, message: legible(&message).into_owned(), cause: inner.source().map(Cause::of), related }
    }
}

impl Cause {
    fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        Self { message: legible(&error.to_string()).into_owned(), cause: error.source().map(Self::of).map(Box::new) }
    }
}

impl fmt::Display for Legible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

impl std::error::Error for Legible<'_> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

impl Diagnostic for Legible<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.inner.code()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.inner.help()?.to_string();
        Some(Box::new(legible(&help).into_owned()))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.inner.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.inner.labels()
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.related.iter().map(|problem| problem as _)))
    }
}

#[cfg(test)]
mod tests {
    use miette::miette;

    use super::rendered;

    #[test]
    fn what_lists_problems_is_one_line_above_them() {
        #[derive(Debug, thiserror::Error, miette::Diagnostic)]
        #[error("cannot use x.toml")]
        struct List {
            #[related]
            related: Vec<miette::Report>,
        }
        let list = List { related: vec![miette!(help = "add it", "a key is missing"), miette!("another one")] };
        let shown = rendered(&list);
        assert_eq!(shown, "cannot use x.toml:\n\n  × a key is missing\n  help: add it\n\n  × another one\n");
    }

    #[test]
    fn no_part_of_a_failure_reaches_the_terminal_as_a_command() {
        #[derive(Debug, thiserror::Error, miette::Diagnostic)]
        #[error("outer \u{1b}]0;pwned\u{7}")]
        #[diagnostic(help("help \u{9b}2J"))]
        struct Outer {
            source: std::io::Error,
            #[related]
            related: Vec<miette::Report>,
        }
        let problem = || miette!(help = "do \u{202e}not", "problem \u{1b}[2J");
        let failure =
            Outer { source: std::io::Error::other("cause \u{1b}[31m"), related: (0..30).map(|_| problem()).collect() };
        let shown = rendered(&failure);
        for raw in ['\u{7}', '\u{9b}', '\u{202e}'] {
            assert!(!shown.contains(raw), "{shown}");
        }
        for told in [r"outer \u{1b}]0;pwned\u{7}: its first 20 problems", r"cause \u{1b}[31m", r"help \u{9b}2J"] {
            assert!(shown.contains(told), "{told}: {shown}");
        }
        assert_eq!(shown.matches(r"problem \u{1b}[2J").count(), 20, "{shown}");
    }
}
