//! Draws evidence against prompts: a curve a hypothesis, its steps up to the one that decided it.

use super::canvas::{Align, Fill, Type};
use super::font::Weight;
use super::page::Page;
use super::palette::{AXIS, GRID, INK, Look, MUTED};
use super::panel::{LABEL_TYPE, Panel, TICK_TYPE, Y_AXIS_SPACE};
use super::{Caption, Figure, PlotError};
use crate::analysis::Sequential;
use crate::analysis::sequential::Path;

/// The name of the figure.
pub const NAME: &str = "evidence";

const NEEDED: Type = Type { size: 11.0, weight: Weight::Regular, colour: INK, align: Align::Left };

const WIDTH: f64 = 470.0;
const HEIGHT: f64 = 280.0;
/// Evidence is shown from and to at most these powers of 10.
const FLOOR: i32 = -2;
const CEILING: i32 = 12;

/// `None` where no hypothesis was looked at.
pub fn figure(sequential: &Sequential, caption: Caption<'_>) -> Result<Option<Figure>, PlotError> {
    let shown: Vec<&Path> = sequential.paths.iter().filter(|path| !path.looks.is_empty()).collect();
    if shown.is_empty() {
        return Ok(None);
    }
    let named = |(index, path): (usize, &&Path)| (path.hypothesis.clone(), Look::nth(index));
    let names: Vec<(String, Look)> = shown.iter().enumerate().map(named).collect();
    let page = Page {
        title: "Evidence after each prompt",
        shows: &sequential.sentence(),
        subtitle: &subtitle(sequential),
        caption,
        legend: names.iter().map(|(name, look)| (name.as_str(), *look)).collect(),
        panels: vec![String::new()],
        columns: 1,
        y_label: "",
        plot_width: WIDTH,
        plot_height: HEIGHT,
        left_space: Y_AXIS_SPACE,
        right_space: 96.0,
    };
    let svg = page.draw(|_, panel| {
        let axes = Axes::of(sequential, &shown, panel);
        axes.draw()?;
        shown.iter().zip(&names).try_for_each(|(path, (_, look))| axes.path(path, *look))
    })?;
    Ok(Some(Figure { name: NAME.to_owned(), subject: None, svg }))
}

/// Where prompts and powers of 10 lie.
struct Axes<'a, 's> {
    panel: &'a Panel<'a, 's>,
    n_prompts: usize,
    low: f64,
    high: f64,
    /// The evidence that the first and the last hypothesis to be decided take, as powers of 10.
    needed: [f64; 2],
}

impl<'a, 's> Axes<'a, 's> {
    fn of(sequential: &Sequential, shown: &[&Path], panel: &'a Panel<'a, 's>) -> Self {
        let last = -sequential.alpha.log10();
        let first = last + ((sequential.paths.len() + sequential.at_the_end.len()) as f64).log10();
        let looks = || shown.iter().flat_map(|path| &path.looks).map(|look| log10(look.ln_e));
        let low = looks().fold(-0.5, f64::min).floor().max(FLOOR.into());
        let high = looks().fold(first + 0.3, f64::max).ceil().min(CEILING.into());
        Self { panel, n_prompts: sequential.n_prompts_planned, low, high, needed: [first, last] }
    }

    fn x(&self, t: usize) -> f64 {
        self.panel.plot.left + self.panel.plot.width * t as f64 / self.n_prompts.max(1) as f64
    }

    fn y(&self, log10_e: f64) -> f64 {
        let share = (log10_e.clamp(self.low, self.high) - self.low) / (self.high - self.low);
        self.panel.plot.bottom() - share * self.panel.plot.height
    }

    fn draw(&self) -> Result<(), PlotError> {
        let (canvas, plot) = (self.panel.canvas, self.panel.plot);
        for power in self.low as i32..=self.high as i32 {
            let y = self.y(power.into());
            canvas.line(&[(plot.left, y), (plot.right(), y)], 0.75, if power == 0 { AXIS } else { GRID })?;
            canvas.text(&power_in_words(power), (plot.left - 7.0, y + 4.0), TICK_TYPE.aligned(Align::Right))?;
        }
        canvas.line(&[(plot.left, plot.top), (plot.left, plot.bottom())], 1.0, AXIS)?;
        canvas.line(&[(plot.left, plot.bottom()), (plot.right(), plot.bottom())], 1.0, AXIS)?;
        let step = self.n_prompts.div_ceil(12).max(1);
        for t in (0..=self.n_prompts).step_by(step) {
            canvas.line(&[(self.x(t), plot.bottom()), (self.x(t), plot.bottom() + 4.0)], 1.0, AXIS)?;
            canvas.text(&t.to_string(), (self.x(t), plot.bottom() + 16.0), TICK_TYPE)?;
        }
        let [first, last] = self.needed;
        for (log10_e, which) in [(first, "first"), (last, "last")] {
            if which == "last" && first - last < 0.01 {
                continue;
            }
            let y = self.y(log10_e);
            canvas.line(&[(plot.left, y), (plot.right(), y)], 1.25, MUTED)?;
            let needed = 10_f64.powf(log10_e).round();
            let words =
                if first - last < 0.01 { format!("{needed} decides") } else { format!("{needed}: the {which}") };
            canvas.text(&words, (plot.right() + 8.0, y + 4.0), NEEDED)?;
        }
        canvas.text("Prompts", (plot.left + plot.width / 2.0, plot.bottom() + 34.0), LABEL_TYPE)?;
        canvas.text_upwards("Evidence (e)", (plot.left - 34.0, plot.top + plot.height / 2.0), LABEL_TYPE)
    }

    fn path(&self, path: &Path, look: Look) -> Result<(), PlotError> {
        let canvas = self.panel.canvas;
        let at = |(place, shown): (usize, &crate::analysis::sequential::Look)| {
            (self.x(place + 1), self.y(log10(shown.ln_e)))
        };
        let points: Vec<_> =
            std::iter::once((self.x(0), self.y(0.0))).chain(path.looks.iter().enumerate().map(at)).collect();
        canvas.line(&points, 1.75, look.colour)?;
        match path.decided_after() {
            Some(t) => canvas.marker(points[t], 4.5, look, Fill::Solid),
            None => canvas.marker(points[points.len() - 1], 4.5, look, Fill::Hollow),
        }
    }
}

fn log10(ln: f64) -> f64 {
    ln / std::f64::consts::LN_10
}

fn power_in_words(power: i32) -> String {
    match power {
        0..=3 => 10_i32.pow(power.unsigned_abs()).to_string(),
        -2..=-1 => format!("{}", 10_f64.powi(power)),
        power => format!("1e{power}"),
    }
}

fn subtitle(sequential: &Sequential) -> String {
    format!(
        "{}. Evidence for or against each claim, whichever is larger: if a claim is false, the probability that it \
         ever grows {:.0}-fold is at most {}. Solid marker: decided there; hollow: not decided.",
        capital(&sequential.sentence()),
        1.0 / sequential.alpha,
        sequential.alpha,
    )
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::analysis::sequential::{Ending, Instrument, Look as Looked, State};
    use crate::experiment::StopAt;
    use crate::report::plot::Layout;

    fn path(hypothesis: &str, e: &[f64], decided: State) -> Path {
        let last = e.len() - 1;
        let look = |(place, e): (usize, &f64)| Looked {
            ln_e: e.ln(),
            p: 1.0,
            state: if place == last { decided } else { State::Open },
        };
        Path {
            hypothesis: hypothesis.to_owned(),
            instrument: Instrument::SignFlip,
            looks: e.iter().enumerate().map(look).collect(),
            levels: vec![],
        }
    }

    fn sequential(paths: Vec<Path>) -> Sequential {
        Sequential {
            let_go: HashSet::new(),
            stop: StopAt::All,
            alpha: 0.05,
            prompts: vec!["p1".to_owned(), "p2".to_owned(), "p3".to_owned()],
            ending: Ending::Decided,
            paths,
            at_the_end: vec![],
            notes: vec![],
            n_prompts_planned: 24,
            n_texts: 6,
            n_texts_planned: 48,
            n_texts_beyond: 0,
        }
    }

    const CAPTION: Caption<'_> = Caption { experiment: "x", note: None, layout: Layout::NATURAL };

    #[test]
    fn it_names_the_hypotheses_and_the_evidence_that_each_takes() {
        // Evidence of 0, as one of −∞ in logarithms, and beyond all that is shown.
        let paths =
            vec![path("rises", &[2.0, 0.0, 1e300], State::Supported), path("same", &[1.0, 0.5, 0.2], State::Open)];
        let figure = figure(&sequential(paths), CAPTION).unwrap().unwrap();
        for words in ["rises", "same", "40: the first", "20: the last", "1e12", "0.01", "decided after 3 of 24 prompts"]
        {
            assert!(figure.svg.to_lowercase().contains(words), "no {words}");
        }
        assert!(!figure.svg.contains("NaN") && figure.png().is_ok());
        let alone = sequential(vec![path("rises", &[2.0, 5.0, 25.0], State::Supported)]);
        assert!(super::figure(&alone, CAPTION).unwrap().unwrap().svg.contains("20 decides"));
    }

    #[test]
    fn without_a_look_there_is_no_figure() {
        assert_eq!(figure(&sequential(vec![]), CAPTION).unwrap(), None);
    }
}
