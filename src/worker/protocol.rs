//! Owns what parent and worker say to each other: one JSON line a message, requests on the worker's stdin, replies on
//! its stdout.
//!
//! A process and its own child are of one version: so messages hold the domain's types as they are, have no version, and
//! may change with any commit. What is on disk has types of its own.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::{Generation, ModelFacts};
use crate::engine::http::{Findings, ServerFacts};
use crate::engine::kernels::{Kernels, KernelsFinding};
use crate::engine::{
    Devices, Effort, EngineFacts, Footprint, Grammar, LoadSettings, PromptCounts, Quantisation, Questions, Ticket,
    Timing, TraceWork, Traced, Work,
};
use crate::experiment::Served;
use crate::hardware::{Bench, Ceiling, Pace};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Read a model's metadata and count the prompts' tokens.
    Inspect {
        #[serde(with = "crate::any_path")]
        path: PathBuf,
        questions: Questions,
    },
    /// Have the engine read a grammar for a model.
    CheckGrammar {
        #[serde(with = "crate::any_path")]
        path: PathBuf,
        grammar: Grammar,
    },
    /// Ask a server what it is; from then on only `ProbeServer` is understood.
    InspectServer {
        served: Served,
        /// Tokens of context that its texts are to have.
        context: u32,
    },
    /// Try what the server honours.
    ProbeServer(Questions),
    /// Say what the engine can compute on.
    Devices,
    /// Say whether the kernels compute what they should, and how fast.
    TryKernels(Kernels),
    /// Measure how fast the host computes.
    Pace {
        threads: u32,
    },
    /// Measure how fast the host computes, and what it can do at most.
    Bench {
        threads: u32,
    },
    /// Measure what the host can do at most.
    Ceiling {
        threads: u32,
    },
    /// Write a model with its weights in another type.
    Quantise(Quantisation),
    /// Load a model; from then on only `Reuse`, `Generate` and `Trace` are understood.
    Load(LoadSettings),
    /// Go on with the weights that are loaded, in contexts of other settings; answered as `Load`.
    Reuse(LoadSettings),
    /// Use a server; from then on only `Generate` is understood.
    Connect {
        served: Served,
        /// Tokens of context for each text.
        context: u32,
    },
    Generate(Work),
    /// Follow texts and record what a study needs.
    Trace(TraceWork),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Inspected {
        model: ModelFacts,
        engine: EngineFacts,
        prompt_counts: PromptCounts,
    },
    /// It can be read.
    CheckedGrammar,
    InspectedServer {
        server: ServerFacts,
        engine: EngineFacts,
    },
    ProbedServer(Findings),
    Devices(Devices),
    TriedKernels(KernelsFinding),
    /// None where there is nothing to go by.
    Pace(Option<Pace>),
    Bench(Bench),
    /// None where the kernels' instructions are not known.
    Ceiling(Option<Ceiling>),
    Quantised,
    /// The model is loaded, or the server known.
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
    /// A text has a token from a step that it made itself, for the first time since the model was loaded: the engine
    /// works. Texts that are finished say the same; a server's are not followed so closely.
    Stepped,
    /// There will be no text for it.
    GivenUp {
        ticket: Ticket,
        reason: String,
        attempts: u32,
    },
    /// A text is asked for again after a pause.
    Pausing {
        reason: String,
        seconds: f64,
    },
    /// The model is somewhere else, and can't be asked any more; the worker ends.
    Unreachable {
        reason: String,
    },
    /// What was done since the last such message; also a sign of life.
    Worked(Effort),
    /// All texts were followed; what was recorded lies in files.
    Traced(Vec<Traced>),
    /// All of the work is finished.
    Idle,
    /// The request failed; the worker ends.
    Failed {
        reason: String,
    },
}
