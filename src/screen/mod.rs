//! Holds what a person reads on a terminal, line by line: what is folded and what never is, what is a bar, what stands out.
//!
//! `layout` makes text of it, for a width and with or without colours. Must not know what is said, nor which terminal it
//! goes to.

mod fold;
mod layout;
#[cfg(test)]
mod tests;

pub use fold::unbroken;
pub use layout::{Colours, Layout};

/// Columns by which the further rows of a paragraph are indented.
const HANGING: usize = 2;

/// Lines for a person.
#[derive(Clone, Debug, Default)]
pub struct Lines(Vec<Line>);

#[derive(Clone, Debug)]
enum Line {
    /// Folded at its spaces; its further rows hang below the end of its head.
    Folded { head: String, of_head: Tone, text: String, of_text: Tone },
    /// Never folded: a path, a row of a table.
    Whole(String),
    /// A bar behind its label, as long as its share of 1.
    Bar { label: String, share: f64 },
    /// Two texts side by side, of so many rows at most.
    Beside { texts: [Column; 2], n_rows: usize },
}

/// One of two texts that stand side by side.
#[derive(Clone, Debug)]
pub struct Column {
    pub head: String,
    pub text: String,
}

/// How words stand out. No meaning is in the colour alone: the words say it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    /// Bold.
    Heading,
    /// Green: supported, passed.
    Yes,
    /// Red: refuted, failed.
    No,
    /// Yellow: not decided.
    Open,
}

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volume {
    /// The answer, and errors.
    Quiet,
    #[default]
    Usual,
    /// Also what helps whoever looks after an engine.
    Verbose,
}

impl Lines {
    pub fn blank(&mut self) {
        self.whole("");
    }

    /// What follows is about this.
    pub fn heading(&mut self, text: &str) {
        let text = text.to_owned();
        self.0.push(Line::Folded { head: String::new(), of_head: Tone::Plain, text, of_text: Tone::Heading });
    }

    /// A text that hangs from its head.
    pub fn text(&mut self, head: &str, text: &str) {
        self.toned((head, Tone::Plain), (text, Tone::Plain));
    }

    /// The same, head and text each in a tone.
    pub fn toned(&mut self, (head, of_head): (&str, Tone), (text, of_text): (&str, Tone)) {
        self.0.push(Line::Folded { head: head.to_owned(), of_head, text: text.to_owned(), of_text });
    }

    /// A text of which the first columns are the head.
    pub fn hung(&mut self, columns: usize, text: &str) {
        let (head, text) = match text.char_indices().nth(columns) {
            Some((byte, _)) => text.split_at(byte),
            None => ("", text),
        };
        self.text(head, text);
    }

    /// Paragraphs, a line each, whose further rows are indented a little more.
    pub fn prose(&mut self, text: &str) {
        for line in text.split_terminator('\n') {
            let indent = line.len() - line.trim_start().len();
            self.hung(indent + HANGING, line);
        }
    }

    /// What is never folded.
    pub fn whole(&mut self, text: &str) {
        self.0.push(Line::Whole(text.to_owned()));
    }

    pub fn bar(&mut self, label: &str, share: f64) {
        self.0.push(Line::Bar { label: label.to_owned(), share });
    }

    pub fn beside(&mut self, texts: [Column; 2], n_rows: usize) {
        self.0.push(Line::Beside { texts, n_rows });
    }

    pub fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }
}

/// Text that is laid out already: a table, a page of a manual.
impl<T: AsRef<str> + ?Sized> From<&T> for Lines {
    fn from(text: &T) -> Self {
        Self(text.as_ref().split_terminator('\n').map(|line| Line::Whole(line.to_owned())).collect())
    }
}
