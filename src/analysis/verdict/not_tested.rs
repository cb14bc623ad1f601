//! Owns the reasons for which a hypothesis, or one level of it, is not tested.

use super::unknown::Unknowns;
use crate::domain::Factor;
use crate::stats::StatsError;

/// Why there is nothing to say.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NotTested {
    #[error("{0} has no effect here, so both arms are the same computation")]
    Inert(Factor),
    #[error("{model} does not allow it: {reason}")]
    Doubted { model: String, reason: String },
    #[error("{load}: {reason}")]
    TakenOver { load: String, reason: String },
    #[error("{cut} of {all} texts were cut by a server, so how they would have continued is unknown")]
    Censored { cut: usize, all: usize },
    #[error("{0}")]
    Unknown(Unknowns),
    #[error(transparent)]
    Stats(#[from] StatsError),
}
