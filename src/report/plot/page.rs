//! Lays out a figure's page: title, subtitle, legend, a grid of panels, footer.

use super::canvas::{self, Align, Canvas, Fill, Rect, Type};
use super::font::{self, Weight};
use super::layout::Heading;
use super::palette::{INK, Look, MUTED};
use super::panel::{Edge, Labelled, Panel, TITLE_SPACE, X_LABEL_SPACE, X_TICKS_SPACE};
use super::{Caption, PlotError};

const TITLE: Type = Type { size: 16.0, weight: Weight::Bold, colour: INK, align: Align::Left };
const SUBTITLE: Type = Type { size: 11.5, weight: Weight::Regular, colour: MUTED, align: Align::Left };
const LEGEND: Type = Type { size: 11.5, weight: Weight::Regular, colour: INK, align: Align::Left };
const FOOTER: Type = Type { size: 10.5, weight: Weight::Regular, colour: MUTED, align: Align::Left };

const MARGIN: f64 = 16.0;
/// Room for a panel's ticks; only the leftmost names its axis.
const COLUMN_GAP: f64 = 38.0;
const ROW_GAP: f64 = 14.0;
const LEGEND_LINE: f64 = 19.0;
const LEGEND_SYMBOL: f64 = 30.0;
const LEGEND_GAP: f64 = 20.0;
const SUBTITLE_LINE: f64 = 15.5;
const FOOTER_LINE: f64 = 14.0;
/// Panels side by side are no narrower than this where the page's width is given.
const LEAST_PLOT_WIDTH: f64 = 190.0;

pub struct Page<'a> {
    pub title: &'a str,
    /// What the figure shows, for readers who cannot see it; empty where it isn't said.
    pub shows: &'a str,
    pub subtitle: &'a str,
    pub caption: Caption<'a>,
    /// Empty where the curves are labelled directly.
    pub legend: Vec<(&'a str, Look)>,
    pub panels: Vec<String>,
    pub columns: usize,
    /// What the vertical axes show.
    pub y_label: &'a str,
    /// Where the width is not given.
    pub plot_width: f64,
    pub plot_height: f64,
    /// Room left of the leftmost panels for the vertical axis.
    pub left_space: f64,
    /// Room right of every panel for labels of its own.
    pub right_space: f64,
}

/// Panels in a row, and how wide each plot is.
#[derive(Clone, Copy)]
struct Grid {
    columns: usize,
    plot_width: f64,
}

impl Page<'_> {
    /// Draws the page; `fill` draws the panel of the given index.
    pub fn draw(&self, fill: impl Fn(usize, &Panel<'_, '_>) -> Result<(), PlotError>) -> Result<String, PlotError> {
        let Grid { columns, plot_width } = self.grid();
        let rows = self.panels.len().div_ceil(columns);
        let cell_width = plot_width + self.right_space;
        let cell_height = TITLE_SPACE + self.plot_height + X_TICKS_SPACE;
        let width = 2.0 * MARGIN + self.left_space + columns as f64 * cell_width + (columns - 1) as f64 * COLUMN_GAP;
        let inner = width - 2.0 * MARGIN;

        let layout = self.caption.layout;
        let (subtitle, footer, heading_height) = match layout.heading {
            Heading::Drawn => (font::wrap(self.subtitle, inner, SUBTITLE.size), self.footer(inner), 20.0),
            Heading::LeftOut => (Vec::new(), Vec::new(), 0.0),
        };
        let legend = self.place_legend(inner);
        let legend_height = legend.last().map_or(0.0, |last| last.row as f64 * LEGEND_LINE + LEGEND_LINE);
        let top = MARGIN + heading_height + subtitle.len() as f64 * SUBTITLE_LINE + legend_height + 8.0;
        let grid = rows as f64 * (cell_height + ROW_GAP) + X_LABEL_SPACE;
        let height = top + grid + footer.len() as f64 * FOOTER_LINE + MARGIN - 4.0;

        let parts = [self.title, self.shows].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        let title = format!("{}. {}", parts.join(": "), self.subtitle);
        canvas::draw((width.ceil(), height.ceil()), layout, &title, |canvas| {
            if layout.heading == Heading::Drawn {
                let title = font::fit(self.title, inner, TITLE.size, TITLE.weight);
                canvas.text(&title, (MARGIN, MARGIN + 13.0), TITLE)?;
            }
            lines(canvas, &subtitle, MARGIN + 32.0, SUBTITLE_LINE, SUBTITLE)?;
            let legend_top = MARGIN + 4.0 + heading_height + subtitle.len() as f64 * SUBTITLE_LINE;
            for entry in &legend {
                entry.draw(canvas, legend_top)?;
            }
            for (index, title) in self.panels.iter().enumerate() {
                let (row, column) = (index / columns, index % columns);
                let plot = Rect {
                    left: MARGIN + self.left_space + column as f64 * (cell_width + COLUMN_GAP),
                    top: top + row as f64 * (cell_height + ROW_GAP) + TITLE_SPACE,
                    width: plot_width,
                    height: self.plot_height,
                };
                let below = index + columns < self.panels.len();
                let edge = Edge {
                    x_label: if below { Labelled::No } else { Labelled::Yes },
                    y_label: if column == 0 { Labelled::Yes } else { Labelled::No },
                };
                fill(index, &Panel { canvas, title, plot, edge, y_label: self.y_label })?;
            }
            lines(canvas, &footer, top + grid + 12.0, FOOTER_LINE, FOOTER)
        })
    }

    /// As many panels side by side as fit the width that is given.
    fn grid(&self) -> Grid {
        let most = self.columns.clamp(1, self.panels.len().max(1));
        let Some(limit) = self.caption.layout.limit() else {
            return Grid { columns: most, plot_width: self.plot_width };
        };
        let plot_width = |columns: usize| {
            let gaps = 2.0 * MARGIN + self.left_space + (columns - 1) as f64 * COLUMN_GAP;
            (limit - gaps) / columns as f64 - self.right_space
        };
        let columns = (1..=most).rev().find(|&columns| plot_width(columns) >= LEAST_PLOT_WIDTH).unwrap_or(1);
        Grid { columns, plot_width: plot_width(columns).max(LEAST_PLOT_WIDTH) }
    }

    fn footer(&self, width: f64) -> Vec<String> {
        let note = self.caption.note.map_or(String::new(), |note| format!(". Note: {note}"));
        let footer = format!("Experiment: {}{note}", self.caption.experiment);
        font::wrap(&footer, width, FOOTER.size)
    }

    fn place_legend(&self, width: f64) -> Vec<LegendEntry<'_>> {
        let (mut x, mut row) = (0.0, 0);
        let mut placed = Vec::new();
        for &(name, look) in &self.legend {
            let needs = LEGEND_SYMBOL + font::width(name, LEGEND.size, LEGEND.weight);
            if x > 0.0 && x + needs > width {
                (x, row) = (0.0, row + 1);
            }
            placed.push(LegendEntry { name, look, x, row });
            x += needs + LEGEND_GAP;
        }
        placed
    }
}

struct LegendEntry<'a> {
    name: &'a str,
    look: Look,
    x: f64,
    row: usize,
}

impl LegendEntry<'_> {
    fn draw(&self, canvas: &Canvas<'_>, top: f64) -> Result<(), PlotError> {
        let (x, y) = (MARGIN + self.x, top + self.row as f64 * LEGEND_LINE + 10.0);
        canvas.line(&[(x, y - 4.0), (x + 24.0, y - 4.0)], 1.75, self.look.colour)?;
        canvas.marker((x + 12.0, y - 4.0), 4.0, self.look, Fill::Solid)?;
        canvas.text(self.name, (x + LEGEND_SYMBOL, y), LEGEND)
    }
}

fn lines(canvas: &Canvas<'_>, lines: &[String], top: f64, step: f64, kind: Type) -> Result<(), PlotError> {
    for (index, line) in lines.iter().enumerate() {
        canvas.text(line, (MARGIN, top + index as f64 * step), kind)?;
    }
    Ok(())
}
