//! Draws how the variation divides: a bar a source, its interval, and the share that chance alone would give it.

use super::canvas::{Align, Type};
use super::font::{self, Weight};
use super::page::Page;
use super::palette::{AXIS, GRID, INK, Look, MUTED};
use super::panel::{LABEL_TYPE, Panel, TICK_TYPE};
use super::{Caption, Figure, PlotError};
use crate::analysis::{Attribution, SourceShare};
use crate::report::plot::canvas::Rect;

/// The name of the figure.
pub const NAME: &str = "attribution";

const SOURCE: Type = Type { size: 11.5, weight: Weight::Regular, colour: INK, align: Align::Right };
const SHARE: Type = Type { size: 11.0, weight: Weight::Regular, colour: INK, align: Align::Left };

const ROW: f64 = 24.0;
const BAR: f64 = 12.0;
/// Room for the sources' names, for the bars and for the shares in figures; less where the width is given.
const NAMES_LIMIT: f64 = 190.0;
const NAMES_LIMIT_NARROW: f64 = 112.0;
const BARS: f64 = 360.0;
const SHARES: f64 = 130.0;
const SHARES_NARROW: f64 = 112.0;

pub fn figure(attribution: &Attribution, caption: Caption<'_>) -> Result<Figure, PlotError> {
    let widest =
        attribution.sources.iter().map(|s| font::width(&s.name, SOURCE.size, SOURCE.weight)).fold(0.0, f64::max);
    let names_limit = caption.layout.choose(NAMES_LIMIT, NAMES_LIMIT_NARROW);
    let names = widest.min(names_limit) + 10.0;
    let shares = caption.layout.choose(SHARES, SHARES_NARROW);
    let page = Page {
        title: "What explains the variation",
        shows: &attribution.sentence,
        subtitle: &subtitle(attribution),
        caption,
        legend: Vec::new(),
        panels: vec![String::new()],
        columns: 1,
        y_label: "",
        plot_width: names + BARS + shares,
        plot_height: ROW * attribution.sources.len() as f64,
        left_space: 0.0,
        right_space: 4.0,
    };
    let svg = page.draw(|_, panel| {
        let bars = panel.plot.width - names - shares;
        let axis = Axis { panel, left: panel.plot.left + names, bars, names_limit };
        axis.draw()?;
        attribution.sources.iter().enumerate().try_for_each(|(row, source)| axis.source(row, source))
    })?;
    Ok(Figure { name: NAME.to_owned(), subject: None, svg })
}

/// Where a share lies across the panel.
struct Axis<'a, 's> {
    panel: &'a Panel<'a, 's>,
    left: f64,
    /// The width of a bar of all.
    bars: f64,
    names_limit: f64,
}

impl Axis<'_, '_> {
    fn x(&self, share: f64) -> f64 {
        self.left + share.clamp(0.0, 1.0) * self.bars
    }

    fn draw(&self) -> Result<(), PlotError> {
        let (canvas, plot) = (self.panel.canvas, self.panel.plot);
        for percent in (0..=100).step_by(20) {
            let x = self.x(f64::from(percent) / 100.0);
            canvas.line(&[(x, plot.top), (x, plot.bottom())], 0.75, if percent == 0 { AXIS } else { GRID })?;
            canvas.text(&percent.to_string(), (x, plot.bottom() + 16.0), TICK_TYPE)?;
        }
        let middle = (self.x(0.5), plot.bottom() + 33.0);
        canvas.text("Share of the sum of squares (%)", middle, LABEL_TYPE)
    }

    fn source(&self, row: usize, source: &SourceShare) -> Result<(), PlotError> {
        let canvas = self.panel.canvas;
        let middle = self.panel.plot.top + (row as f64 + 0.5) * ROW;
        let name = font::fit(&source.name, self.names_limit, SOURCE.size, SOURCE.weight);
        canvas.text(&name, (self.left - 8.0, middle + 4.0), SOURCE)?;
        let (estimate, interval) = (source.share.estimate, source.share.interval);
        let bar = Rect { left: self.left, top: middle - BAR / 2.0, width: self.x(estimate) - self.left, height: BAR };
        canvas.rect(bar, Look::nth(1).colour)?;
        if let Some(interval) = interval {
            let (low, high) = (self.x(interval.low), self.x(interval.high));
            canvas.line(&[(low, middle), (high, middle)], 1.5, INK)?;
            for end in [low, high] {
                canvas.line(&[(end, middle - 4.0), (end, middle + 4.0)], 1.5, INK)?;
            }
        }
        if let Some(chance) = source.chance_share {
            let x = self.x(chance);
            canvas.line(&[(x, middle - BAR / 2.0 - 3.0), (x, middle + BAR / 2.0 + 3.0)], 1.5, MUTED)?;
        }
        let percent = |share: f64| format!("{:.1}", 100.0 * share);
        let limits = interval.map(|of| format!(" [{}, {}]", percent(of.low), percent(of.high)));
        let figures = percent(estimate) + &limits.unwrap_or_default();
        canvas.text(&figures, (self.left + self.bars + 10.0, middle + 4.0), SHARE)
    }
}

fn subtitle(attribution: &Attribution) -> String {
    let left_out = match attribution.n_incomplete_prompts {
        0 => String::new(),
        n => format!("; {n} prompts that lack a cell are excluded"),
    };
    let level = attribution.sources.iter().find_map(|source| Some(source.share.interval?.level));
    let bands = level.map(|level| {
        let percent = (level * 1000.0).round() / 10.0;
        format!(" Black: {percent}\u{a0}% intervals over prompts.")
    });
    format!(
        "Shares of the sum of squares of {} over {} cells and {} prompts, averaged over seeds{left_out}.{} Grey \
         ticks: the share that a source would have by chance alone.",
        attribution.metric.name(),
        attribution.n_cells,
        attribution.n_prompts,
        bands.unwrap_or_default(),
    )
}
