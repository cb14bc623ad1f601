//! moe-sweep finds out why a mixture-of-experts model repeats itself.
//!
//! The modules stand in the order in which data flows through them; who may
//! know whom is written in `docs/architecture.md` and checked by a test.

pub mod any_path;
pub mod cli;
pub mod commands;
pub mod exit_code;

pub mod domain;
pub mod experiment;
pub mod format;
pub mod plan;
pub mod prompt;

pub mod engine;
pub mod model;

pub mod event;
pub mod journal;
pub mod run_dir;
pub mod runner;

pub mod prepare;
pub mod results;
pub mod stages;
pub mod sweep;

pub mod diagnosis;

pub mod analysis;
pub mod causes;
pub mod check;
pub mod study;
// A crate of their own, for others to use; here they have the paths of modules.
pub use score::{metrics, stats};

pub mod browser;
pub mod hardware;
pub mod manifest;
pub mod message;
pub mod nearest;
pub mod plain;
pub mod progress;
pub mod proxy;
pub mod regular_file;
pub mod report;
pub mod seal;
pub mod secret;
pub mod signals;
pub mod text_file;
pub mod texts;
pub mod worker;

#[cfg(test)]
#[path = "../tests/support/fuzz.rs"]
mod fuzz;
