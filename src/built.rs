//! Knows what this build of the program is: what a bug report needs beside what was run. Must not know who asks.

use crate::engine::llama::{built_with, kernels_here};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Lines of a head and what it has; the first is the version itself.
pub fn long_version() -> String {
    let commit = match env!("MOE_SWEEP_COMMIT") {
        "" => "not known",
        commit => commit,
    };
    let known =
        [("llama", cfg!(feature = "llama")), ("cuda", cfg!(feature = "cuda")), ("vulkan", cfg!(feature = "vulkan"))];
    let features: Vec<_> = known.into_iter().filter_map(|(name, is_in)| is_in.then_some(name)).collect();
    let features = if features.is_empty() { "none".to_owned() } else { features.join(", ") };
    // The ggml in a crate does not know its commit.
    let llama = built_with().map_or("none in this build".to_owned(), |llama| llama.replace(" (unknown)", ""));
    let kernels: Vec<_> = kernels_here().iter().map(ToString::to_string).collect();
    let kernels = if kernels.is_empty() {
        "none".to_owned()
    } else {
        format!(
            "{}: this CPU has their instructions; a run takes the quickest that computes rightly",
            kernels.join(", ")
        )
    };
    let target = env!("MOE_SWEEP_TARGET");
    format!(
        "{VERSION}\ncommit     {commit}\nllama.cpp  {llama}\nfeatures   {features}\nkernels    {kernels}\ntarget     {target}"
    )
}
