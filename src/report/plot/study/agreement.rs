//! Draws whether arms select the same experts: the share they have in common, layer by layer, a curve an arm.

use crate::experiment::Arm;
use crate::report::plot::canvas::{Fill, Point};
use crate::report::plot::page::Page;
use crate::report::plot::palette::{Look, MUTED};
use crate::report::plot::panel::{Panel, Tick, Y_AXIS_SPACE};
use crate::report::plot::{Caption, Figure, PlotError};
use crate::study::numbers::{AgreementOutcome, LayerAgreement, Routing};

/// The name of the figure.
pub const NAME: &str = "routing-agreement";

const SUBTITLE: &str = "Experts that both arms select for a token, as a share of those selected; the same texts, teacher-forced through \
    both. Bars: 95\u{a0}% intervals over prompts; grey: the share that two random selections would have in common.";
/// Px between the curves' points of a layer.
const DODGE: f64 = 5.0;

/// # Errors
/// When drawing fails.
pub fn figure(found: &[Routing], caption: Caption<'_>) -> Result<Figure, PlotError> {
    let mut arms: Vec<(Arm, String)> = Vec::new();
    for routing in found {
        for agreement in &routing.agreements {
            let compared = matches!(agreement.outcome, AgreementOutcome::Compared(_));
            if compared && !arms.iter().any(|(arm, _)| *arm == agreement.other) {
                arms.push((agreement.other, agreement.other.differences(&routing.base)));
            }
        }
    }
    let title = |routing: &Routing| format!("{}, {}, T {}", routing.model, routing.chain, routing.temperature);
    let page = Page {
        title: "Whether the arms select the same experts",
        shows: "",
        subtitle: SUBTITLE,
        caption,
        legend: arms.iter().enumerate().map(|(index, (_, name))| (name.as_str(), Look::nth(index))).collect(),
        panels: found.iter().map(title).collect(),
        columns: if found.len() > 1 { 2 } else { 1 },
        y_label: "Shared experts (share, 0–1)",
        plot_width: 340.0,
        plot_height: 200.0,
        left_space: Y_AXIS_SPACE,
        right_space: 4.0,
    };
    let svg = page.draw(|index, panel| {
        let routing = &found[index];
        let place = Layers { panel, layers: &routing.shape.layers };
        panel.frame(&place.ticks(), "Layer")?;
        let chance = f64::from(routing.shape.n_used) / f64::from(routing.shape.n_expert.max(1));
        let y = panel.y(chance);
        panel.canvas.line(&[(panel.plot.left, y), (panel.plot.right(), y)], 1.25, MUTED)?;
        let mut drawn = 0;
        for (index, (arm, _)) in arms.iter().enumerate() {
            let of_arm = routing.agreements.iter().find(|agreement| agreement.other == *arm);
            if let Some(AgreementOutcome::Compared(layers)) = of_arm.map(|agreement| &agreement.outcome) {
                let shift = (index as f64 - (arms.len() as f64 - 1.0) / 2.0) * DODGE;
                place.curve(layers, Look::nth(index), shift)?;
                drawn += 1;
            }
        }
        if drawn == 0 { panel.say("no other arm to compare with") } else { Ok(()) }
    })?;
    Ok(Figure { name: NAME.to_owned(), subject: None, svg })
}

/// Where layers lie across the panel.
struct Layers<'a, 's> {
    panel: &'a Panel<'a, 's>,
    layers: &'a [u32],
}

impl Layers<'_, '_> {
    fn x(&self, index: usize) -> f64 {
        let plot = self.panel.plot;
        plot.left + (index as f64 + 0.5) * plot.width / self.layers.len().max(1) as f64
    }

    fn ticks(&self) -> Vec<Tick> {
        let layers = self.layers.iter().enumerate();
        layers.map(|(index, layer)| Tick { x: self.x(index), text: layer.to_string() }).collect()
    }

    fn curve(&self, layers: &[LayerAgreement], look: Look, shift: f64) -> Result<(), PlotError> {
        let canvas = self.panel.canvas;
        let mut path: Vec<Point> = Vec::new();
        for agreement in layers {
            let Some(index) = self.layers.iter().position(|&layer| Some(layer) == agreement.layer) else { continue };
            let x = self.x(index) + shift;
            if let Some(interval) = agreement.overlap.interval {
                canvas.line(&[(x, self.panel.y(interval.low)), (x, self.panel.y(interval.high))], 1.25, look.colour)?;
            }
            path.push((x, self.panel.y(agreement.overlap.value)));
        }
        canvas.line(&path, 1.5, look.colour)?;
        path.into_iter().try_for_each(|at| canvas.marker(at, 4.0, look, Fill::Solid))
    }
}
