//! Owns what a verdict says of the looks that decided it.

use serde::Serialize;

use super::Instrument;

/// What decided a hypothesis that was looked at after every prompt, or did not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    pub instrument: Instrument,
    /// After the last prompt.
    pub log10_e: f64,
    /// The prompts after which it was decided; `None` where it is not.
    pub decided_after: Option<usize>,
    pub n_prompts_planned: usize,
}
