//! Owns what a run says of itself in `manifest.json`: where its numbers come from. Must not know how it is written,
//! which `format` says, nor how it is shown.
//!
//! It grows by one entry each time a run computes something, so a resumed sweep tells of every machine it saw.

use itertools::Itertools as _;

use crate::domain::{Generate, LoadKey, ModelFacts, Offload};
use crate::engine::http::{Findings, ServerFacts};
use crate::engine::kernels::ChosenKernels;
use crate::engine::{Effort, Footprint, LoadMode, Samplers, Sharing, Strategy};
use crate::experiment::{HubFile, PackageFile, Served, Source};
use crate::hardware::{Ceiling, Hardware};
use crate::model::ModelFile;
use crate::plan::{Load, OnDisk, Origin, Plan};
use crate::runner::{Ending, LoadReport, ProbeReport, RunReport, Settings};

mod format;

#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    pub moe_sweep: String,
    pub experiment: String,
    pub generate: Generate,
    pub models: Vec<ModelEntry>,
    /// What must be known to read the results rightly.
    pub notes: Vec<String>,
    /// Trials that had a record when the last run ended; a journal with fewer has lost some.
    pub n_trials: Option<usize>,
    /// What of earlier runs was changed after it was written, and was taken on trust by a later one, which sealed it
    /// anew.
    pub trusted: Vec<String>,
    /// Oldest first.
    pub runs: Vec<RunEntry>,
}

/// A model as it was placed, for each of its load keys.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelEntry {
    /// The model, and how it was loaded.
    pub key: LoadKey,
    /// Of the file; of a served model, the server's address.
    pub path: String,
    /// Where on the hub the file is from.
    pub hub: Option<HubEntry>,
    /// The packages that the file was taken out of, in order; of other files none.
    pub packages: Vec<PackageFile>,
    pub blake3: String,
    pub size_bytes: Option<u64>,
    /// None where a server does not tell.
    pub facts: Option<ModelFacts>,
    /// What a server says it is, and what it was seen to honour.
    pub server: Option<ServerEntry>,
    pub engine: String,
    pub accelerators: Vec<String>,
    pub placement: Placement,
}

/// A file of the Hugging Face hub.
#[derive(Clone, Debug, PartialEq)]
pub struct HubEntry {
    pub file: HubFile,
    /// The commit that the revision stood for when the file was fetched.
    pub commit: Option<String>,
}

/// A server that was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerEntry {
    pub served: Served,
    pub facts: ServerFacts,
    pub findings: Option<Findings>,
}

/// Where the routed experts are, while the model runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// There is no accelerator: everything is on the host, whatever `offload` says.
    AllOnHost,
    /// The experts that `offload` names are on the host, the rest is not.
    ExpertsOnHost,
    /// The offload names no experts.
    AllOnAccelerator,
    /// A dense model has none.
    NoExperts,
    /// Where a server put them.
    Unknown,
}

/// One invocation of `moe-sweep run` that computed something.
#[derive(Clone, Debug, PartialEq)]
pub struct RunEntry {
    /// Seconds since 1970-01-01 UTC.
    pub started_unix_s: u64,
    pub command_line: Vec<String>,
    pub hardware: Hardware,
    /// Threads in all.
    pub threads: u32,
    /// The most texts decoded together in a lane, where the command says.
    pub batch: Option<u32>,
    /// Changes no token; absent in manifests from when llama.cpp's were the only ones.
    pub samplers: Samplers,
    /// Changes no token; absent in manifests from when it was always the trie.
    pub sharing: Sharing,
    /// Changes no token; absent in manifests where it is the engine's own choice.
    pub load_mode: LoadMode,
    pub ended: String,
    pub trials_done: usize,
    pub effort: Effort,
    pub seconds: f64,
    /// What the machine can do at most; None where it was not measured, as in runs of less than some seconds.
    pub ceiling: Option<Ceiling>,
    pub loads: Vec<LoadEntry>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LoadEntry {
    pub key: LoadKey,
    /// What was loaded; absent in manifests before quantisations were made here.
    pub file: Option<ModelFile>,
    /// What multiplied quantised weights on the host; absent in manifests before there was a choice, and where llama.cpp
    /// did not compute.
    pub kernels: Option<String>,
    /// Why other kernels were not used although this CPU says that it has them, a sentence each.
    pub broken_kernels: Vec<String>,
    /// 1, unless a worker died.
    pub times: u32,
    /// Absent in manifests before there were lanes.
    pub strategy: Option<Strategy>,
    pub effort: Effort,
    /// How long it made texts, all that is in `effort`; absent in manifests before that was measured.
    pub generating_seconds: Option<f64>,
    /// Products of a weight with an activation that a token takes; absent where it is not known.
    pub products_per_token: Option<u64>,
    pub seconds: f64,
    /// Of `seconds`, what the engine took; without the file's hash.
    pub engine_seconds: Option<f64>,
    /// Where the model is, as the engine counts it.
    pub footprint: Option<Footprint>,
    /// Whether texts are the same when made again, alone.
    pub probe: Option<ProbeReport>,
}

impl Manifest {
    /// Makes the manifest of a plan, before any run.
    pub fn new(experiment: &str, plan: &Plan) -> Self {
        let models = plan.loads.iter().map(|load| ModelEntry {
            key: load.key.clone(),
            path: match (&load.surveyed.origin, &load.model.source) {
                (Origin::File(file), _) => file.path.display().to_string(),
                (Origin::Server { .. }, Source::Server(served)) => served.server.url.clone(),
                (Origin::Server { .. }, Source::Path(_) | Source::Hub(_) | Source::Packages(_)) => String::new(),
            },
            hub: hub_entry(load),
            packages: match &load.model.source {
                Source::Packages(packages) => packages.parts().to_vec(),
                Source::Path(_) | Source::Hub(_) | Source::Server(_) => vec![],
            },
            blake3: load.surveyed.blake3.clone(),
            size_bytes: load.surveyed.file().map(|file| file.size_bytes),
            server: server_entry(load),
            facts: load.surveyed.file().map(|file| file.facts.clone()),
            engine: load.surveyed.engine.fingerprint.clone(),
            accelerators: load.surveyed.engine.accelerators.clone(),
            placement: placement(load),
        });
        Self {
            n_trials: None,
            trusted: vec![],
            moe_sweep: env!("CARGO_PKG_VERSION").to_owned(),
            experiment: experiment.to_owned(),
            generate: plan.generate,
            models: models.collect(),
            notes: plan.notes(),
            runs: vec![],
        }
    }

    /// Returns the same with one more run.
    #[must_use]
    pub fn with(&self, run: RunEntry) -> Self {
        let mut more = self.clone();
        more.runs.push(run);
        more
    }

    /// Returns what the runs found out that must be known to read the results rightly, a sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let loads = self.runs.iter().flat_map(|run| &run.loads);
        let probes = loads.filter_map(|load| Some(format!("{}: {}", load.key, load.probe.as_ref()?.warning()?)));
        let kernels =
            self.runs.iter().flat_map(|run| &run.loads).flat_map(|load| &load.broken_kernels).unique().cloned();
        self.trusted.iter().cloned().chain(kernels).chain(probes).chain(self.same_placements()).collect()
    }

    /// Arms that differ in their offload, but not in where any tensor was: by the
    /// engine's own count. Without an accelerator the plan's notes say so already.
    fn same_placements(&self) -> Vec<String> {
        let has_device = |footprint: &Footprint| footprint.device_bytes() > 0;
        let mut seen: Vec<(&LoadKey, &Footprint)> = Vec::new();
        let mut notes = Vec::new();
        for load in self.runs.iter().flat_map(|run| &run.loads) {
            let Some(footprint) = load.footprint.as_ref().filter(|footprint| has_device(footprint)) else { continue };
            if seen.iter().any(|(key, _)| **key == load.key) {
                continue;
            }
            let twin = seen.iter().find(|(key, other)| {
                let differ_in_offload = key.with(load.key.offload()) == load.key;
                differ_in_offload && footprint.same_weights(other)
            });
            if let Some((twin, _)) = twin {
                notes.push(format!(
                    "{} and {}: the same placement, tensor by tensor; the two arms compare nothing",
                    twin, load.key
                ));
            }
            seen.push((&load.key, footprint));
        }
        notes
    }
}

fn hub_entry(load: &Load) -> Option<HubEntry> {
    match &load.model.source {
        Source::Path(_) | Source::Packages(_) | Source::Server(_) => None,
        Source::Hub(file) => {
            let commit = load.surveyed.file().and_then(|file| file.commit.clone());
            Some(HubEntry { file: file.clone(), commit })
        }
    }
}

fn server_entry(load: &Load) -> Option<ServerEntry> {
    match (&load.model.source, &load.surveyed.origin) {
        (Source::Server(served), Origin::Server { facts, findings }) => {
            Some(ServerEntry { served: *served.clone(), facts: facts.clone(), findings: findings.clone() })
        }
        _ => None,
    }
}

fn placement(load: &Load) -> Placement {
    let Some(OnDisk { facts, .. }) = load.surveyed.file() else { return Placement::Unknown };
    if facts.n_expert == 0 {
        Placement::NoExperts
    } else if load.surveyed.engine.accelerators.is_empty() {
        Placement::AllOnHost
    } else if load.key.offload() == Offload::None {
        Placement::AllOnAccelerator
    } else {
        Placement::ExpertsOnHost
    }
}

/// What `ended` says of a run that has not, or was killed.
pub const NOT_ENDED: &str = "not ended";
const COMPLETE: &str = "complete";
const INTERRUPTED: &str = "interrupted";

/// Returns what was typed; what of it is no UTF-8 is marked.
pub fn command_line() -> Vec<String> {
    std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect()
}

impl RunEntry {
    /// Makes the entry of a run of which no more is known than that it began here. `started_unix_s` is in seconds.
    pub fn begun(started_unix_s: u64, settings: &Settings) -> Self {
        let entry = Self::new(started_unix_s, settings, &RunReport::default());
        Self { ended: NOT_ENDED.to_owned(), ..entry }
    }

    /// Says whether the run told how it ended, and so what it did.
    pub fn has_ended(&self) -> bool {
        self.ended != NOT_ENDED
    }

    /// Says whether it came to the end of its plan, or of what a sequential experiment needs of it.
    pub fn is_complete(&self) -> bool {
        self.ended == COMPLETE
    }

    /// Says whether somebody stopped it, or it was killed.
    pub fn was_stopped(&self) -> bool {
        self.ended == INTERRUPTED || !self.has_ended()
    }

    pub fn new(started_unix_s: u64, settings: &Settings, report: &RunReport) -> Self {
        Self {
            started_unix_s,
            command_line: command_line(),
            hardware: Hardware::survey(),
            threads: settings.options.limits.threads,
            batch: settings.options.limits.batch,
            samplers: settings.options.samplers,
            sharing: settings.options.sharing,
            load_mode: settings.options.load_mode,
            ended: match &report.ending {
                Ending::Complete => COMPLETE.to_owned(),
                Ending::Interrupted => INTERRUPTED.to_owned(),
                Ending::Unreachable(_) => "server unreachable".to_owned(),
                Ending::OutOfMemory(_) => "out of memory".to_owned(),
                Ending::Crashed(_) => "engine crashed".to_owned(),
            },
            trials_done: report.trials_done,
            effort: report.effort,
            seconds: report.seconds,
            ceiling: report.ceiling,
            loads: report.loads.iter().map(LoadEntry::new).collect(),
        }
    }
}

impl LoadEntry {
    fn new(report: &LoadReport) -> Self {
        let LoadReport {
            ref key,
            ref file,
            ref kernels,
            times,
            strategy,
            effort,
            generating_seconds,
            products_per_token,
            seconds,
            engine_seconds,
            ref footprint,
            ref probe,
        } = *report;
        Self {
            key: key.clone(),
            file: file.clone(),
            kernels: kernels.as_ref().map(|chosen| chosen.kernels.to_string()),
            broken_kernels: kernels.as_ref().map_or(vec![], ChosenKernels::warnings),
            times,
            strategy,
            effort,
            generating_seconds: Some(generating_seconds),
            products_per_token,
            seconds,
            engine_seconds: Some(engine_seconds),
            footprint: footprint.clone(),
            probe: probe.clone(),
        }
    }

    /// Products of a weight with an activation a second, while it made texts; None where something of it is not known.
    pub fn products_per_s(&self) -> Option<f64> {
        let seconds = self.generating_seconds.filter(|&seconds| seconds > 0.0)?;
        Some(self.products_per_token? as f64 * self.effort.evaluated_tokens as f64 / seconds)
    }
}
