//! `moe-sweep plan` of a mechanism experiment: what would run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::domain::Factor;
use crate::experiment::{Arm, Kind, Mechanism};
use crate::mechanism::{Machine, same_placement};
use crate::plan::{OnDisk, Surveyed};

/// Models, arms, and texts, and which arms are the same as the base here.
pub fn describe(mechanism: &Mechanism, surveyed: &BTreeMap<String, Surveyed>, directory: &Path) -> String {
    let Mechanism { kind, experiment, base, others } = mechanism;
    let grid = &experiment.grid;
    let texts = match kind {
        Kind::Routing => {
            let seeds: usize = grid.chains.iter().map(|chain| grid.seeds_of(chain).len()).sum();
            seeds * grid.levels[Factor::Temperature].len() * experiment.prompts.len()
        }
        Kind::Divergence | Kind::Sweep => experiment.prompts.len(),
    };
    let question = experiment.question.as_deref().unwrap_or("no question stated");
    let mut out = format!("{}: {question}\n", experiment.name);
    let mut line = |text: String| {
        let _ = writeln!(out, "  {text}");
    };
    line(format!("kind     {kind}"));
    line(format!("texts    {texts} a model, of at most {} tokens", experiment.generate.max_tokens));
    line(format!("base     {base}"));
    others.iter().for_each(|other| line(format!("other    {}", other.differences(base))));
    for model in &grid.models {
        let Some(OnDisk { facts, .. }) = surveyed[&model.id].file() else { continue };
        let experts = match facts.n_expert {
            0 => "dense".to_owned(),
            n => format!("{n} experts, {} used", facts.n_expert_used),
        };
        line(format!("model    {} ({}, {} layers, {experts})", model.id, facts.architecture, facts.n_layer));
        for other in others {
            if let Some(why) = same_as_base(mechanism, &surveyed[&model.id], other) {
                line(format!("note     {}, {}: {why}", model.id, other.differences(base)));
            }
        }
    }
    line(format!("results  {}", directory.display()));
    out
}

/// Why an arm's offload places nothing otherwise than the base's here.
pub fn same_as_base(mechanism: &Mechanism, surveyed: &Surveyed, other: &Arm) -> Option<String> {
    let facts = &surveyed.file()?.facts;
    let n_accelerators = surveyed.engine.accelerators.len();
    let machine = Machine { n_expert: facts.n_expert, n_layer: facts.n_layer, n_accelerators };
    same_placement(&mechanism.base, other, machine)
}
