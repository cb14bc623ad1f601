//! Keeps the model in a child process, for llama.cpp aborts its process on some inputs, and a sweep must outlive that.
//!
//! - `protocol`: the messages, a JSON line each
//! - `child`: `moe-sweep worker`, which owns the model
//! - `supervisor`: starts it, feeds it, notices when it dies or hangs
//! - `exchange`: a request, and its replies until the answer
//! - `death`: how it ended, and whose doing that was
//! - `devices`: what it can compute on
//! - `executable`: what it is started from
//! - `kernels`: which of them multiply quantised weights
//! - `unusable`: that they can't be used
//! - `pace`: how fast it computes
//!
//! Knows engines; must not know plans, journals or metrics.

pub mod child;
mod death;
mod devices;
mod exchange;
mod executable;
mod kernels;
mod pace;
pub mod protocol;
pub mod supervisor;
mod unusable;

pub use death::{Cause, Death, Way};
pub use devices::{DevicesError, list_devices};
pub use exchange::{Exchange, Heard, Limits, POLL, Unanswered};
pub use executable::Executable;
pub use kernels::{kernels, kernels_for};
pub use pace::{bench, measure_ceiling, measure_pace};
pub use supervisor::{ReceiveError, Worker};
pub use unusable::UnusableKernels;
