//! Brings a run into the form of a baseline.

use std::collections::BTreeSet;

use super::{Baseline, Facts};
use crate::analysis::Analysis;
use crate::manifest::Manifest;
use crate::results::Results;

/// Brings a run into the form of a baseline.
pub fn baseline_of(results: &Results) -> Baseline {
    let Results { design, manifest, analysis, .. } = results;
    let facts = Facts {
        experiment: design.name.clone(),
        generate: design.generate,
        models: manifest.models.iter().map(|model| (model.key.model().to_owned(), model.blake3.clone())).collect(),
        chains: Facts::chains_of(design),
        prompts: Facts::prompts_of(design),
        moe_sweep: manifest.moe_sweep.clone(),
        engines: engines(manifest),
        cpus: cpus(manifest),
    };
    Baseline::new(facts, analysis)
}

/// A run together with one of fresh seeds: of what draws, the texts of both.
pub fn pooled(first: &Results, mut fresh: Results) -> (Baseline, Analysis) {
    let drawn = first.analysis.trials.iter().filter(|scored| scored.trial.seed.is_some());
    fresh.analysis.trials.extend(drawn.cloned());
    (baseline_of(&fresh), fresh.analysis)
}

fn engines(manifest: &Manifest) -> Vec<String> {
    manifest.models.iter().map(|model| model.engine.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}

fn cpus(manifest: &Manifest) -> Vec<String> {
    let cpus: BTreeSet<_> = manifest.runs.iter().filter_map(|run| run.hardware.cpu.clone()).collect();
    cpus.into_iter().collect()
}
