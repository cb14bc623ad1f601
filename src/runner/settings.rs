//! Holds what a plan is run with, as far as it is not the plan's.

use std::time::Duration;

use crate::engine::{Limits, LoadMode, Samplers, Sharing};
use crate::model::ModelFiles;
use crate::worker::Executable;

/// What a plan is run with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The executable whose `worker` subcommand is the worker.
    pub executable: Executable,
    /// For every model and quantisation of the plan that is still to run.
    pub files: ModelFiles,
    pub options: RunOptions,
}

/// How a plan is run, as far as it changes no text.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// What each load's strategy is chosen within.
    pub limits: Limits,
    pub samplers: Samplers,
    pub sharing: Sharing,
    pub load_mode: LoadMode,
    /// A worker that gives no sign of life for so long is ended.
    pub stall_timeout: Duration,
    /// How long memory is waited for in all, each time that a model finds too little.
    pub memory_patience: Duration,
}
