//! Draws the time to a loop: the share of texts not yet in one after so many tokens or characters, a panel a
//! temperature, a curve a chain, its interval as a band.

use super::canvas::Point;
use super::page::Page;
use super::palette::Look;
use super::panel::{Panel, Tick, Y_AXIS_SPACE};
use super::{Caption, Figure, PlotError, shows};
use crate::analysis::{Analysis, CellProfile, OnsetUnit};
use crate::domain::Temperature;
use crate::report::levels::{Arm, Facet, Levels};
use crate::stats::SurvivalCurve;

/// The name of the first figure; each facet has one.
pub const NAME: &str = "onset";

const Y_LABEL: &str = "Share of texts not yet looping";
/// Bands of several curves lie on each other.
const BAND_OPACITY: f64 = 0.13;

/// None where no cell's texts can be followed in time.
pub fn figures(analysis: &Analysis, caption: Caption<'_>) -> Result<Vec<Figure>, PlotError> {
    let levels = Levels::of(analysis);
    let has_curves =
        |facet: &&Facet<'_>| analysis.profiles.iter().any(|p| p.onset.is_some() && Facet::of(&p.cell) == **facet);
    let facets = levels.facets.iter().filter(has_curves).enumerate();
    facets.map(|(index, &facet)| figure(index, facet, analysis, &levels, caption)).collect()
}

fn figure(
    index: usize,
    facet: Facet<'_>,
    analysis: &Analysis,
    levels: &Levels<'_>,
    caption: Caption<'_>,
) -> Result<Figure, PlotError> {
    let title = facet.title(&levels.facets);
    let names: Vec<_> = levels.chains.iter().enumerate().map(|(index, &chain)| (chain, Look::nth(index))).collect();
    let columns = match levels.temperatures.len() {
        0 | 1 => 1,
        2 | 4 => 2,
        _ => 3,
    };
    let last =
        analysis.profiles.iter().filter_map(|profile| Some(profile.onset.as_ref()?.last_time)).fold(1.0, f64::max);
    let page = Page {
        title: "Time to loop",
        shows: &shows::most_loops(analysis, facet),
        subtitle: &subtitle(&title, analysis),
        caption,
        legend: names.clone(),
        panels: levels.temperatures.iter().map(|t| format!("T = {t}")).collect(),
        columns,
        y_label: Y_LABEL,
        plot_width: [560.0, 330.0, 262.0][columns - 1],
        plot_height: [270.0, 200.0, 170.0][columns - 1],
        left_space: Y_AXIS_SPACE,
        right_space: 4.0,
    };
    let x_label = match analysis.onset_unit {
        OnsetUnit::Tokens => "Tokens generated",
        OnsetUnit::Characters => "Characters generated",
    };
    let svg = page.draw(|index, panel| {
        let axis = Axis { panel, last };
        panel.frame(&axis.ticks(), x_label)?;
        let temperature = levels.temperatures[index];
        let curves = names.iter().filter_map(|&(chain, look)| {
            Some((curve(analysis, Arm { facet, chain }, temperature)?.onset.as_ref()?, look))
        });
        let curves: Vec<_> = curves.collect();
        if curves.is_empty() {
            return panel.say("no scored trials");
        }
        curves.iter().try_for_each(|(curve, look)| axis.band(curve, *look))?;
        // The first chain on top: it is the one in question.
        curves.iter().rev().try_for_each(|(curve, look)| axis.curve(curve, *look))
    })?;
    let name = if index == 0 { NAME.to_owned() } else { format!("{NAME}-{}", index + 1) };
    Ok(Figure { name, subject: Some(title), svg })
}

fn curve<'a>(analysis: &'a Analysis, arm: Arm<'_>, temperature: Temperature) -> Option<&'a CellProfile> {
    let here = |profile: &&CellProfile| profile.cell.temperature() == temperature && Arm::of(&profile.cell) == arm;
    analysis.profiles.iter().find(here)
}

/// Where tokens lie across a panel: from 0 to the last one generated anywhere.
struct Axis<'a, 's> {
    panel: &'a Panel<'a, 's>,
    last: f64,
}

impl Axis<'_, '_> {
    fn x(&self, tokens: f64) -> f64 {
        self.panel.plot.left + tokens / self.last * self.panel.plot.width
    }

    fn ticks(&self) -> Vec<Tick> {
        let step = tick_step(self.last);
        let count = (self.last / step).floor() as usize;
        (0..=count).map(|n| n as f64 * step).map(|at| Tick { x: self.x(at), text: at.to_string() }).collect()
    }

    /// Between the bounds of the intervals. Before the first onset there is nothing to be unsure of.
    fn band(&self, curve: &SurvivalCurve, look: Look) -> Result<(), PlotError> {
        let low = self.steps(curve, |step| step.interval.map_or(step.survival, |interval| interval.low));
        let high = self.steps(curve, |step| step.interval.map_or(step.survival, |interval| interval.high));
        let outline: Vec<Point> = high.into_iter().chain(low.into_iter().rev()).collect();
        self.panel.canvas.area(&outline, look.colour, BAND_OPACITY)
    }

    fn curve(&self, curve: &SurvivalCurve, look: Look) -> Result<(), PlotError> {
        self.panel.canvas.line(&self.steps(curve, |step| step.survival), 1.75, look.colour)
    }

    /// The corners of the steps, from 1 at the start to the last time seen.
    fn steps(&self, curve: &SurvivalCurve, height: impl Fn(&crate::stats::Step) -> f64) -> Vec<Point> {
        let mut y = self.panel.y(1.0);
        let mut corners = vec![(self.x(0.0), y)];
        for step in &curve.steps {
            let x = self.x(step.time);
            corners.push((x, y));
            y = self.panel.y(height(step));
            corners.push((x, y));
        }
        corners.push((self.x(curve.last_time), y));
        corners
    }
}

/// 1, 2 or 5 times a power of ten, for about five ticks.
fn tick_step(last: f64) -> f64 {
    let rough = (last / 5.0).max(1.0);
    let power = 10_f64.powf(rough.log10().floor());
    let times = [1.0, 2.0, 5.0].into_iter().find(|times| times * power >= rough).unwrap_or(10.0);
    times * power
}

fn subtitle(facet: &str, analysis: &Analysis) -> String {
    let mut steps = analysis.profiles.iter().filter_map(|profile| profile.onset.as_ref()?.steps.first()).peekable();
    let loops = steps.peek().is_some();
    let bands = match steps.find_map(|step| Some(step.interval?.level)) {
        Some(level) => format!("bands: pointwise {}\u{a0}% intervals over prompts", (level * 1000.0).round() / 10.0),
        None if loops => "only one prompt, so there are no bands".to_owned(),
        None => "no text loops, so there are no bands".to_owned(),
    };
    format!(
        "{facet}. Kaplan–Meier curves of when a text begins to loop; a text that ends earlier counts until its end; \
         {bands}."
    )
}

#[cfg(test)]
mod tests {
    use super::tick_step;

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!([20.0, 40.0, 100.0, 101.0, 1024.0, 1.0].map(tick_step), [5.0, 10.0, 20.0, 50.0, 500.0, 1.0]);
    }
}
