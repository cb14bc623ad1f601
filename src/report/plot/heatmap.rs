//! Draws the heat map: the mean score of every temperature and chain, a panel a facet, with the interval and n in every
//! cell.

use super::canvas::{Align, Rect, Type};
use super::font::{self, Weight};
use super::page::Page;
use super::palette::{INK, MUTED, PAPER, heat, heat_step};
use super::panel::{LABEL_TYPE, Panel, TICK_TYPE, TITLE_TYPE};
use super::{Caption, Figure, METRIC, PlotError, SCORE_IN_WORDS, intervals_in_words, shows};
use crate::analysis::{Analysis, CellSummary};
use crate::domain::Temperature;
use crate::report::levels::{Arm, Facet, Levels};
use crate::report::tally::Tally;

/// The name of the figure.
pub const NAME: &str = "heatmap";

const MEAN: Type = Type { size: 12.0, weight: Weight::Bold, colour: INK, align: Align::Centre };
const SMALL: Type = Type { size: 9.5, weight: Weight::Regular, colour: INK, align: Align::Centre };
const CHAIN: Type = Type { size: 11.5, weight: Weight::Regular, colour: INK, align: Align::Right };

const CELL_WIDTH: f64 = 62.0;
const CELL_HEIGHT: f64 = 42.0;
/// Where the interval has a line for each of its ends.
const TALL_CELL_HEIGHT: f64 = 52.0;
const CHAIN_LIMIT: f64 = 150.0;
const CHAIN_LIMIT_NARROW: f64 = 78.0;
const GAP: f64 = 1.0;

pub fn figure(analysis: &Analysis, caption: Caption<'_>) -> Result<Figure, PlotError> {
    let levels = Levels::of(analysis);
    let facets = &levels.facets;
    let arms = Arm::all(analysis);
    let widest = levels.chains.iter().map(|chain| font::width(chain, CHAIN.size, CHAIN.weight)).fold(0.0, f64::max);
    let chain_limit = caption.layout.choose(CHAIN_LIMIT, CHAIN_LIMIT_NARROW);
    let names = widest.min(chain_limit) + 10.0;
    let cell_height = caption.layout.choose(CELL_HEIGHT, TALL_CELL_HEIGHT);
    let rows = |facet: Facet<'_>| arms.iter().filter(|arm| arm.facet == facet).count();
    let most_rows = facets.iter().map(|&facet| rows(facet)).max().unwrap_or(1);
    let page = Page {
        title: "Repetition by temperature and chain",
        shows: &shows::extremes(analysis, |_| true),
        subtitle: &subtitle(analysis),
        caption,
        legend: Vec::new(),
        // An empty analysis still has its picture, which says that it is empty.
        panels: if facets.is_empty() { vec![String::new()] } else { facets.iter().map(|f| f.title(facets)).collect() },
        columns: 1,
        y_label: "",
        plot_width: (names + CELL_WIDTH * levels.temperatures.len() as f64).max(420.0),
        plot_height: cell_height * most_rows as f64,
        left_space: 0.0,
        right_space: 4.0,
    };
    let svg = page.draw(|index, panel| {
        let Some(&facet) = facets.get(index) else { return panel.say("no scored trials") };
        let arms: Vec<_> = arms.iter().copied().filter(|arm| arm.facet == facet).collect();
        let room = (panel.plot.width - names) / levels.temperatures.len().max(1) as f64;
        let cell_width = room.min(CELL_WIDTH);
        draw(&Grid { panel, names, cell_width, cell_height, temperatures: &levels.temperatures }, analysis, &arms)
    })?;
    Ok(Figure { name: NAME.to_owned(), subject: None, svg })
}

/// Where the cells of a panel lie.
struct Grid<'a, 's> {
    panel: &'a Panel<'a, 's>,
    /// The width of the chains' names.
    names: f64,
    cell_width: f64,
    cell_height: f64,
    temperatures: &'a [Temperature],
}

impl Grid<'_, '_> {
    fn cell(&self, row: usize, column: usize) -> Rect {
        let plot = self.panel.plot;
        Rect {
            left: plot.left + self.names + column as f64 * self.cell_width,
            top: plot.top + row as f64 * self.cell_height,
            width: self.cell_width - GAP,
            height: self.cell_height - GAP,
        }
    }
}

fn draw(grid: &Grid<'_, '_>, analysis: &Analysis, arms: &[Arm<'_>]) -> Result<(), PlotError> {
    let (canvas, plot) = (grid.panel.canvas, grid.panel.plot);
    let title = font::fit(grid.panel.title, plot.width, TITLE_TYPE.size, TITLE_TYPE.weight);
    canvas.text(&title, (plot.left, plot.top - 8.0), TITLE_TYPE)?;
    for (row, &arm) in arms.iter().enumerate() {
        let first = grid.cell(row, 0);
        let name = font::fit(arm.chain, grid.names - 10.0, CHAIN.size, CHAIN.weight);
        canvas.text(&name, (first.left - 8.0, first.top + grid.cell_height / 2.0 + 3.0), CHAIN)?;
        for (column, &temperature) in grid.temperatures.iter().enumerate() {
            let here = |summary: &&CellSummary| {
                summary.metric == METRIC && summary.cell.temperature() == temperature && Arm::of(&summary.cell) == arm
            };
            draw_cell(grid, grid.cell(row, column), analysis.cells.iter().find(here))?;
        }
    }
    for (column, temperature) in grid.temperatures.iter().enumerate() {
        let cell = grid.cell(arms.len(), column);
        canvas.text(&temperature.to_string(), (cell.left + cell.width / 2.0, cell.top + 12.0), TICK_TYPE)?;
    }
    let middle = grid.names + grid.cell_width * grid.temperatures.len() as f64 / 2.0;
    let below = plot.top + grid.cell_height * arms.len() as f64 + 28.0;
    canvas.text(super::TEMPERATURE_LABEL, (plot.left + middle, below), LABEL_TYPE)
}

/// A cell without a mean is empty but for a dash: nothing is not 0.
fn draw_cell(grid: &Grid<'_, '_>, place: Rect, summary: Option<&CellSummary>) -> Result<(), PlotError> {
    let canvas = grid.panel.canvas;
    let middle = place.left + place.width / 2.0;
    let Some((summary, estimate)) = summary.and_then(|summary| Some((summary, summary.estimate?))) else {
        return canvas.text("–", (middle, place.top + place.height / 2.0 + 4.0), Type { colour: MUTED, ..MEAN });
    };
    canvas.rect(place, heat(heat_step(estimate.mean), PAPER))?;
    canvas.text(&format!("{:.2}", estimate.mean), (middle, place.top + 14.0), MEAN)?;
    let interval = match (estimate.interval, place.height > CELL_HEIGHT) {
        (Some(interval), true) => vec![format!("{:.2}–", interval.low), format!("{:.2}", interval.high)],
        (Some(interval), false) => vec![format!("{:.2}–{:.2}", interval.low, interval.high)],
        (None, true) => vec!["no".to_owned(), "interval".to_owned()],
        (None, false) => vec!["no interval".to_owned()],
    };
    for (line, words) in interval.into_iter().chain([format!("n {}", summary.n)]).enumerate() {
        canvas.text(&words, (middle, place.top + 25.5 + 11.0 * line as f64), SMALL)?;
    }
    Ok(())
}

fn subtitle(analysis: &Analysis) -> String {
    let tally = Tally::of(&analysis.trials);
    let intervals =
        intervals_in_words(analysis).unwrap_or_else(|| "no intervals, because there are too few prompts".to_owned());
    format!(
        "{SCORE_IN_WORDS} Cells: mean, {intervals}, n, the number of trials; {} per\u{a0}cell; {}. The colour shows \
         the mean.",
        tally.design(),
        tally.sentence()
    )
}
