//! Owns `mechanism.json`: where a study's numbers come from. Nothing reads it again but people and their programs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ArmFile;
use crate::domain::{Generate, ModelFacts};
use crate::experiment::{Arm, Kind, Study};
use crate::hardware::Hardware;
use crate::manifest::command_line;
use crate::model::ModelFile;
use crate::plan::{OnDisk, Surveyed};

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

/// Makes the file's bytes, about this run on this machine.
pub fn json(study: &Study, surveyed: &BTreeMap<String, Surveyed>, files: &[ArmFile]) -> Vec<u8> {
    let arms_of = |id: &str| {
        let of_model = files.iter().filter(|file| file.model == id);
        of_model.map(|ArmFile { arm, file, .. }| LoadedArm { arm: *arm, file }).collect()
    };
    let models = study.models.iter().filter_map(|model| {
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
        experiment: &study.name,
        kind: study.kind(),
        question: study.question.as_deref(),
        generate: study.generate,
        base: study.base,
        others: &study.others,
        models: models.collect(),
        hardware: Hardware::survey(),
        command_line: command_line(),
    };
    let mut json = serde_json::to_vec_pretty(&provenance).expect("plain data");
    json.push(b'\n');
    json
}
