//! Shows a diagnosis: the screen that answers, the same for an issue tracker, for programs, and as an experiment.
//!
//! Everything a person reads of a diagnosis is worded here. Must not know how it was found.

mod json;
mod markdown;
mod page;
mod said;
mod screen;
mod shown;
#[cfg(test)]
mod tests;
mod words;

use crate::diagnosis::Stage;
use crate::run_dir::DIAGNOSIS;

pub use json::Written;
pub use screen::screen;
pub use shown::Shown;
pub use words::{file_line, stage_line};

/// The files that keep a diagnosis, by name.
pub fn files(shown: &Shown<'_>) -> [(&'static str, String); 4] {
    let json = serde_json::to_string_pretty(&Written::of(shown)).expect("it has no keys but strings") + "\n";
    let whole = Stage::whole(shown.case, shown.diagnosis).toml(shown.frame);
    [
        ("report.html", page::page(shown)),
        ("diagnosis.md", markdown::markdown(shown)),
        (DIAGNOSIS, json),
        ("diagnosis.toml", whole),
    ]
}
