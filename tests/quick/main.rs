//! What needs neither llama.cpp nor a browser nor patience: the program with the scripted engine, formats,
//! architecture, reports (`make quick`).

#[path = "../support/fuzz.rs"]
mod fuzzing;
#[path = "../support/mod.rs"]
mod support;

mod absent;
mod architecture;
mod bad_input;
mod causes;
mod diagnose;
mod documents;
mod fit;
mod fuzz;
mod gguf;
mod gguf_fuzz;
mod gpu_measurements;
mod groups;
mod inspect;
mod notes;
mod on_disk;
mod power;
mod probe;
mod report;
mod surroundings;
mod unknown_names;
mod upcycle;
