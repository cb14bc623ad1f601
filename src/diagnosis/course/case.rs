//! Holds what a diagnosis is of and what it came to. Must not know how one leads to the other.

use super::super::evidence::{Looped, Outcome, Rate};
use super::super::setup::Setup;
use super::super::stage::{Counted, Prompt};
use super::super::switch::{NotTried, Switch};
use super::super::switches::About;
use crate::causes::Runtime;
use crate::domain::Finding;

/// What is to be diagnosed.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// As the person runs it.
    pub as_run: Setup,
    pub about: About,
    /// In whose words remedies are said.
    pub runtime: Runtime,
    /// What is wrong with its file, seen without a text.
    pub findings: Vec<Finding>,
    /// What everything but the confirmation is found by.
    pub search: Vec<Prompt>,
    /// What nothing is chosen by.
    pub fresh: Vec<Prompt>,
}

/// What it came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    pub ending: Ending,
    /// Which texts all that follows counts.
    pub counted: Counted,
    /// As the person runs it.
    pub as_run: Rate,
    /// Texts of the first stage that repeat themselves in any way, those that end in a loop among them.
    pub repeats: usize,
    pub worst: Option<Looped>,
    /// What was confirmed, the preferred one first; or what was found and not confirmed.
    pub remedies: Vec<Remedy>,
    /// What was tried and is no remedy.
    pub others: Vec<Tried>,
    pub not_tried: Vec<NotTried>,
    pub stages: Vec<StageNote>,
}

/// How a diagnosis ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Ending {
    /// One cause, its remedy confirmed.
    Cause,
    /// The same, and the person's runtime can't be told to change it.
    NoRemedyHere,
    /// Each of several switches takes a part of the loops away, all confirmed.
    TwoCauses,
    /// Several switches together do what none is shown to do, confirmed.
    NeedsBoth,
    /// A switch was found, and fresh prompts do not confirm it.
    NotConfirmed,
    /// No text loops.
    NotReproduced,
    /// So few texts loop that nothing could be decided.
    TooRare,
    /// Nothing that was tried is shown to make it loop less.
    LoopsWhatever,
    /// The budget was spent before there was an answer.
    Budget,
}

/// Switches that were put to the test of fresh prompts.
#[derive(Clone, Debug, PartialEq)]
pub struct Remedy {
    pub switches: Vec<Switch>,
    pub before: Rate,
    pub after: Rate,
    pub outcome: Outcome,
    /// The prompts after which the search had found it.
    pub found_after: usize,
}

/// Switches, most often one, that were compared with the model as it is run.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    pub switches: Vec<Switch>,
    pub outcome: Outcome,
    pub rate: Rate,
}

/// What a stage took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageNote {
    pub name: String,
    pub arms: usize,
    pub texts: usize,
}
