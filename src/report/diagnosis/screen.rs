//! The first screen: what is said, in plain text at 80 columns.

use std::fmt::Write as _;

use super::said::{Line, said};
use super::shown::Shown;
use crate::plain::neutralise;

const WIDTH: usize = 80;
/// Where the text stands, right of the head of a line.
const INDENT: usize = 13;

pub fn screen(shown: &Shown<'_>) -> String {
    let mut out = String::new();
    for block in said(shown, WIDTH - INDENT - 2) {
        for (place, line) in block.lines.iter().enumerate() {
            let head = if place == 0 { block.head } else { "" };
            match line {
                Line::Text(text) => {
                    let (first, indent) = (format!("{head:<INDENT$}"), " ".repeat(INDENT));
                    let options = textwrap::Options::new(WIDTH).initial_indent(&first).subsequent_indent(&indent);
                    let _ = writeln!(out, "{}", textwrap::fill(&neutralise(text), options));
                }
                // It is not folded.
                Line::Paste { runtime, line } => {
                    let _ = writeln!(out, "{head:<INDENT$}{runtime:<13}{}", neutralise(line));
                }
            }
        }
    }
    out
}
