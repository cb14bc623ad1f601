//! What needs llama.cpp: its arithmetic, samplers, memory and quantiser, and whole runs with a bundled model.

#[path = "../support/alone.rs"]
mod alone;
#[path = "../support/sampling.rs"]
mod sampler_cases;
#[path = "../support/mod.rs"]
mod support;

mod bit_exactness;
mod invariance;
mod mechanism;
mod memory;
mod offload;
mod prompts;
mod quantisation;
mod sampling;
mod shimmy_reference;
mod trace;
