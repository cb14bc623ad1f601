//! Makes `report.html`: everything that a person needs to judge a run, in one file.
//!
//! Owns the page: its sections, its style, its scripts. A pure function of the
//! [`Report`]; the same input makes the same bytes. No request leaves the page, and what
//! a model wrote is text in it and nothing else: maud escapes the markup,
//! `json` the data, and the scripts set texts by `textContent` only; a
//! content security policy forbids whatever would get past them.
//!
//! Must not know manifests nor journals: see [`Provenance`].

mod comparison;
mod data;
mod findings;
mod gate;
mod heat;
mod json;
mod page;
mod provenance;
mod sections;
mod theme;
mod unscripted;
mod verdicts;
mod words;

use crate::analysis::Analysis;
use crate::plain::neutralise_text;
use crate::plan::Design;
use crate::report::answer::Said;
use crate::report::plot::{Figure, PageFigure};

pub use comparison::comparison_page;
pub use findings::{Findings, findings_page};
pub use gate::gate_page;
pub use page::FOOT;
pub use provenance::{Facts, Provenance};
pub use unscripted::unscripted;

/// What the page shows.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    pub design: &'a Design,
    /// What it came to.
    pub said: &'a Said,
    /// What must be known to read the results rightly.
    pub notes: &'a [String],
    pub analysis: &'a Analysis,
    /// All that lie beside the page as files.
    pub figures: &'a [Figure],
    /// Those that the page shows.
    pub shown: &'a [PageFigure],
    pub provenance: &'a Provenance,
}

/// The page, a whole document. Whoever prints it to a terminal is not commanded by it either.
pub fn page(report: &Report<'_>) -> String {
    neutralise_text(&page::document(report).into_string()).into_owned()
}
