//! Draws which experts the routers select: layer by expert, the colour its share of the layer's selections; beside it
//! before and in the loop, where texts loop.

use crate::report::plot::canvas::{Align, Rect, Type};
use crate::report::plot::font::{self, Weight};
use crate::report::plot::page::Page;
use crate::report::plot::palette::{INK, PAPER, heat, heat_step};
use crate::report::plot::panel::{LABEL_TYPE, Labelled, Panel, TICK_TYPE, TITLE_TYPE, Y_AXIS_SPACE};
use crate::report::plot::{Caption, Figure, PlotError};
use crate::study::numbers::{Phase, PhaseLoad, Routing};

/// The name of the figure.
pub const NAME: &str = "routing-load";

const SHARE: Type = Type { size: 9.0, weight: Weight::Regular, colour: INK, align: Align::Centre };
const ROW: f64 = 22.0;
const GAP: f64 = 1.0;
/// A cell as wide as this has room for its share in figures.
const FIGURES: f64 = 20.0;

/// # Errors
/// When drawing fails.
pub fn figure(found: &[Routing], caption: Caption<'_>) -> Result<Figure, PlotError> {
    let phases: &[Phase] = if found.iter().any(|routing| !routing.shifts.is_empty()) {
        &[Phase::All, Phase::Before, Phase::Loop]
    } else {
        &[Phase::All]
    };
    let panels: Vec<(&Routing, Phase)> =
        found.iter().flat_map(|routing| phases.iter().map(move |&phase| (routing, phase))).collect();
    let shares = found.iter().flat_map(|routing| &routing.loads).flat_map(|load| &load.layers);
    let greatest = shares.flat_map(|layer| layer.shares()).fold(0.0, f64::max);
    let layers = found.iter().map(|routing| routing.shape.layers.len()).max().unwrap_or(1);
    let subtitle = format!(
        "Share of each layer’s selections that go to an expert, in percent: white is 0, the darkest is {:.0}\u{a0}%, \
         the largest share in this figure. Before and in the loop: positions of the texts that end in a loop, split \
         at its first token.",
        100.0 * greatest
    );
    let page = Page {
        title: "Which experts the routers select",
        shows: "",
        subtitle: &subtitle,
        caption,
        legend: Vec::new(),
        panels: panels.iter().map(|(routing, phase)| title(routing, *phase)).collect(),
        columns: phases.len(),
        y_label: "Layer",
        plot_width: if phases.len() == 1 { 520.0 } else { 340.0 },
        plot_height: ROW * layers as f64,
        left_space: Y_AXIS_SPACE,
        right_space: 4.0,
    };
    let svg = page.draw(|index, panel| {
        let (routing, phase) = panels[index];
        match routing.loads.iter().find(|load| load.phase == phase) {
            Some(load) => draw(panel, load, greatest),
            None => panel.say("no text has a loop after a beginning without one"),
        }
    })?;
    Ok(Figure { name: NAME.to_owned(), subject: None, svg })
}

fn title(routing: &Routing, phase: Phase) -> String {
    let n_texts = routing.loads.iter().find(|load| load.phase == phase).map_or(0, |load| load.n_texts);
    match phase {
        Phase::All => format!("{}, {}, T {}: {n_texts} texts", routing.model, routing.chain, routing.temperature),
        Phase::Before => format!("before the loop, {n_texts} texts"),
        Phase::Loop => format!("in the loop, {n_texts} texts"),
    }
}

fn draw(panel: &Panel<'_, '_>, load: &PhaseLoad, greatest: f64) -> Result<(), PlotError> {
    let (canvas, plot) = (panel.canvas, panel.plot);
    let title = font::fit(panel.title, plot.width, TITLE_TYPE.size, TITLE_TYPE.weight);
    canvas.text(&title, (plot.left, plot.top - 8.0), TITLE_TYPE)?;
    let experts = load.layers.first().map_or(1, |layer| layer.selections.len().max(1));
    let width = plot.width / experts as f64;
    let gap = if width > 6.0 { GAP } else { 0.0 };
    for (row, layer) in load.layers.iter().enumerate() {
        let top = plot.top + row as f64 * ROW;
        let middle = top + ROW / 2.0 + 4.0;
        canvas.text(&layer.layer.to_string(), (plot.left - 7.0, middle), TICK_TYPE.aligned(Align::Right))?;
        for (expert, share) in layer.shares().into_iter().enumerate() {
            let left = plot.left + expert as f64 * width;
            let cell = Rect { left, top, width: width - gap, height: ROW - GAP };
            canvas.rect(cell, heat(heat_step(share / greatest.max(f64::MIN_POSITIVE)), PAPER))?;
            if width >= FIGURES {
                let percent = format!("{:.0}", 100.0 * share);
                canvas.text(&percent, (left + width / 2.0, middle - 1.0), SHARE)?;
            }
        }
    }
    let bottom = plot.top + load.layers.len() as f64 * ROW;
    let every = (experts / 16).max(1);
    for expert in (0..experts).step_by(every) {
        let x = plot.left + (expert as f64 + 0.5) * width;
        canvas.text(&expert.to_string(), (x, bottom + 14.0), TICK_TYPE)?;
    }
    if panel.edge.y_label == Labelled::Yes {
        canvas.text_upwards(panel.y_label, (plot.left - 30.0, (plot.top + bottom) / 2.0), LABEL_TYPE)?;
    }
    if panel.edge.x_label == Labelled::Yes {
        canvas.text("Expert", (plot.left + plot.width / 2.0, bottom + 32.0), LABEL_TYPE)?;
    }
    Ok(())
}
