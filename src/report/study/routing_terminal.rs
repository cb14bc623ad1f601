//! Shows a routing experiment on the terminal: a table of layers, the arms below.

use std::fmt::Write as _;

use super::{percent, with_interval};
use crate::plain::neutralise;
use crate::study::numbers::{Agreement, AgreementOutcome, Estimate, LayerLoad, LoopShift, Phase, Routing};

/// The summary of all models, and where their files are.
pub fn summary(found: &[Routing], directory: &str) -> String {
    let mut out = String::new();
    for routing in found {
        let Routing { model, chain, temperature, base, shape, n_texts, n_loops, .. } = routing;
        let _ = writeln!(out, "{}, {} at T {temperature}: {base}", neutralise(model), neutralise(chain));
        let _ = writeln!(
            out,
            "  {} of {} experts selected per layer; {n_texts} texts, {n_loops} end in a loop",
            shape.n_used, shape.n_expert
        );
        out += &layers(routing);
        routing.agreements.iter().for_each(|agreement| out += &lines(routing, agreement));
        out.push('\n');
    }
    out += "evenness: entropy of the experts' load divided by its maximum; router: mean entropy of its probabilities, \
            nats;\nloop: what changes when the text loops; brackets: 95 % intervals over prompts\n";
    let plots = format!("{directory}/plots");
    let _ = writeln!(out, "results: {directory}\nplots:   {plots}/routing-load.png, {plots}/routing-agreement.png");
    out
}

fn layers(routing: &Routing) -> String {
    let Some(all) = routing.loads.iter().find(|load| load.phase == Phase::All) else { return String::new() };
    let mut out = String::new();
    for layer in &all.layers {
        let busiest = layer.shares().into_iter().fold(0.0, f64::max);
        let LayerLoad { router_entropy, .. } = layer;
        let _ = write!(
            out,
            "  layer {:<3} evenness {:.3}, busiest expert {}, router {:.3}",
            layer.layer,
            layer.evenness(),
            percent(busiest),
            router_entropy.value
        );
        if let Some(LoopShift { load_distance, entropy_change, n_texts, .. }) =
            routing.shifts.iter().find(|shift| shift.layer == layer.layer)
        {
            let change = with_interval(*entropy_change, |nats| format!("{nats:+.3}"));
            let _ = write!(out, "; loop ({n_texts} texts): load moves {}, router {change}", percent(*load_distance));
        }
        out.push('\n');
    }
    out
}

fn lines(routing: &Routing, agreement: &Agreement) -> String {
    let mut out = format!("  {}: ", agreement.other.differences(&routing.base));
    match &agreement.outcome {
        AgreementOutcome::SamePlacement { why } => {
            let _ = writeln!(out, "same placement as base: {why}; no conclusion about offload");
        }
        AgreementOutcome::Compared(layers) => {
            let least = layers.iter().filter(|layer| layer.layer.is_some());
            let least = least.min_by(|a, b| a.overlap.value.total_cmp(&b.overlap.value));
            if let Some(all) = layers.iter().find(|layer| layer.layer.is_none()) {
                let show = |estimate: Estimate| with_interval(estimate, percent);
                let _ = write!(out, "{} of experts shared, {} of sets", show(all.overlap), show(all.exact));
            }
            if let Some((number, least)) = least.and_then(|least| Some((least.layer?, least))) {
                let _ = write!(out, "; lowest in layer {number}: {}", percent(least.overlap.value));
            }
            out.push('\n');
        }
    }
    if let Some(note) = &agreement.note {
        let _ = writeln!(out, "    note: {note}");
    }
    out
}
