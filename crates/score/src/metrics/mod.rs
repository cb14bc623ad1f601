//! Scores generated texts by metrics, which are pure functions of their words or tokens.
//!
//! Owns the list of metrics and their definitions. Knows no trial, no cell
//! and no model. Every metric takes time linear in its text, but for Zipf's,
//! which sorts its words' counts.

mod characters;
mod compression;
mod copies;
mod gemini;
mod grams;
mod group;
mod interner;
mod looping;
mod metric;
mod ngram;
mod recycled;
mod rolling;
mod score;
mod seen;
mod segments;
mod simctg;
mod tail;
mod together;
mod vocabulary;
mod window;
mod words;
mod written;

pub use characters::repeat_4_chars;
pub use compression::compression_ratio;
pub use copies::{CopiesRule, ends_in_copies, has_ollama_repeats, is_holtzman_repetition};
pub use gemini::is_gemini_cli_loop;
pub use grams::{Grams, UpToFour};
pub use group::self_repetition;
pub use looping::{LEAST_CHARACTERS, LEAST_TOKENS, Looping, loop_of_tokens};
pub use metric::{Metric, Scores, Sight, Worse};
pub use ngram::{repetition_score, seq_rep};
pub use recycled::recycled;
pub use score::{TextPart, score, score_head, score_written};
pub use segments::{WordRule, unicode_word_ids};
pub use simctg::SimCtg;
pub use tail::{TailCycle, tail_cycle};
pub use vocabulary::{EAD_VOCABULARY, ead, zipf};
pub use window::{mattr, mtld, rep_r, rep_w};
pub use words::{word_ids, words};
pub use written::{Markers, Written};

#[cfg(test)]
mod tests;
