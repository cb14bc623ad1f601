//! Draws every single trial's score, because a mean of a bimodal score describes no trial: a panel a chain, a column a
//! temperature.

use super::canvas::{Fill, Point};
use super::page::Page;
use super::palette::{INK, Look, Shape};
use super::panel::{Panel, Tick, Y_AXIS_SPACE};
use super::{
    Caption, Figure, METRIC, PlotError, SCORE_IN_WORDS, SCORE_LABEL, TEMPERATURE_LABEL, intervals_in_words, shows,
};
use crate::analysis::{Analysis, TrialResult};
use crate::domain::{Temperature, TrialId};
use crate::report::levels::{Arm, Levels};
use crate::report::tally::Tally;

/// The name of the figure, or how the names of all models' figures begin.
pub const NAME: &str = "strip";

const MEAN: Look = Look { colour: INK, shape: Shape::Diamond };

/// With more arms than this, each model has a figure of its own.
const ARMS_ON_ONE_PAGE: usize = 9;
/// Half a column's width as a share of the space between columns.
const REACH: f64 = 0.42;
/// Scores are sorted into this many bins to see where they crowd.
const BINS: usize = 25;

pub fn figures(analysis: &Analysis, caption: Caption<'_>) -> Result<Vec<Figure>, PlotError> {
    let levels = Levels::of(analysis);
    let arms = Arm::all(analysis);
    let models = levels.models();
    if models.len() <= 1 || arms.len() <= ARMS_ON_ONE_PAGE {
        return Ok(vec![figure(NAME.to_owned(), analysis, &levels, &arms, caption)?]);
    }
    let mut names = Vec::new();
    let pages = models.into_iter().map(|model| {
        let arms: Vec<_> = arms.iter().copied().filter(|arm| arm.facet.model() == model).collect();
        let name = file_name(model, &names);
        names.push(name.clone());
        figure(name, analysis, &levels, &arms, caption)
    });
    pages.collect()
}

/// A trial's point before it has a place.
struct Dot<'a> {
    id: &'a TrialId,
    score: f64,
}

fn figure(
    name: String,
    analysis: &Analysis,
    levels: &Levels<'_>,
    arms: &[Arm<'_>],
    caption: Caption<'_>,
) -> Result<Figure, PlotError> {
    let columns = match arms.len() {
        0 | 1 => 1,
        2 | 4 => 2,
        _ => 3,
    };
    // An empty analysis still has its picture, which says that it is empty.
    let panels = if arms.is_empty() { vec![String::new()] } else { titles(arms) };
    let page = Page {
        title: "Repetition of every trial",
        shows: &shows::extremes(analysis, |arm| arms.contains(&arm)),
        subtitle: &subtitle(analysis, arms),
        caption,
        legend: Vec::new(),
        panels,
        columns,
        y_label: SCORE_LABEL,
        plot_width: [560.0, 330.0, 272.0][columns - 1],
        plot_height: [290.0, 220.0, 195.0][columns - 1],
        left_space: Y_AXIS_SPACE,
        right_space: 4.0,
    };
    let svg = page.draw(|index, panel| {
        panel.frame(&ticks(panel, &levels.temperatures), TEMPERATURE_LABEL)?;
        let Some(arm) = arms.get(index) else { return panel.say("no scored trials") };
        let chain = levels.chains.iter().position(|&chain| chain == arm.chain).unwrap_or(0);
        let mut drawn = 0;
        for (column, &temperature) in levels.temperatures.iter().enumerate() {
            let dots = dots(analysis, *arm, temperature);
            drawn += dots.len();
            draw_column(panel, Column::new(panel, column, levels.temperatures.len()), &dots, Look::nth(chain))?;
        }
        if drawn == 0 {
            return panel.say("no scored trials");
        }
        draw_means(panel, analysis, *arm, &levels.temperatures)
    })?;
    Ok(Figure { name, subject: None, svg })
}

/// Names of an arm's factors that vary among the panels.
fn titles(arms: &[Arm<'_>]) -> Vec<String> {
    let facets: Vec<_> = arms.iter().map(|arm| arm.facet).collect();
    let one_model = facets.iter().all(|facet| facet.model() == facets[0].model());
    let title = |arm: &Arm<'_>| {
        let mut parts = if one_model { vec![] } else { vec![arm.facet.model().to_owned()] };
        parts.push(arm.chain.to_owned());
        parts.extend(arm.facet.details(&facets));
        parts.join(" · ")
    };
    arms.iter().map(title).collect()
}

fn subtitle(analysis: &Analysis, arms: &[Arm<'_>]) -> String {
    let here = analysis.trials.iter().filter(|scored| arms.contains(&Arm::of(&scored.trial.cell)));
    let tally = Tally::of(here);
    let model = match arms {
        [first, rest @ ..] if rest.iter().all(|arm| arm.facet.model() == first.facet.model()) => {
            format!("Model {}. ", first.facet.model())
        }
        _ => String::new(),
    };
    let (design, sentence) = (tally.design(), tally.sentence());
    if tally.scored == 0 {
        return format!("{model}{SCORE_IN_WORDS} No dots: {sentence}.");
    }
    let with = intervals_in_words(analysis).map_or(String::new(), |intervals| format!(" with {intervals}"));
    format!(
        "{model}{SCORE_IN_WORDS} One dot per trial, spread horizontally where scores crowd; {design} per\u{a0}column; \
         {sentence}. Diamonds: means{with}."
    )
}

fn dots<'a>(analysis: &'a Analysis, arm: Arm<'_>, temperature: Temperature) -> Vec<Dot<'a>> {
    let here = analysis
        .trials
        .iter()
        .filter(|scored| scored.trial.cell.temperature() == temperature && Arm::of(&scored.trial.cell) == arm);
    here.filter_map(|scored| match &scored.result {
        TrialResult::Scored { scores, .. } => Some(Dot { id: &scored.trial.id, score: scores.get(METRIC)? }),
        TrialResult::Censored { .. } | TrialResult::Failed(_) | TrialResult::Missing => None,
    })
    .collect()
}

/// A temperature's share of a panel.
#[derive(Clone, Copy)]
struct Column {
    middle: f64,
    reach: f64,
}

impl Column {
    fn new(panel: &Panel<'_, '_>, index: usize, columns: usize) -> Self {
        let width = panel.plot.width / columns.max(1) as f64;
        Self { middle: panel.plot.left + (index as f64 + 0.5) * width, reach: (REACH * width).min(30.0) }
    }
}

fn ticks(panel: &Panel<'_, '_>, temperatures: &[Temperature]) -> Vec<Tick> {
    let tick = |(index, t): (usize, &Temperature)| Tick {
        x: Column::new(panel, index, temperatures.len()).middle,
        text: t.to_string(),
    };
    temperatures.iter().enumerate().map(tick).collect()
}

fn draw_column(panel: &Panel<'_, '_>, column: Column, dots: &[Dot<'_>], look: Look) -> Result<(), PlotError> {
    let mut crowd = [0_usize; BINS];
    for dot in dots {
        crowd[bin(dot.score)] += 1;
    }
    let densest = crowd.into_iter().max().unwrap_or(0).max(1) as f64;
    for dot in dots {
        // As wide as the bin is full, so that the dots outline the
        // distribution, and as pale as it is crowded, so that they add up.
        let neighbours = crowd[bin(dot.score)] as f64;
        let width = (neighbours / densest).sqrt() * column.reach;
        let opacity = (4.0 / neighbours.sqrt()).clamp(0.35, 0.9);
        let at: Point = (column.middle + jitter(dot.id) * width, panel.y(dot.score));
        panel.canvas.dot(at, 1.6, look.colour, opacity)?;
    }
    Ok(())
}

fn draw_means(
    panel: &Panel<'_, '_>,
    analysis: &Analysis,
    arm: Arm<'_>,
    temperatures: &[Temperature],
) -> Result<(), PlotError> {
    for summary in analysis.cells.iter().filter(|s| s.metric == METRIC && Arm::of(&s.cell) == arm) {
        let (Some(estimate), Some(index)) =
            (summary.estimate, temperatures.iter().position(|&t| t == summary.cell.temperature()))
        else {
            continue;
        };
        let x = Column::new(panel, index, temperatures.len()).middle;
        if let Some(interval) = estimate.interval {
            panel.canvas.line(&[(x, panel.y(interval.low)), (x, panel.y(interval.high))], 1.5, MEAN.colour)?;
        }
        panel.canvas.marker((x, panel.y(estimate.mean)), 3.0, MEAN, Fill::Solid)?;
    }
    Ok(())
}

fn bin(score: f64) -> usize {
    ((score * BINS as f64) as usize).min(BINS - 1)
}

/// From -1 to 1, a function of the trial alone: the same picture every time.
fn jitter(id: &TrialId) -> f64 {
    let hash = blake3::hash(id.as_str().as_bytes());
    let [a, b, c, d, ..] = *hash.as_bytes();
    f64::from(u32::from_le_bytes([a, b, c, d])) / f64::from(u32::MAX) * 2.0 - 1.0
}

/// A file name from a model's id, unlike those given so far.
fn file_name(model: &str, taken: &[String]) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let name = format!("{NAME}-{}", model.chars().map(keep).collect::<String>());
    if taken.contains(&name) { format!("{name}-{}", taken.len() + 1) } else { name }
}

#[cfg(test)]
mod tests {
    use super::{file_name, jitter};
    use crate::report::sample;

    #[test]
    fn a_trial_keeps_its_place() {
        let id = sample::id("a trial");
        assert_eq!(jitter(&id).to_bits(), jitter(&id).to_bits());
        assert!((-1.0..=1.0).contains(&jitter(&id)));
    }

    #[test]
    fn file_names_are_safe_and_differ() {
        let first = file_name("a/b", &[]);
        assert_eq!(first, "strip-a_b");
        assert_eq!(file_name("a b", &[first]), "strip-a_b-2");
    }
}
