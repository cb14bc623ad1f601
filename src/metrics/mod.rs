//! Metrics of generated texts: pure functions of their words or tokens.
//!
//! Owns the list of metrics and their definitions. Knows no trial, no cell
//! and no model. Every metric takes time linear in its text, but for Zipf's,
//! which sorts its words' counts.

mod compression;
mod copies;
mod grams;
mod group;
mod interner;
mod metric;
mod ngram;
mod score;
mod simctg;
mod tail;
mod vocabulary;
mod window;
mod words;

pub use compression::compression_ratio;
pub use copies::{CopiesRule, ends_in_copies, is_holtzman_repetition};
pub use grams::{Grams, UpToFour};
pub use group::self_repetition;
pub use metric::{Metric, Scores, Worse};
pub use ngram::{repetition_score, seq_rep};
pub use score::{score, score_head};
pub use simctg::SimCtg;
pub use tail::{TailCycle, tail_cycle};
pub use vocabulary::{EAD_VOCABULARY, ead, zipf};
pub use window::{mattr, mtld, rep_r, rep_w};
pub use words::{word_ids, words};

#[cfg(test)]
mod tests;
