//! What a person or another program reads: CSV, plots, terminal.

pub mod scores;
