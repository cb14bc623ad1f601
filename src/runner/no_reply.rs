//! Owns why the runner waits for a worker's reply no longer. Must not know what is done about it.

use crate::worker::{Death, Unanswered};

/// Why waiting for a reply was given up.
pub enum NoReply {
    Interrupted,
    /// The worker is gone; why.
    Died(Death),
    /// The server is.
    Gone(String),
}

impl From<Unanswered> for NoReply {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Interrupted => Self::Interrupted,
            Unanswered::Died(death) => Self::Died(death),
            Unanswered::OutOfTurn(words) => Self::Died(Death::own(words)),
            Unanswered::Silent(silence) => Self::Died(Death::silent(silence)),
        }
    }
}
