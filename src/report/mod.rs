//! Makes what a person or another program reads: CSV, plots, pages, lines for the terminal.
//!
//! Everything here is a pure function of an [`Analysis`](crate::analysis::Analysis)
//! and of the words to put beside it. Of the engine it knows how a chain is said
//! to a server, which advice shows; it must not know how texts are generated nor
//! where they are kept.

pub mod answer;
pub mod causes;
pub mod comparison;
pub mod csv;
pub mod devices;
pub mod diagnosis;
mod findings;
pub mod former;
pub mod gate;
pub mod html;
pub mod listing;
pub mod models;
pub mod outputs;
pub mod parameters;
pub mod plan;
pub mod plan_json;
pub mod planning;
pub mod plot;
pub mod power;
pub mod recommendation;
pub mod scores;
pub mod study;
pub mod terminal;
pub mod verdicts;

mod levels;
mod number;
mod placement;
mod provenance;
mod quote;
#[cfg(test)]
mod sample;
mod table;
mod tally;
mod timings;
