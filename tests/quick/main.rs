//! What needs neither llama.cpp nor a browser nor patience: the program with the scripted engine, formats,
//! architecture, reports (`make quick`).

#[path = "../support/fuzz.rs"]
mod fuzzing;
#[path = "../support/mod.rs"]
mod support;

mod absent;
mod architecture;
mod bad_input;
mod battery;
mod causes;
mod chat_templates;
mod completions;
mod diagnose;
mod diagnose_server;
mod documents;
mod findings;
mod fit;
mod fuzz;
mod gguf;
mod gguf_fuzz;
mod gpu_measurements;
mod grammars;
mod groups;
mod help;
mod init;
mod inspect;
mod json;
mod ls;
mod manual;
mod meant;
mod model_defaults;
mod names_of_runs;
mod notes;
mod on_disk;
mod open;
mod overrides;
mod power;
mod probe;
mod report;
mod schema;
mod surroundings;
mod unknown_names;
mod upcycle;
