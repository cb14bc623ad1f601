//! Metrics of one generated text: pure functions of its words or tokens.
