//! Makes text of lines: for a width, with colours or without.
//!
//! Whatever was put into a line, no control character gets through but the colours that are added here.

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr as _;

use super::fold::{column, folded};
use super::{Column, Line, Lines, Tone};
use crate::plain::neutralise_lines;

/// Columns of the longest bar.
const BAR: usize = 30;
/// Columns of one of two texts that stand side by side, at most.
const COLUMN: usize = 48;
/// Columns before each of them.
const GAP: usize = 2;
/// From these shares on a bar is yellow, and red.
const SOME: f64 = 0.1;
const MUCH: f64 = 0.3;

/// How lines become text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// In columns.
    pub width: usize,
    pub colours: Colours,
}

impl Layout {
    /// For a file of text.
    pub const FILE: Self = Self { width: 80, colours: Colours::None };
}

/// Whether escape sequences are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    Ansi,
    None,
}

impl Lines {
    /// The text, each row ended.
    pub fn laid_out(&self, layout: Layout) -> String {
        let mut out = String::new();
        for line in &self.0 {
            line.lay_out(layout, &mut out);
        }
        out
    }
}

impl Line {
    fn lay_out(&self, Layout { width, colours }: Layout, out: &mut String) {
        let mut push = |row: &str| *out += &format!("{}\n", row.trim_end());
        match self {
            Self::Folded { head, of_head, text, of_text } => {
                for (place, row) in folded(&safe(head), &safe(text), width).iter().enumerate() {
                    let row = safe(row);
                    let at = if place == 0 { head.len().min(row.len()) } else { 0 };
                    let (head, text) = row.split_at(row.floor_char_boundary(at));
                    push(&format!("{}{}", colours.painted(*of_head, head), colours.painted(*of_text, text)));
                }
            }
            Self::Whole(text) => push(&safe(text)),
            Self::Bar { label, share } => {
                let room = width.saturating_sub(label.width()).min(BAR);
                let bar = "█".repeat((share.clamp(0.0, 1.0) * room as f64).round() as usize);
                push(&format!("{}{}", safe(label), colours.painted(of_share(*share), &bar)));
            }
            Self::Beside { texts, n_rows } => {
                let width = (width.saturating_sub(2 * GAP) / 2).min(COLUMN);
                let [left, right] = texts.each_ref().map(|text| text.rows(width, *n_rows));
                for row in 0..left.len().max(right.len()) {
                    let cell = |column: &[String]| column.get(row).map_or(String::new(), |cell| safe(cell));
                    let (left, right) = (cell(&left), cell(&right));
                    let gap = " ".repeat(width.saturating_sub(left.width()) + GAP);
                    push(&format!("{:GAP$}{left}{gap}{right}", ""));
                }
            }
        }
    }
}

impl Column {
    fn rows(&self, width: usize, n_rows: usize) -> Vec<String> {
        let mut rows = column(&safe(&self.head), width);
        let n_rows = rows.len() + n_rows;
        for line in self.text.lines() {
            // Its own columns end before the other's begin.
            rows.extend(column(&safe(line), width.saturating_sub(GAP)));
        }
        if rows.len() > n_rows {
            rows.truncate(n_rows);
            rows.push("…".to_owned());
        }
        rows
    }
}

impl Colours {
    fn painted(self, tone: Tone, text: &str) -> String {
        let words = text.trim_end();
        if self == Self::None || tone == Tone::Plain || words.is_empty() {
            return text.to_owned();
        }
        let style = match tone {
            Tone::Plain => Style::new(),
            Tone::Heading => Style::new().bold(),
            Tone::Yes => AnsiColor::Green.on_default(),
            Tone::No => AnsiColor::Red.on_default(),
            Tone::Open => AnsiColor::Yellow.on_default(),
        };
        format!("{style}{words}{style:#}{}", &text[words.len()..])
    }
}

fn of_share(share: f64) -> Tone {
    match share {
        share if share < SOME => Tone::Yes,
        share if share < MUCH => Tone::Open,
        _ => Tone::No,
    }
}

/// Of one line: what would command a terminal, or a CI that reads it, is seen instead.
fn safe(line: &str) -> String {
    neutralise_lines(line).replace('\n', "\\n")
}
