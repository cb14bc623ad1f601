//! `mechanism.json`: where a mechanism experiment's numbers come from.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ArmFile;
use crate::domain::{Generate, ModelFacts};
use crate::experiment::{Arm, Kind, Mechanism, Model};
use crate::hardware::Hardware;
use crate::manifest::command_line;
use crate::model::ModelFile;
use crate::plan::{OnDisk, Surveyed};
use crate::report::html::Facts;
use crate::run_dir::{EXPERIMENT, STUDY};

#[derive(Serialize)]
struct Provenance<'a> {
    moe_sweep: &'static str,
    experiment: &'a str,
    kind: Kind,
    question: Option<&'a str>,
    generate: Generate,
    base: Arm,
    others: &'a [Arm],
    models: Vec<ModelEntry<'a>>,
    hardware: Hardware,
    command_line: Vec<String>,
}

#[derive(Serialize)]
struct ModelEntry<'a> {
    id: &'a str,
    facts: &'a ModelFacts,
    engine: &'a str,
    accelerators: &'a [String],
    /// Why `numerics = "invariant"` does not hold in this build, if so.
    variance: Option<&'a str>,
    arms: Vec<LoadedArm<'a>>,
}

#[derive(Serialize)]
struct LoadedArm<'a> {
    #[serde(flatten)]
    arm: Arm,
    file: &'a ModelFile,
}

pub fn json(mechanism: &Mechanism, surveyed: &BTreeMap<String, Surveyed>, files: &[ArmFile]) -> Vec<u8> {
    let arms_of = |id: &str| {
        let of_model = files.iter().filter(|file| file.model == id);
        of_model.map(|ArmFile { arm, file, .. }| LoadedArm { arm: *arm, file }).collect()
    };
    let experiment = &mechanism.experiment;
    let models = experiment.grid.models.iter().filter_map(|model| {
        let Surveyed { engine, .. } = &surveyed[&model.id];
        let OnDisk { facts, .. } = surveyed[&model.id].file()?;
        Some(ModelEntry {
            id: &model.id,
            facts,
            engine: &engine.fingerprint,
            accelerators: &engine.accelerators,
            variance: engine.variance.as_deref(),
            arms: arms_of(&model.id),
        })
    });
    let provenance = Provenance {
        moe_sweep: env!("CARGO_PKG_VERSION"),
        experiment: &experiment.name,
        kind: mechanism.kind,
        question: experiment.question.as_deref(),
        generate: experiment.generate,
        base: mechanism.base,
        others: &mechanism.others,
        models: models.collect(),
        hardware: Hardware::survey(),
        command_line: command_line(),
    };
    let mut json = serde_json::to_vec_pretty(&provenance).expect("plain data");
    json.push(b'\n');
    json
}

/// The same in words, for the page.
pub fn facts(mechanism: &Mechanism, surveyed: &BTreeMap<String, Surveyed>) -> Vec<Facts> {
    let Mechanism { experiment, kind, base, others, .. } = mechanism;
    let others: Vec<_> = others.iter().map(|other| other.differences(base)).collect();
    let program = vec![
        ("moe-sweep", env!("CARGO_PKG_VERSION").to_owned()),
        ("kind", kind.to_string()),
        ("base", base.to_string()),
        ("others", others.join("; ")),
        ("texts", format!("{} prompts, at most {} tokens", experiment.prompts.len(), experiment.generate.max_tokens)),
        ("CPU", Hardware::survey().cpu.unwrap_or_else(|| "not known".to_owned())),
        ("all of it", [STUDY, EXPERIMENT].join(", ")),
    ];
    let model = |model: &Model| {
        let Surveyed { engine, blake3, .. } = &surveyed[&model.id];
        let facts = &surveyed[&model.id].file()?.facts;
        let shape = format!("{}, {} layers, {} experts", facts.architecture, facts.n_layer, facts.n_expert);
        let facts = vec![("blake3", blake3.clone()), ("architecture", shape), ("engine", engine.fingerprint.clone())];
        Some(Facts { title: model.id.clone(), facts })
    };
    let models = experiment.grid.models.iter().filter_map(model);
    std::iter::once(Facts { title: String::new(), facts: program }).chain(models).collect()
}
