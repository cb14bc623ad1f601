//! Lets llama.cpp multiply weights by the kernels of the crate `matmul`.
//!
//! llama.cpp's CPU back end asks each of its extra buffer types which weights it would hold and which operations it computes
//! with them; ours holds those of the formats that `matmul` has. All else stays with ggml.
//!
//! - `buffer`: the buffer type: where weights are laid out for the kernels
//! - `multiply`: products with these weights, shared among ggml's threads

mod buffer;
mod multiply;

use std::sync::OnceLock;

pub(crate) use buffer::buffer_type;

/// Which kernels multiply weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernels {
    /// ggml's own.
    Ggml,
    /// Those of the crate `matmul`, all of which compute the same.
    Ours(matmul::Kernels),
}

/// Those that llama.cpp was told of when it was started, if they are ours.
static OURS: OnceLock<matmul::Kernels> = OnceLock::new();

/// Tells llama.cpp of the kernels, before it is asked for anything.
pub(crate) fn offer(kernels: Kernels) {
    if let Kernels::Ours(kernels) = kernels
        && OURS.set(kernels).is_ok()
    {
        buffer::offer();
    }
}

/// Whether llama.cpp has kernels of ours.
pub(crate) fn are_ours() -> bool {
    OURS.get().is_some()
}

/// What a trial of kernels showed on this machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Finding {
    /// The CPU does not have their instructions.
    Absent,
    Tried(matmul::Probe),
}

/// Tries kernels in this process, which may not survive it. Of ggml's nothing is to be found.
pub fn try_kernels(kernels: Kernels) -> Finding {
    match kernels {
        Kernels::Ours(kernels) if kernels.is_supported() => Finding::Tried(matmul::probe(kernels)),
        Kernels::Ours(_) | Kernels::Ggml => Finding::Absent,
    }
}
