//! Holds what is shown of a diagnosis.

use std::path::Path;

use crate::causes::Cause;
use crate::diagnosis::{Case, Diagnosis, Frame, NOT_SAID, Place, Tried};

/// A diagnosis and what it is of.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    pub case: &'a Case,
    pub frame: &'a Frame,
    /// In which its stages are.
    pub directory: &'a Path,
    pub diagnosis: &'a Diagnosis,
}

/// Texts by which a switch is said to be ignored, at least: of fewer, none may happen to change.
const ENOUGH_ALIKE: usize = 8;

impl<'a> Shown<'a> {
    /// Whether a server was told something else and wrote the same, byte for byte. A text that is drawn again each time could
    /// not be the same so often, so the server is deterministic where this is so.
    pub fn is_ignored(&self, tried: &Tried) -> bool {
        let Tried { switches, outcome, .. } = tried;
        // No request says how many others there are.
        let is_told = switches.iter().any(|switch| switch.cause != Cause::Width);
        self.case.about.place == Place::Server && is_told && outcome.changed == 0 && outcome.prompts >= ENOUGH_ALIKE
    }

    /// What a server surely ignores: it was told otherwise than it says that it runs, or than it was told before.
    pub fn ignored(self) -> impl Iterator<Item = &'a Tried> {
        self.diagnosis.others.iter().filter(move |tried| self.is_ignored(tried) && is_known(tried))
    }
}

/// Whether it is known what was run before the switch.
pub fn is_known(tried: &Tried) -> bool {
    let mut adjustments = tried.switches.iter().flat_map(|switch| &switch.adjustments);
    adjustments.all(|adjustment| adjustment.from != NOT_SAID)
}
