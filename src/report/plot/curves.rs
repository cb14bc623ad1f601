//! Draws the headline figure: the mean score against temperature, a panel a model, a curve a chain, a bar an interval.

use std::collections::BTreeSet;

use super::canvas::{Align, Fill, Point, Type};
use super::font::{self, Weight};
use super::page::Page;
use super::palette::{INK, Look};
use super::panel::{Panel, Tick, Y_AXIS_SPACE};
use super::{
    Caption, Figure, METRIC, PlotError, SCORE_IN_WORDS, SCORE_LABEL, TEMPERATURE_LABEL, intervals_in_words, shows,
};
use crate::analysis::{Analysis, Estimate, TrialResult};
use crate::domain::{Cell, Temperature};
use crate::report::levels::{Arm, Facet, Levels};
use crate::report::tally::Tally;

const NAME: Type = Type { size: 11.5, weight: Weight::Regular, colour: INK, align: Align::Left };

/// Most px that a curve's points are shifted apart from its neighbour's.
const MOST_DODGE: f64 = 4.0;
/// From a panel's edge to the names of its curves.
const NAME_GAP: f64 = 26.0;
const NAME_LINE: f64 = 14.0;
const NAME_LIMIT: f64 = 170.0;
/// More curves than this have a legend, for want of room beside the panel.
const DIRECT_NAMES: usize = 16;

pub fn figure(analysis: &Analysis, caption: Caption<'_>) -> Result<Figure, PlotError> {
    let levels = Levels::of(analysis);
    let incomplete = incomplete_cells(analysis);
    let columns = columns(&levels);
    let facets = &levels.facets;
    let titles = facets.iter().map(|facet| facet.title(facets)).collect();
    let direct = caption.layout.choose(columns == 1 && levels.chains.len() <= DIRECT_NAMES, false);
    let names: Vec<_> = levels.chains.iter().enumerate().map(|(index, &chain)| (chain, Look::nth(index))).collect();
    let widest = levels.chains.iter().map(|chain| font::width(chain, NAME.size, NAME.weight)).fold(0.0, f64::max);
    let page = Page {
        title: "Repetition against sampling temperature",
        shows: &shows::greatest_change(analysis),
        subtitle: &subtitle(analysis, &levels),
        caption,
        legend: if direct { Vec::new() } else { names.clone() },
        // An empty analysis still has its picture, which says that it is empty.
        panels: if facets.is_empty() { vec![String::new()] } else { titles },
        columns,
        y_label: SCORE_LABEL,
        plot_width: [430.0, 310.0, 262.0][columns - 1],
        plot_height: [270.0, 215.0, 190.0][columns - 1],
        left_space: Y_AXIS_SPACE,
        right_space: if direct { NAME_GAP + widest.min(NAME_LIMIT) } else { 4.0 },
    };
    let svg = page.draw(|index, panel| {
        let axis = Axis::new(panel, &levels.temperatures, levels.chains.len());
        panel.frame(&axis.ticks(), TEMPERATURE_LABEL)?;
        let curves = facets.get(index).map(|&facet| curves(analysis, facet, &names)).unwrap_or_default();
        if curves.is_empty() {
            return panel.say("no scored trials");
        }
        // The first chain is drawn last, on top: it is the one in question.
        for curve in curves.iter().rev() {
            curve.draw(panel, &axis, &incomplete)?;
        }
        if direct { name_curves(panel, &axis, &curves) } else { Ok(()) }
    })?;
    Ok(Figure { name: super::HEADLINE_FIGURE.to_owned(), subject: None, svg })
}

struct Curve<'a> {
    name: &'a str,
    look: Look,
    /// Its place among all chains, counted from the middle one.
    place: f64,
    /// By temperature; never empty.
    points: Vec<(&'a Cell, Estimate)>,
}

/// A model's facets side by side where it has several, else models.
fn columns(levels: &Levels<'_>) -> usize {
    let (facets, models) = (levels.facets.len(), levels.models().len());
    let across = if facets > models { facets.div_ceil(models) } else { models };
    match across {
        0 | 1 => 1,
        2 | 4 => 2,
        _ => 3,
    }
}

fn incomplete_cells(analysis: &Analysis) -> BTreeSet<&Cell> {
    let lost = analysis.trials.iter().filter(|scored| !matches!(scored.result, TrialResult::Scored { .. }));
    lost.map(|scored| &scored.trial.cell).collect()
}

/// The curves of one panel.
fn curves<'a>(analysis: &'a Analysis, facet: Facet<'_>, names: &[(&'a str, Look)]) -> Vec<Curve<'a>> {
    let middle = (names.len() as f64 - 1.0) / 2.0;
    let all = names.iter().enumerate().map(|(index, &(name, look))| {
        let points = points(analysis, Arm { facet, chain: name });
        Curve { name, look, place: index as f64 - middle, points }
    });
    all.filter(|curve| !curve.points.is_empty()).collect()
}

fn points<'a>(analysis: &'a Analysis, arm: Arm<'_>) -> Vec<(&'a Cell, Estimate)> {
    let shown = analysis.cells.iter().filter(|summary| summary.metric == METRIC && Arm::of(&summary.cell) == arm);
    let mut points: Vec<_> = shown.filter_map(|summary| Some((&summary.cell, summary.estimate?))).collect();
    points.sort_by_key(|(cell, _)| cell.temperature());
    points
}

impl Curve<'_> {
    fn draw(&self, panel: &Panel<'_, '_>, axis: &Axis<'_>, incomplete: &BTreeSet<&Cell>) -> Result<(), PlotError> {
        for (cell, estimate) in &self.points {
            let Some(interval) = estimate.interval else { continue };
            let x = axis.x(cell.temperature(), self.place);
            let (low, high) = (panel.y(interval.low), panel.y(interval.high));
            panel.canvas.line(&[(x, low), (x, high)], 1.25, self.look.colour)?;
            for end in [low, high] {
                panel.canvas.line(&[(x - 2.5, end), (x + 2.5, end)], 1.25, self.look.colour)?;
            }
        }
        let path: Vec<Point> = self.points.iter().map(|point| self.at(point, panel, axis)).collect();
        panel.canvas.line(&path, 1.75, self.look.colour)?;
        for (point, (cell, _)) in path.into_iter().zip(&self.points) {
            let fill = if incomplete.contains(cell) { Fill::Hollow } else { Fill::Solid };
            panel.canvas.marker(point, 3.75, self.look, fill)?;
        }
        Ok(())
    }

    /// Whether the curve has a point at the last temperature.
    fn reaches(&self, axis: &Axis<'_>) -> bool {
        self.points.last().map(|(cell, _)| cell.temperature()) == axis.temperatures.last().copied()
    }

    fn end(&self, panel: &Panel<'_, '_>, axis: &Axis<'_>) -> Point {
        self.at(&self.points[self.points.len() - 1], panel, axis)
    }

    fn at(&self, (cell, estimate): &(&Cell, Estimate), panel: &Panel<'_, '_>, axis: &Axis<'_>) -> Point {
        (axis.x(cell.temperature(), self.place), panel.y(estimate.mean))
    }
}

/// Writes each curve's name beside its end, moved apart where they would
/// overlap, with a thin line to the curve.
fn name_curves(panel: &Panel<'_, '_>, axis: &Axis<'_>, curves: &[Curve<'_>]) -> Result<(), PlotError> {
    let mut ends: Vec<_> = curves.iter().map(|curve| (curve, curve.end(panel, axis))).collect();
    ends.sort_by(|(_, a), (_, b)| a.1.total_cmp(&b.1));
    let heights = spread(ends.iter().map(|(_, end)| end.1).collect(), NAME_LINE, panel.plot.bottom());
    let x = panel.plot.right() + NAME_GAP;
    for ((curve, end), y) in ends.into_iter().zip(heights) {
        let elbow = panel.plot.right() + 2.0;
        // Across the panel only where the curve ends early: other curves'
        // points lie there.
        let start = if curve.reaches(axis) { elbow } else { end.0 + 6.0 };
        panel.canvas.line(&[(start, end.1), (elbow, end.1), (x - 13.0, y)], 0.75, curve.look.colour)?;
        panel.canvas.marker((x - 8.0, y), 3.75, curve.look, Fill::Solid)?;
        let name = font::fit(curve.name, NAME_LIMIT, NAME.size, NAME.weight);
        panel.canvas.text(&name, (x, y + 4.0), NAME)?;
    }
    Ok(())
}

/// Heights at least `step` apart and none below `floor`, in the order given
/// (ascending) and close to it.
fn spread(mut heights: Vec<f64>, step: f64, floor: f64) -> Vec<f64> {
    for index in 1..heights.len() {
        heights[index] = heights[index].max(heights[index - 1] + step);
    }
    let mut ceiling = floor;
    for height in heights.iter_mut().rev() {
        *height = height.min(ceiling);
        ceiling = *height - step;
    }
    heights
}

/// Where temperatures lie in a panel: to scale, as they are numbers.
struct Axis<'a> {
    temperatures: &'a [Temperature],
    /// The place of `origin` in px.
    left: f64,
    origin: f64,
    px_per_unit: f64,
    /// How far neighbouring curves are shifted apart in px.
    dodge: f64,
}

impl<'a> Axis<'a> {
    fn new(panel: &Panel<'_, '_>, temperatures: &'a [Temperature], chains: usize) -> Self {
        let value = |t: &Temperature| f64::from(t.get());
        let (low, high) = (temperatures.first().map_or(0.0, value), temperatures.last().map_or(1.0, value));
        // A single temperature stands in the middle.
        let (low, high) = if low < high { (low, high) } else { (low - 0.5, high + 0.5) };
        let inset = panel.plot.width * 0.05;
        let px_per_unit = (panel.plot.width - 2.0 * inset) / (high - low);
        let gaps = temperatures.windows(2).map(|pair| (value(&pair[1]) - value(&pair[0])) * px_per_unit);
        let narrowest = gaps.fold(panel.plot.width / 2.0, f64::min);
        let dodge = MOST_DODGE.min(0.4 * narrowest / chains.max(1) as f64);
        Self { temperatures, left: panel.plot.left + inset, origin: low, px_per_unit, dodge }
    }

    fn x(&self, temperature: Temperature, place: f64) -> f64 {
        self.left + (f64::from(temperature.get()) - self.origin) * self.px_per_unit + place * self.dodge
    }

    fn ticks(&self) -> Vec<Tick> {
        self.temperatures.iter().map(|&t| Tick { x: self.x(t, 0.0), text: t.to_string() }).collect()
    }
}

fn subtitle(analysis: &Analysis, levels: &Levels<'_>) -> String {
    let tally = Tally::of(&analysis.trials);
    let shown = || analysis.cells.iter().filter(|summary| summary.metric == METRIC);
    if tally.scored == 0 {
        return format!("{SCORE_IN_WORDS} No points: {}.", tally.sentence());
    }
    let mut text = format!("{SCORE_IN_WORDS} Points: means over {}", tally.design());
    if let (Some(least), Some(most)) = (shown().map(|s| s.n).min(), shown().map(|s| s.n).max()) {
        let range = if least == most { most.to_string() } else { format!("{least} to {most}") };
        text.push_str(&format!(", n\u{a0}=\u{a0}{range} a\u{a0}point"));
    }
    match intervals_in_words(analysis) {
        Some(intervals) => text.push_str(&format!("; bars: {intervals}")),
        None => text.push_str("; no intervals, because there are too few prompts"),
    }
    text.push_str(&format!("; {}.", tally.sentence()));
    if tally.scored < tally.planned() {
        text.push_str(" Hollow points: trials failed or missing.");
    }
    if levels.chains.len() > 1 {
        text.push_str(" Points are offset horizontally to avoid overlap.");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn names_keep_apart_and_stay_on_the_page() {
        assert_eq!(spread(vec![10.0, 90.0, 98.0, 100.0], 14.0, 100.0), [10.0, 72.0, 86.0, 100.0]);
        assert_eq!(spread(vec![10.0, 11.0, 50.0], 14.0, 100.0), [10.0, 24.0, 50.0]);
    }
}
