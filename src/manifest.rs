//! `manifest.json`: where a run's numbers come from.
//!
//! Owns the file's shape. It grows by one entry each time a run computes
//! something, so a resumed sweep tells of every machine it saw.

use serde::{Deserialize, Serialize};

use crate::engine::{Effort, ModelFacts, Samplers};
use crate::experiment::{Generate, Offload, Quant};
use crate::hardware::Hardware;
use crate::model::ModelFile;
use crate::plan::{LoadKey, Plan};
use crate::runner::{Ending, LoadReport, RunReport, Settings};

/// The manifest's name in a run's directory.
pub const FILE_NAME: &str = "manifest.json";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub moe_sweep: String,
    pub experiment: String,
    pub generate: Generate,
    pub models: Vec<ModelEntry>,
    /// What must be known to read the results rightly.
    pub notes: Vec<String>,
    /// Oldest first.
    pub runs: Vec<RunEntry>,
}

/// A model as it was placed, for each of its load keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelEntry {
    pub id: String,
    pub path: String,
    pub blake3: String,
    pub size_bytes: u64,
    pub facts: ModelFacts,
    pub engine: String,
    pub accelerators: Vec<String>,
    #[serde(default)]
    pub quant: Quant,
    pub offload: Offload,
    pub placement: Placement,
}

/// Where the routed experts are, while the model runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// There is no accelerator: everything is on the host, whatever `offload` says.
    AllOnHost,
    /// The experts that `offload` names are on the host, the rest is not.
    ExpertsOnHost,
    /// The offload names no experts.
    AllOnAccelerator,
    /// A dense model has none.
    NoExperts,
}

/// One invocation of `moe-sweep run` that computed something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEntry {
    /// Seconds since 1970-01-01 UTC.
    pub started_unix_s: u64,
    pub command_line: Vec<String>,
    pub hardware: Hardware,
    pub threads: u32,
    pub batch: u32,
    /// Changes no token; absent in manifests from when llama.cpp's were the only ones.
    #[serde(default = "llama_samplers")]
    pub samplers: Samplers,
    pub ended: String,
    pub trials_done: usize,
    #[serde(flatten)]
    pub effort: Effort,
    pub seconds: f64,
    pub loads: Vec<LoadEntry>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadEntry {
    #[serde(flatten)]
    pub key: LoadKey,
    /// What was loaded; absent in manifests before quantisations were made here.
    #[serde(default)]
    pub file: Option<ModelFile>,
    /// 1, unless a worker died.
    pub times: u32,
    /// Sequences decoded together, at most: `batch`, or as many as fitted.
    pub rows: u32,
    pub seconds: f64,
}

impl Manifest {
    /// The manifest of a plan, before any run.
    pub fn new(experiment: &str, plan: &Plan) -> Self {
        let models = plan.loads.iter().map(|load| ModelEntry {
            id: load.model.id.clone(),
            path: load.model.path.display().to_string(),
            blake3: load.surveyed.blake3.clone(),
            size_bytes: load.surveyed.size_bytes,
            facts: load.surveyed.facts.clone(),
            engine: load.surveyed.engine.fingerprint.clone(),
            accelerators: load.surveyed.engine.accelerators.clone(),
            quant: load.quant,
            offload: load.offload,
            placement: placement(load),
        });
        Self {
            moe_sweep: env!("CARGO_PKG_VERSION").to_owned(),
            experiment: experiment.to_owned(),
            generate: plan.generate,
            models: models.collect(),
            notes: plan.notes(),
            runs: vec![],
        }
    }
}

fn llama_samplers() -> Samplers {
    Samplers::Llama
}

fn placement(load: &crate::plan::Load) -> Placement {
    if load.surveyed.facts.n_expert == 0 {
        Placement::NoExperts
    } else if load.surveyed.engine.accelerators.is_empty() {
        Placement::AllOnHost
    } else if load.offload == Offload::None {
        Placement::AllOnAccelerator
    } else {
        Placement::ExpertsOnHost
    }
}

impl RunEntry {
    pub fn new(started_unix_s: u64, settings: &Settings, report: &RunReport) -> Self {
        Self {
            started_unix_s,
            command_line: std::env::args().collect(),
            hardware: Hardware::survey(),
            threads: settings.threads,
            batch: settings.rows,
            samplers: settings.samplers,
            ended: match report.ending {
                Ending::Complete => "complete".to_owned(),
                Ending::Interrupted => "interrupted".to_owned(),
            },
            trials_done: report.trials_done,
            effort: report.effort,
            seconds: report.seconds,
            loads: report.loads.iter().map(LoadEntry::new).collect(),
        }
    }
}

impl LoadEntry {
    fn new(report: &LoadReport) -> Self {
        let LoadReport { ref key, ref file, times, rows, seconds } = *report;
        Self { key: key.clone(), file: Some(file.clone()), times, rows, seconds }
    }
}
