//! Draws one panel: a plot area with its axes, in which data find their place.

use super::PlotError;
use super::canvas::{Align, Canvas, Point, Rect, Type};
use super::font::{self, Weight};
use super::palette::{AXIS, GRID, INK, MUTED};

pub const TICK_TYPE: Type = Type { size: 11.0, weight: Weight::Regular, colour: MUTED, align: Align::Centre };
pub const LABEL_TYPE: Type = Type { size: 12.0, weight: Weight::Regular, colour: INK, align: Align::Centre };
pub const TITLE_TYPE: Type = Type { size: 12.0, weight: Weight::Bold, colour: INK, align: Align::Left };

/// Space that a panel's decoration takes around its plot area.
pub const TITLE_SPACE: f64 = 22.0;
pub const Y_AXIS_SPACE: f64 = 50.0;
pub const X_TICKS_SPACE: f64 = 20.0;
pub const X_LABEL_SPACE: f64 = 20.0;

/// Room above 1 and below 0, as a share of the score's range, so that points
/// on the bounds are whole.
const SCORE_MARGIN: f64 = 0.035;
const SCORE_TICKS: [(f64, &str); 6] = [(0.0, "0"), (0.2, "0.2"), (0.4, "0.4"), (0.6, "0.6"), (0.8, "0.8"), (1.0, "1")];

pub struct Panel<'a, 's> {
    pub canvas: &'a Canvas<'s>,
    pub title: &'a str,
    pub plot: Rect,
    pub edge: Edge,
    /// What the vertical axis shows, a share of 0 to 1.
    pub y_label: &'a str,
}

/// Which axes' names a panel carries beside its ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    pub x_label: Labelled,
    pub y_label: Labelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labelled {
    Yes,
    No,
}

/// A tick of the horizontal axis: its place in px, and what it says.
pub struct Tick {
    pub x: f64,
    pub text: String,
}

impl Panel<'_, '_> {
    /// Title, grid, axes and ticks; data are drawn over them.
    pub fn frame(&self, ticks: &[Tick], x_label: &str) -> Result<(), PlotError> {
        let title = font::fit(self.title, self.plot.width, TITLE_TYPE.size, TITLE_TYPE.weight);
        self.canvas.text(&title, (self.plot.left, self.plot.top - 8.0), TITLE_TYPE)?;
        self.score_axis()?;
        self.horizontal_axis(ticks, x_label)
    }

    /// A score's height on the page.
    pub fn y(&self, score: f64) -> f64 {
        let share = (score + SCORE_MARGIN) / (1.0 + 2.0 * SCORE_MARGIN);
        self.plot.bottom() - share * self.plot.height
    }

    /// Words in the middle of a panel that has no data.
    pub fn say(&self, words: &str) -> Result<(), PlotError> {
        let middle: Point = (self.plot.left + self.plot.width / 2.0, self.plot.top + self.plot.height / 2.0);
        self.canvas.text(words, middle, Type { colour: MUTED, ..LABEL_TYPE })
    }

    fn score_axis(&self) -> Result<(), PlotError> {
        for (score, text) in SCORE_TICKS {
            let y = self.y(score);
            self.canvas.line(&[(self.plot.left, y), (self.plot.right(), y)], 0.75, GRID)?;
            self.canvas.text(text, (self.plot.left - 7.0, y + 4.0), TICK_TYPE.aligned(Align::Right))?;
        }
        self.canvas.line(&[(self.plot.left, self.plot.top), (self.plot.left, self.plot.bottom())], 1.0, AXIS)?;
        match self.edge.y_label {
            Labelled::No => Ok(()),
            Labelled::Yes => {
                let at = (self.plot.left - 34.0, self.plot.top + self.plot.height / 2.0);
                self.canvas.text_upwards(self.y_label, at, LABEL_TYPE)
            }
        }
    }

    /// Every tick has its mark; a text that would touch its neighbour's is
    /// left out.
    fn horizontal_axis(&self, ticks: &[Tick], label: &str) -> Result<(), PlotError> {
        let bottom = self.plot.bottom();
        self.canvas.line(&[(self.plot.left, bottom), (self.plot.right(), bottom)], 1.0, AXIS)?;
        let mut free_from = f64::NEG_INFINITY;
        for Tick { x, text } in ticks {
            self.canvas.line(&[(*x, bottom), (*x, bottom + 4.0)], 1.0, AXIS)?;
            let half = font::width(text, TICK_TYPE.size, TICK_TYPE.weight) / 2.0;
            if x - half >= free_from {
                self.canvas.text(text, (*x, bottom + 16.0), TICK_TYPE)?;
                free_from = x + half + 6.0;
            }
        }
        match self.edge.x_label {
            Labelled::No => Ok(()),
            Labelled::Yes => {
                let at = (self.plot.left + self.plot.width / 2.0, bottom + X_TICKS_SPACE + 14.0);
                self.canvas.text(label, at, LABEL_TYPE)
            }
        }
    }
}
