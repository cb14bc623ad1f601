//! The first screen: what is said, for a terminal.

use super::said::{Line, said};
use super::shown::Shown;
use crate::screen::{Lines, Tone};

/// Columns of a quotation.
const QUOTED: usize = 65;
/// Where the text stands, right of the head of a line.
const INDENT: usize = 13;

pub fn screen(shown: &Shown<'_>) -> Lines {
    let mut out = Lines::default();
    for block in said(shown, QUOTED) {
        for (place, line) in block.lines.iter().enumerate() {
            let head = format!("{:<INDENT$}", if place == 0 { block.head } else { "" });
            match line {
                Line::Text(text) => out.toned((&head, Tone::Heading), (text, Tone::Plain)),
                // It is to be copied.
                Line::Paste { runtime, line } => out.whole(&format!("{head}{runtime:<13}{line}")),
            }
        }
    }
    out
}
