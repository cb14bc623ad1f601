//! Owns what a run tells of while it goes on. The runner emits these events and prints nothing; the progress display
//! and the logs are made from them.

use std::time::Duration;

use crate::domain::{LoadKey, Trial};
use crate::engine::Strategy;
use crate::journal::record::TrialRecord;

/// What is tried once more after a death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// So many texts, by halves.
    Halves(usize),
    /// One text alone, to see whether all die.
    Witness,
}

#[derive(Clone, Copy, Debug)]
pub enum RunEvent<'a> {
    /// `trials` distinct texts in all, of which `already_done` are in the
    /// journal; `loads` models are to be loaded.
    Started {
        trials: usize,
        already_done: usize,
        loads: usize,
        /// Those of prompts that are to be evaluated, each once a load; 0 where a server does not tell.
        prompt_tokens: u64,
        /// The most of a text.
        max_tokens: u32,
    },
    /// `strategy` is None where a server decides.
    LoadStarted {
        key: &'a LoadKey,
        strategy: Option<Strategy>,
    },
    Loaded {
        key: &'a LoadKey,
        seconds: f64,
    },
    /// The trial is in the journal, as a text or as a failure.
    TrialDone {
        trial: &'a Trial,
        record: &'a TrialRecord,
    },
    /// So many more tokens were evaluated, those of prompts included.
    Evaluated {
        tokens: u64,
    },
    /// A worker died or hung.
    WorkerDied {
        reason: &'a str,
        again: Again,
    },
    /// A worker dies whatever it is asked: so many texts of its load key are left open.
    GivenUp {
        key: &'a LoadKey,
        reason: &'a str,
        open: usize,
    },
    /// A worker died for want of memory, which fails no text: the model is loaded again after a pause, and in
    /// this way; None where it is as before.
    ShortOfMemory {
        reason: &'a str,
        pause: Duration,
        strategy: Option<Strategy>,
    },
    /// A server makes a text wait, and why: it is asked again after so long.
    Pausing {
        reason: &'a str,
        seconds: f64,
    },
    /// Something that must be known to read the results rightly.
    Warning {
        text: &'a str,
    },
    Finished,
    Interrupted,
}
