//! Owns what a run says of itself when it has ended, for the manifest. Must not know how it is run.

use super::crash::Crash;
use super::probe::ProbeReport;
use crate::domain::LoadKey;
use crate::engine::kernels::ChosenKernels;
use crate::engine::{Effort, Footprint, Strategy};
use crate::hardware::Ceiling;
use crate::model::ModelFile;

/// What was done, for the manifest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunReport {
    pub ending: Ending,
    pub loads: Vec<LoadReport>,
    /// Trials computed by this run, failures included.
    pub trials_done: usize,
    pub effort: Effort,
    pub seconds: f64,
    /// What the machine can do at most; None where it was not measured.
    pub ceiling: Option<Ceiling>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    #[default]
    Complete,
    /// Somebody asked to stop; the journal holds everything that was finished.
    Interrupted,
    /// A server is gone, and why that is thought; the journal holds everything
    /// that was finished, and its other trials have not failed.
    Unreachable(String),
    /// There is not enough memory, and how that showed; as above.
    OutOfMemory(String),
    /// The engine of some load keys dies whatever it is asked. All others were run; the trials of these have not failed.
    Crashed(Vec<Crash>),
}

/// The loading of one load key's model.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadReport {
    pub key: LoadKey,
    /// What was loaded; None where a server did it.
    pub file: Option<ModelFile>,
    /// What multiplies quantised weights on the host; None where llama.cpp does not compute.
    pub kernels: Option<ChosenKernels>,
    /// How often its weights were loaded: 1, unless a worker died, or a run in parts came back to it; 0 where those of
    /// another load key were there.
    pub times: u32,
    /// None where a server decides.
    pub strategy: Option<Strategy>,
    pub effort: Effort,
    /// How long it made texts, in seconds: all that is in `effort`.
    pub generating_seconds: f64,
    /// Products of a weight with an activation that a token takes; None where a server computes, or the file does not tell.
    pub products_per_token: Option<u64>,
    /// The last time's duration, from the worker's start; with the file's hash.
    pub seconds: f64,
    /// The last time's duration of the engine's loading alone.
    pub engine_seconds: f64,
    /// Where the model is; None where the engine holds no weights.
    pub footprint: Option<Footprint>,
    /// None where the sweep was interrupted first.
    pub probe: Option<ProbeReport>,
}
