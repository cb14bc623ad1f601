//! What parent and worker say to each other: one JSON line a message, requests
//! on the worker's stdin, replies on its stdout.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::engine::{
    Devices, Effort, EngineFacts, Footprint, Generation, LoadSettings, ModelFacts, PromptCounts, Quantisation,
    Questions, Ticket, Timing, Work,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Read a model's metadata and count the prompts' tokens.
    Inspect {
        path: PathBuf,
        questions: Questions,
    },
    /// Say what the engine can compute on.
    Devices,
    /// Write a model anew, its weights brought to another type.
    Quantise(Quantisation),
    /// Load a model; from then on only `Generate` is understood.
    Load(LoadSettings),
    Generate(Work),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Inspected {
        model: ModelFacts,
        engine: EngineFacts,
        prompt_counts: PromptCounts,
    },
    Devices(Devices),
    Quantised,
    /// The model is loaded.
    Loaded {
        /// None where the engine holds no weights.
        footprint: Option<Footprint>,
        /// How long the engine took to load the model, in seconds; without the hash
        /// of its file and without the measuring.
        seconds: f64,
    },
    Started {
        ticket: Ticket,
    },
    Finished {
        ticket: Ticket,
        generation: Generation,
        timing: Timing,
    },
    /// What was done since the last such message; also a sign of life.
    Worked(Effort),
    /// All of the work is finished.
    Idle,
    /// The request failed; the worker ends.
    Failed {
        reason: String,
    },
}
