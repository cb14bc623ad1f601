//! Folds a text at its spaces. A path is one word, and so is a command that [`unbroken`] was asked to keep: both must be fit
//! to be copied. In scripts without spaces a word is folded where Unicode allows it.

use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Stands for a space at which a text is not folded. On a screen it is a space again, which a shell understands.
const UNBROKEN: char = '\u{a0}';

/// A command that stays in one row.
pub fn unbroken(command: &str) -> String {
    command.replace(' ', &UNBROKEN.to_string())
}

/// The rows of a text whose first begins with `head`, while the others hang below its end.
pub fn folded(head: &str, text: &str, width: usize) -> Vec<String> {
    // A head that takes half of the width leaves no room to hang below.
    let indent = " ".repeat(head.width().min(width / 2));
    let options = options(width).break_words(false).initial_indent(head).subsequent_indent(&indent);
    rows(text, &options)
}

/// The rows of somebody else's text, of which a word that is too long is broken.
pub fn column(text: &str, width: usize) -> Vec<String> {
    rows(text, &options(width))
}

fn options<'a>(width: usize) -> Options<'a> {
    Options::new(width).word_separator(WordSeparator::Custom(words)).word_splitter(WordSplitter::NoHyphenation)
}

fn rows(text: &str, options: &Options<'_>) -> Vec<String> {
    let rows = textwrap::wrap(text, options).into_iter();
    rows.map(|row| row.replace(UNBROKEN, " ")).collect()
}

fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    Box::new(WordSeparator::AsciiSpace.find_words(line).flat_map(parts))
}

/// What may be folded of a word: of one in a script without spaces its parts, of any other nothing.
fn parts(word: Word<'_>) -> Vec<Word<'_>> {
    let has_wide = word.word.chars().any(|c| c.width() == Some(2));
    if !has_wide {
        return vec![word];
    }
    let mut parts: Vec<_> = WordSeparator::UnicodeBreakProperties.find_words(word.word).collect();
    if let Some(last) = parts.last_mut() {
        last.whitespace = word.whitespace;
    }
    parts
}
