//! Shows a diagnosis: the screen that answers, the same for an issue tracker, for programs, and as an experiment.
//!
//! Everything a person reads of a diagnosis is worded here. Must not know how it was found.

use std::path::Path;

mod json;
mod markdown;
mod screen;
mod words;

use crate::diagnosis::{Case, Diagnosis, Frame, Stage};

pub use json::Written;
pub use words::stage_line;

/// A diagnosis and what it is of.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    pub case: &'a Case,
    pub frame: &'a Frame,
    pub directory: &'a Path,
    pub diagnosis: &'a Diagnosis,
}

impl<'a> Report<'a> {
    /// What a person is told: at most 25 lines of 80 columns.
    pub fn screen(&self) -> String {
        screen::screen(self)
    }

    /// For programs.
    pub fn json(&self) -> Written<'a> {
        Written::of(self)
    }

    /// The files that keep it, by name.
    pub fn files(&self) -> [(&'static str, String); 3] {
        let json = serde_json::to_string_pretty(&self.json()).expect("it has no keys but strings") + "\n";
        let whole = Stage::whole(self.case, self.diagnosis).toml(self.frame);
        [("diagnosis.md", markdown::markdown(self)), ("diagnosis.json", json), ("diagnosis.toml", whole)]
    }
}
