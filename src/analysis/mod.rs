//! From texts to numbers: scores of trials, summaries of cells.
//!
//! Pure. Knows metrics and stats, never the engine or the journal's files.
