//! Draws how far arms are apart: a row an arm, KL on a logarithmic axis, a panel a model.

use itertools::Itertools as _;

use crate::report::plot::canvas::{Align, Fill, Type};
use crate::report::plot::font::{self, Weight};
use crate::report::plot::page::Page;
use crate::report::plot::palette::{AXIS, COLOURS, GRID, INK, Look, MUTED};
use crate::report::plot::panel::{LABEL_TYPE, Labelled, Panel, TICK_TYPE, TITLE_TYPE, Y_AXIS_SPACE};
use crate::report::plot::{Caption, Figure, PlotError};
use crate::study::numbers::{Compared, Divergence, Pair};

/// The name of the figure.
pub const NAME: &str = "divergence";

const ARM: Type = Type { size: 11.5, weight: Weight::Regular, colour: INK, align: Align::Right };
const BESIDE: Type = Type { size: 11.0, weight: Weight::Regular, colour: INK, align: Align::Left };
const ROW: f64 = 30.0;
const ARMS_LIMIT: f64 = 200.0;
const AXIS_WIDTH: f64 = 420.0;
const BESIDE_WIDTH: f64 = 150.0;
const SUBTITLE: &str = "KL(base ‖ other) in nats, one value per position of the base’s greedy texts, teacher-forced through both. Bar: \
    median to 99th percentile, tick: 90th; circle: mean, black: its 95\u{a0}% interval over prompts; right: positions \
    with the same most probable token.";

/// # Errors
/// When drawing fails.
pub fn figure(pairs: &[Pair], caption: Caption<'_>) -> Result<Figure, PlotError> {
    let grouped = pairs.iter().chunk_by(|pair| &pair.model);
    let models: Vec<(&String, Vec<&Pair>)> =
        grouped.into_iter().map(|(model, pairs)| (model, pairs.collect())).collect();
    let name = |pair: &Pair| pair.other.differences(&pair.base);
    let widest = pairs.iter().map(|pair| font::width(&name(pair), ARM.size, ARM.weight)).fold(0.0, f64::max);
    let names = widest.min(ARMS_LIMIT) + 12.0;
    let most_rows = models.iter().map(|(_, pairs)| pairs.len()).max().unwrap_or(1);
    let page = Page {
        title: "How far apart the arms’ probabilities are",
        shows: "",
        subtitle: SUBTITLE,
        caption,
        legend: Vec::new(),
        panels: models.iter().map(|(model, pairs)| format!("{model}, base {}", pairs[0].base)).collect(),
        columns: 1,
        y_label: "",
        plot_width: names + AXIS_WIDTH + BESIDE_WIDTH,
        plot_height: ROW * most_rows as f64,
        left_space: Y_AXIS_SPACE,
        right_space: 4.0,
    };
    let decades = decades(pairs);
    let svg = page.draw(|index, panel| {
        let scale = Scale { panel, left: panel.plot.left + names, decades };
        scale.draw()?;
        let (_, pairs) = &models[index];
        pairs.iter().enumerate().try_for_each(|(row, pair)| scale.pair(row, &name(pair), pair))
    })?;
    Ok(Figure { name: NAME.to_owned(), subject: None, svg })
}

/// The powers of ten around everything that is drawn.
fn decades(pairs: &[Pair]) -> (i32, i32) {
    let summaries = pairs.iter().filter_map(|pair| match &pair.divergence {
        Divergence::Compared { summary, .. } => Some(summary),
        Divergence::SamePlacement { .. } => None,
    });
    let drawn = summaries.flat_map(|summary| {
        let kl = summary.kl_nats;
        let interval = kl.mean.interval.map_or([kl.mean.value; 2], |interval| [interval.low, interval.high]);
        [kl.p50.value, kl.p90.value, kl.p99.value, kl.mean.value, interval[0], interval[1]]
    });
    let logs: Vec<f64> = drawn.filter(|&value| value > 0.0).map(f64::log10).collect();
    let (low, high) = logs.iter().fold((0.0, -1.0), |(low, high): (f64, f64), &log| (low.min(log), high.max(log)));
    // Rounding is all that is left below; an axis has two ends even without data.
    let low = (low.floor() as i32).max(-16);
    (low, (high.ceil() as i32).max(low + 1))
}

struct Scale<'a, 's> {
    panel: &'a Panel<'a, 's>,
    left: f64,
    decades: (i32, i32),
}

impl Scale<'_, '_> {
    /// What is not above 0 has no place on a logarithmic axis: the left end.
    fn x(&self, kl_nats: f64) -> f64 {
        let (low, high) = self.decades;
        let log = kl_nats.max(f64::MIN_POSITIVE).log10().clamp(f64::from(low), f64::from(high));
        self.left + (log - f64::from(low)) / f64::from(high - low).max(1.0) * AXIS_WIDTH
    }

    fn draw(&self) -> Result<(), PlotError> {
        let (canvas, plot) = (self.panel.canvas, self.panel.plot);
        canvas.text(self.panel.title, (plot.left, plot.top - 8.0), TITLE_TYPE)?;
        let (low, high) = self.decades;
        let every = ((high - low) / 8 + 1) as usize;
        for decade in (low..=high).step_by(every) {
            let x = self.x(10f64.powi(decade));
            canvas.line(&[(x, plot.top), (x, plot.bottom())], 0.75, if decade == low { AXIS } else { GRID })?;
            canvas.text(&format!("1e{decade}"), (x, plot.bottom() + 16.0), TICK_TYPE)?;
        }
        if self.panel.edge.x_label == Labelled::No {
            return Ok(());
        }
        let middle = (self.left + AXIS_WIDTH / 2.0, plot.bottom() + 33.0);
        canvas.text("KL divergence (nats, logarithmic)", middle, LABEL_TYPE)
    }

    fn pair(&self, row: usize, name: &str, pair: &Pair) -> Result<(), PlotError> {
        let canvas = self.panel.canvas;
        let middle = self.panel.plot.top + (row as f64 + 0.5) * ROW;
        let name = font::fit(name, ARMS_LIMIT, ARM.size, ARM.weight);
        canvas.text(&name, (self.left - 8.0, middle + 4.0), ARM)?;
        let say = |words: &str| canvas.text(words, (self.left + 10.0, middle + 4.0), Type { colour: MUTED, ..BESIDE });
        match &pair.divergence {
            Divergence::SamePlacement { .. } => say("same placement: no conclusion"),
            Divergence::Compared { summary, .. } => {
                let share = format!("top-1 same: {:.1} %", 100.0 * summary.same_top1.value);
                canvas.text(&share, (self.left + AXIS_WIDTH + 14.0, middle + 4.0), BESIDE)?;
                if summary.is_identical() { say("every logit is the same") } else { self.spread(middle, summary) }
            }
        }
    }

    fn spread(&self, middle: f64, summary: &Compared) -> Result<(), PlotError> {
        let (canvas, kl) = (self.panel.canvas, summary.kl_nats);
        let colour = COLOURS[1];
        canvas.line(&[(self.x(kl.p50.value), middle), (self.x(kl.p99.value), middle)], 6.0, colour)?;
        let p90 = self.x(kl.p90.value);
        canvas.line(&[(p90, middle - 8.0), (p90, middle + 8.0)], 2.0, colour)?;
        if let Some(interval) = kl.mean.interval {
            canvas.line(&[(self.x(interval.low), middle), (self.x(interval.high), middle)], 1.75, INK)?;
        }
        canvas.marker((self.x(kl.mean.value), middle), 4.5, Look::nth(0), Fill::Solid)
    }
}
