//! Owns what is said of a cause, in words for a person who knows llama.cpp and no statistics.

use serde::Serialize;

/// What `explain` prints of a cause. It never says that this is the cause of a loop: a run says that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Page {
    /// What it is, and how a loop comes of it.
    pub what: &'static str,
    /// How it shows in texts.
    pub shows: &'static str,
    /// How moe-sweep tests it.
    pub test: &'static str,
    /// What to change if it is the cause.
    pub mend: &'static str,
    /// Where people report it; none where no thread is known.
    pub threads: &'static [Thread],
}

/// A public thread that reports a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Thread {
    pub url: &'static str,
    /// What it reports, in one line.
    pub says: &'static str,
}
