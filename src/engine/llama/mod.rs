//! llama.cpp as an engine, through llama-cpp-2. The only place that calls it.
//!
//! - `device`: what llama.cpp sees to compute on
//! - `model`: loading, with the experts where the offload wants them
//! - `footprint`: where it put the model's tensors, caches and buffers
//! - `quantise`: model files with weights of another type
//! - `prompt`: from a prompt's text to tokens
//! - `sampler`: chains of llama.cpp's own samplers
//! - `fast`: the common chains in Rust, for the same tokens in less time
//! - `choose`: which of the two a job has; `parity`: whether they agree here
//! - `rows`: the tokens of all rows, on several threads where it pays
//! - `context`: how a lane's context is set up
//! - `takeover`: when a device computes with experts that are on the host
//! - `sequences`: a context, its sequences and their logits
//! - `decode`: many jobs in one batch
//! - `lanes`: several batches side by side
//! - `pool`: what lanes have in common
//! - `trace`: texts followed token by token, logits and routing recorded
//! - `want`: that memory ran out is said
//! - `ceiling`: a decode loop without sampling, to compare with

use std::ffi::{CStr, c_char, c_void};
use std::io::{self, Write as _};
use std::path::Path;

use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_sys_2 as sys;

use super::{EngineError, EngineFacts, ModelFacts, PromptCounts, Questions};
use crate::domain::Template;

mod ceiling;
mod choose;
mod context;
mod decode;
mod device;
pub mod fast;
mod footprint;
mod lanes;
mod model;
mod parity;
mod pool;
mod prompt;
mod quantise;
mod rows;
mod sampler;
mod sequences;
mod takeover;
mod trace;
mod want;

pub use ceiling::ceiling;
pub use footprint::footprint;
pub use lanes::LlamaEngine;
pub use model::Model;
pub use rows::Rows;
pub use sampler::Sampler;

/// Versions of the two crates; Cargo.toml pins them to exactly these.
const CRATES: &str = "llama-cpp-2 0.1.160, llama-cpp-sys-2 0.1.161";

/// Of what we ask of llama.cpp: counts up whenever a logit may change by it, so that a text is
/// never taken for one that was computed otherwise. 2: flash attention, and twins.
const NUMERICS: u32 = 2;

/// llama.cpp, initialised. One in a process.
pub struct Llama {
    backend: LlamaBackend,
}

impl Llama {
    /// Starts llama.cpp and lets only its warnings and errors through, on stderr.
    ///
    /// # Errors
    /// When it has been started before in this process.
    pub fn start() -> Result<Self, EngineError> {
        want::tell_of_want_of_memory();
        let backend = LlamaBackend::init().map_err(|error| EngineError::Start(error.to_string()))?;
        // SAFETY: the callback is a plain function that keeps no state.
        unsafe { sys::llama_log_set(Some(log_warnings), std::ptr::null_mut()) };
        Ok(Self { backend })
    }

    pub fn facts(&self) -> EngineFacts {
        // SAFETY: returns a pointer to a static string, which we copy at once.
        let features = unsafe { CStr::from_ptr(sys::llama_print_system_info()) }.to_string_lossy();
        let features = features.trim_end_matches([' ', '|']);
        let accelerators = self.devices().devices.into_iter().filter(|device| device.kind.holds_weights());
        let accelerators: Vec<_> =
            accelerators.map(|device| format!("{} ({})", device.name, device.description)).collect();
        let untested = cfg!(not(target_arch = "x86_64")).then(|| {
            format!("it was tested on x86-64 only, and ggml has other kernels for {}", std::env::consts::ARCH)
        });
        let on_gpu = accelerators.first().map(|device| {
            format!("{device} sums in an order that the batch's width chooses; with --batch 1 no text has company")
        });
        let variance = on_gpu.or(untested);
        EngineFacts { fingerprint: format!("{CRATES}, numerics {NUMERICS}; {features}"), accelerators, variance }
    }

    /// Reads a model's metadata and counts the tokens of each prompt, without
    /// loading any weights.
    ///
    /// # Errors
    /// When the file is not a model that llama.cpp can load, or ends too early.
    pub fn inspect(&self, path: &Path, questions: &Questions) -> Result<(ModelFacts, PromptCounts), EngineError> {
        let model = Model::load_vocabulary(&self.backend, path)?;
        let Questions { prompts, templates, bos } = questions;
        let count = |prompt: &String, template| Ok(model.tokenize(prompt, template, *bos)?.len() as u32);
        let of_template = |&template: &Template| {
            (template, prompts.iter().map(|prompt| count(prompt, template)).collect::<Result<_, String>>())
        };
        let chat = if templates.contains(&Template::Chat) { model.chat_form().ok().map(Box::new) } else { None };
        let facts = ModelFacts { chat, ..model.facts() };
        Ok((facts, templates.iter().map(of_template).collect()))
    }
}

extern "C" fn log_warnings(level: sys::ggml_log_level, text: *const c_char, _: *mut c_void) {
    if level == sys::GGML_LOG_LEVEL_WARN || level == sys::GGML_LOG_LEVEL_ERROR {
        // SAFETY: llama.cpp hands over a NUL-terminated string that lives during the call.
        let text = unsafe { CStr::from_ptr(text) };
        // Nobody may be left to read it.
        let _ = io::stderr().write_all(text.to_bytes());
    }
}
