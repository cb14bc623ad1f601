//! What needs llama.cpp: its arithmetic, samplers, memory and quantiser, whole runs with a bundled model, and what must hold
//! of its workers: signals, and a sample of `make torture`.

#[path = "../support/sampling.rs"]
mod sampler_cases;
#[path = "../support/mod.rs"]
mod support;

mod asking;
mod bit_exactness;
mod contexts;
mod diagnose;
mod evaluations;
mod experiments;
mod findings;
mod fit;
mod flash_attention;
mod grammars;
mod hub;
mod invariance;
mod kernels;
mod mechanism;
mod memory;
mod memory_shortage;
mod notes;
mod offload;
mod prompts;
mod quantisation;
mod resume;
mod sampling;
mod shimmy_reference;
mod signals;
mod torture;
mod trace;
mod upcycle;
