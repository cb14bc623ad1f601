//! Conducts studies: divergence and routing experiments, whose arms are loaded one after the other, follow the same
//! tokens and are compared.
//!
//! Owns how a study is conducted: the session with a worker, the files in which traces lie meanwhile, and what was
//! found. `numbers` are pure functions of what was recorded. What a study *is* stands in [`crate::experiment::Study`].
//! Must not know how models are found and made ready, nor how findings are shown or where they are kept. There is no
//! journal: a rerun computes again.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use miette::Diagnostic;

use crate::engine::trace;
use crate::experiment::{Arm, Study, Subject};
use crate::model::ModelFile;
use crate::plan::Surveyed;

use numbers::{BadLogits, Machine, Pair, Routing, same_placement};

mod divergence;
pub mod numbers;
mod provenance;
mod routing;
mod scratch;
mod session;

pub use provenance::json;
pub use scratch::{Scratch, ScratchError};
pub use session::{SessionError, Workplace};

use session::Session;

/// Everything that a study is conducted with.
pub struct Run<'a> {
    pub study: &'a Study,
    /// Has an entry for every model of the study.
    pub surveyed: &'a BTreeMap<String, Surveyed>,
    /// Has one for every arm of every model.
    pub files: &'a [ArmFile],
    pub place: Workplace<'a>,
    pub scratch: &'a Scratch,
}

/// The file of a model's arm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmFile {
    pub model: String,
    pub arm: Arm,
    pub file: ModelFile,
}

/// What was found, model by model.
#[derive(Clone, Debug, PartialEq)]
pub enum Findings {
    Divergence(Vec<Pair>),
    Routing(Vec<Routing>),
}

/// Why a study goes no further.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum StudyError {
    #[error("interrupted")]
    Interrupted,
    #[error(transparent)]
    #[diagnostic(transparent)]
    Session(SessionError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Scratch(#[from] ScratchError),
    #[error(transparent)]
    Trace(#[from] trace::ScratchError),
    #[error(transparent)]
    Logits(#[from] BadLogits),
    #[error("there is no position")]
    NoPosition,
    #[error("only {made} of {due} texts were generated")]
    TextsLack { made: usize, due: usize },
    #[error("a text came without its tokens")]
    NoTokens,
    #[error("no text has a routing")]
    NoRouting,
    #[error("{model}: the arms differ in their routers")]
    OtherRouters { model: String },
    #[error("{model}: the arms followed different texts")]
    OtherTexts { model: String },
}

impl From<SessionError> for StudyError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Interrupted => Self::Interrupted,
            error => Self::Session(error),
        }
    }
}

/// Conducts the study to its end.
///
/// # Errors
/// When a model fails, or somebody asks for the end.
pub fn conduct(run: &Run<'_>) -> Result<Findings, StudyError> {
    match &run.study.subject {
        Subject::Divergence => divergence::conduct(run).map(Findings::Divergence),
        Subject::Routing(sampling) => routing::conduct(run, sampling).map(Findings::Routing),
    }
}

/// Says why an arm's offload places nothing otherwise than the base's here; None where it does, or where a server has
/// the model.
pub fn same_as_base(study: &Study, surveyed: &Surveyed, other: &Arm) -> Option<String> {
    let facts = &surveyed.file()?.facts;
    let n_accelerators = surveyed.engine.accelerators.len();
    let machine = Machine { n_expert: facts.n_expert, n_layer: facts.n_layer, n_accelerators };
    same_placement(&study.base, other, machine)
}

impl Run<'_> {
    /// Stops where somebody has asked for it: between texts, for whatever takes long.
    fn heed(&self) -> Result<(), StudyError> {
        if self.place.interrupted.load(Ordering::Relaxed) { Err(StudyError::Interrupted) } else { Ok(()) }
    }

    fn load(&self, model: &str, arm: Arm) -> Result<Session<'_>, SessionError> {
        let file = self.files.iter().find(|file| file.model == model && file.arm == arm).expect("every arm has a file");
        Session::load(&self.place, model, &file.file, arm, self.study.generate)
    }

    /// What an arm has in common with the base, where its offload moves nothing here.
    fn likeness(&self, model: &str, other: &Arm) -> Likeness {
        match same_as_base(self.study, &self.surveyed[model], other) {
            Some(why) if other.differs_in_offload_only(&self.study.base) => Likeness::Same { why },
            why => Likeness::Other { note: why.map(|why| format!("offload has no effect: {why}")) },
        }
    }
}

/// Whether an arm is another computation than the base.
enum Likeness {
    /// It is the same, so that nothing can be concluded.
    Same { why: String },
    Other {
        /// What must be known to read its numbers rightly.
        note: Option<String>,
    },
}
