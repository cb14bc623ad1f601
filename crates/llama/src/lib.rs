//! Makes of llama.cpp a decoder of many texts at once, through llama-cpp-2.
//!
//! Owns how llama.cpp is asked: loading with the experts where they are wanted, contexts under whose settings a text's
//! logits are the same in any company, decoding in which texts share what they have in common, samplers in Rust that
//! draw token for token as llama.cpp's own do, traces of logits and routing, footprints, quantising. Speaks of these in
//! llama.cpp's words. Knows no experiment, no plan, no file format and no process but its own.
//!
//! - `device`: what llama.cpp sees to compute on, and when a device computes with experts that are on the host
//! - `model`: loading, with the experts where they are wanted
//! - `footprint`: where it put the model's tensors, caches and buffers
//! - `quantise`: model files with weights of another type
//! - `kernels`: products with weights by the crate `matmul`
//! - `limits`: what this machine can do at most
//! - `pace`: how fast weights are multiplied here
//! - `rewrite`: other weights of the same type
//! - `prompt`: from a prompt's text to tokens
//! - `sampler`: chains of llama.cpp's own samplers
//! - [`fast`]: the common chains in Rust, for the same tokens in less time
//! - `choose`: which of the two a job has; `parity`: whether they agree here
//! - `rows`: the tokens of all rows, on several threads where it pays
//! - `context`: how a lane's context is set up
//! - `sequences`: a context, its sequences and their logits
//! - `overflow`: what becomes of a text that fills its context
//! - `decode`: many jobs in one batch; `branches`: which of their tokens have a sequence
//! - `lanes`: several batches side by side
//! - `pool`: what lanes have in common
//! - [`trace`]: texts followed token by token, logits and routing handed over
//! - `messages`: what it tells of itself
//! - `want`: that memory ran out is said
//! - `ceiling`: a decode loop without sampling, to compare with

use std::ffi::{CStr, c_char};

use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_sys_2 as sys;

mod branches;
mod ceiling;
mod chain;
mod choose;
mod context;
mod decode;
mod device;
mod error;
pub mod fast;
mod footprint;
mod kernels;
mod lanes;
mod limits;
mod messages;
mod model;
pub mod options;
mod overflow;
mod pace;
mod parity;
mod pool;
mod prompt;
mod quantise;
mod rewrite;
mod rows;
mod sampler;
mod sequences;
mod settings;
pub mod trace;
mod want;
mod work;

pub use ceiling::ceiling;
pub use chain::{Step, TokenBias};
pub use device::{Device, DeviceKind};
pub use error::Error;
pub use footprint::{Holding, footprint};
pub use kernels::{Finding, Kernels, try_kernels};
pub use lanes::generate;
pub use limits::Limits;
pub use messages::{Messages, tell};
pub use model::{Facts, KeysAndValues, Memory, Model, RopeScaling};
pub use options::ContextOptions;
pub use pace::Pace;
pub use prompt::{ChatForm, Form, Prompt, Write, around_a_prompt};
pub use quantise::FileType;
pub use rewrite::{can_rewrite, rewrite};
pub use rows::Rows;
pub use sampler::{Sampler, check_grammar};
pub use settings::{Bos, HostExperts, LoadMode, Numerics, Overflow, Repack, Samplers, Settings, Sharing, Strategy};
pub use work::{Done, Draws, Eos, Generation, Group, Job, Observer, Stop, Ticket, Timing, Token, Work};
/// For what is not offered here: the very versions that this crate was built with.
pub use {llama_cpp_2, llama_cpp_sys_2, matmul};

/// Versions of the two crates; the workspace's Cargo.toml pins them to exactly these.
const CRATES: &str = "llama-cpp-2 0.1.160, llama-cpp-sys-2 0.1.161";

/// Of what we ask of llama.cpp: counts up whenever a logit may change by it, so that a text is
/// never taken for one that was computed otherwise. 2: flash attention, and twins.
const NUMERICS: u32 = 2;

/// Which llama.cpp this is: the crates that hold it, and ggml's own version. It need not be started.
pub fn version() -> String {
    let of_ggml = |text: *const c_char| {
        // SAFETY: ggml returns static strings that end with a NUL.
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    };
    // SAFETY: both are functions without arguments that read constants.
    let (version, commit) = unsafe { (sys::ggml_version(), sys::ggml_commit()) };
    format!("{CRATES}, ggml {} ({})", of_ggml(version), of_ggml(commit))
}

/// llama.cpp, initialised. One in a process.
pub struct Llama {
    backend: LlamaBackend,
    kernels: Kernels,
}

impl Llama {
    /// Starts llama.cpp, has it multiply weights by `kernels`, which this CPU must have, and tells those of its messages that [`tell`] was asked for, on stderr.
    ///
    /// # Errors
    /// When it has been started before in this process.
    pub fn start(kernels: Kernels) -> Result<Self, Error> {
        want::tell_of_want_of_memory();
        kernels::offer(kernels);
        let backend = LlamaBackend::init().map_err(|error| Error::Start(error.to_string()))?;
        messages::listen();
        Ok(Self { backend, kernels })
    }

    /// What llama.cpp is, as far as it may change a text: versions, build options and CPU features in one line.
    pub fn fingerprint(&self) -> String {
        // SAFETY: returns a pointer to a static string, which we copy at once.
        let features = unsafe { CStr::from_ptr(sys::llama_print_system_info()) }.to_string_lossy();
        let features = features.trim_end_matches([' ', '|']);
        let kernels = match self.kernels {
            Kernels::Ggml => String::new(),
            // All of ours compute the same.
            Kernels::Ours(_) => format!(", matmul {}", matmul::REVISION),
        };
        format!("{CRATES}, numerics {NUMERICS}{kernels}; {features}")
    }
}
