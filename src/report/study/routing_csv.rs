//! Writes the tables of a routing experiment: `routing.csv`, a row an expert; `routing-layers.csv`, a row a layer;
//! `routing-loop.csv`, what a loop changed; `routing-agreement.csv`, a row an arm and layer.

use std::io::{self, Write};

use crate::report::table::Table;
use crate::study::numbers::{AgreementOutcome, Estimate, LayerAgreement, Routing};

const CONDITION: [&str; 3] = ["model", "chain", "temperature"];

fn condition(routing: &Routing) -> Vec<String> {
    vec![routing.model.clone(), routing.chain.clone(), routing.temperature.to_string()]
}

/// The interval's bounds and level, empty where there is none.
fn bounds(Estimate { interval, .. }: Estimate) -> Vec<String> {
    match interval {
        Some(interval) => [interval.low, interval.high, interval.level].map(|bound| bound.to_string()).to_vec(),
        None => vec![String::new(); 3],
    }
}

/// Writes `routing.csv`: how often each expert was selected.
pub fn write_loads(found: &[Routing], out: impl Write) -> io::Result<()> {
    let mut table = Table::new(out);
    let columns = ["phase", "layer", "expert", "n_positions", "selections", "share"];
    table.row(CONDITION.into_iter().chain(columns))?;
    for routing in found {
        for load in &routing.loads {
            for layer in &load.layers {
                for (expert, (selections, share)) in layer.selections.iter().zip(layer.shares()).enumerate() {
                    let counts = [layer.layer as usize, expert, layer.n_positions].map(|n| n.to_string());
                    let row = [
                        condition(routing),
                        vec![load.phase.name().to_owned()],
                        counts.to_vec(),
                        vec![selections.to_string(), share.to_string()],
                    ];
                    table.row(row.concat())?;
                }
            }
        }
    }
    table.flush()
}

/// Writes `routing-layers.csv`: how evenly a layer's experts are loaded, and
/// how unsure its router is.
pub fn write_layers(found: &[Routing], out: impl Write) -> io::Result<()> {
    let mut table = Table::new(out);
    let columns = ["phase", "layer", "n_texts", "n_positions", "load_entropy_nats", "load_evenness"];
    let router = ["router_entropy_nats", "ci_low", "ci_high", "level"];
    table.row(CONDITION.into_iter().chain(columns).chain(router))?;
    for routing in found {
        for load in &routing.loads {
            for layer in &load.layers {
                let row = [
                    condition(routing),
                    vec![load.phase.name().to_owned()],
                    [layer.layer as usize, load.n_texts, layer.n_positions].map(|n| n.to_string()).to_vec(),
                    vec![layer.load_entropy().to_string(), layer.evenness().to_string()],
                    vec![layer.router_entropy.value.to_string()],
                    bounds(layer.router_entropy),
                ];
                table.row(row.concat())?;
            }
        }
    }
    table.flush()
}

/// Writes `routing-loop.csv`: what the loop changed in each layer.
pub fn write_shifts(found: &[Routing], out: impl Write) -> io::Result<()> {
    let mut table = Table::new(out);
    let columns = ["layer", "n_texts", "load_distance", "entropy_change_nats", "ci_low", "ci_high", "level"];
    table.row(CONDITION.into_iter().chain(columns))?;
    for routing in found {
        for shift in &routing.shifts {
            let row = [
                condition(routing),
                vec![shift.layer.to_string(), shift.n_texts.to_string(), shift.load_distance.to_string()],
                vec![shift.entropy_change.value.to_string()],
                bounds(shift.entropy_change),
            ];
            table.row(row.concat())?;
        }
    }
    table.flush()
}

/// Writes `routing-agreement.csv`. All layers together have `all` for a layer;
/// an arm that is the same placement has one row without numbers.
pub fn write_agreements(found: &[Routing], out: impl Write) -> io::Result<()> {
    let mut table = Table::new(out);
    let overlap = ["overlap", "overlap_ci_low", "overlap_ci_high", "overlap_level"];
    let exact = ["exact", "exact_ci_low", "exact_ci_high", "exact_level", "n_positions", "n_prompts"];
    table.row(CONDITION.into_iter().chain(["base", "other", "status", "layer"]).chain(overlap).chain(exact))?;
    for routing in found {
        for agreement in &routing.agreements {
            let arms = vec![routing.base.to_string(), agreement.other.differences(&routing.base)];
            let head = [condition(routing), arms].concat();
            match &agreement.outcome {
                AgreementOutcome::SamePlacement { .. } => {
                    let empty = vec![String::new(); 1 + overlap.len() + exact.len()];
                    table.row([head, vec!["same_placement".to_owned()], empty].concat())?;
                }
                AgreementOutcome::Compared(layers) => {
                    for &LayerAgreement { layer, overlap, exact, n_positions, n_prompts } in layers {
                        let layer = layer.map_or_else(|| "all".to_owned(), |layer| layer.to_string());
                        let row = [
                            head.clone(),
                            vec!["compared".to_owned(), layer, overlap.value.to_string()],
                            bounds(overlap),
                            vec![exact.value.to_string()],
                            bounds(exact),
                            vec![n_positions.to_string(), n_prompts.to_string()],
                        ];
                        table.row(row.concat())?;
                    }
                }
            }
        }
    }
    table.flush()
}
