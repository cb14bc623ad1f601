//! Words where a run's numbers come from, as the page says it.
//!
//! Plain texts, filled in by whoever knows the manifest.

/// Lists of facts, each in the order in which it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Versions, and the settings that hold for every trial.
    pub program: Facts,
    /// A model as it was placed: file, hash, engine, placement of its experts.
    pub models: Vec<Facts>,
    /// A sampler chain, its steps in the order in which they were executed.
    pub chains: Vec<Facts>,
    /// An invocation that computed something: command, machine, how it ended.
    pub runs: Vec<Facts>,
}

/// What is known of one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What it is the facts of.
    pub title: String,
    /// Name and value.
    pub facts: Vec<(&'static str, String)>,
}
