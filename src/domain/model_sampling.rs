//! Owns what a model's own files ask of whoever samples from it. Must not know how they are read.

use super::{Author, Chain, SamplingPlace, Slot, Step};

/// What a model's files say of how it is to be sampled from.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelSampling {
    Stated {
        steps: Vec<Step<Slot>>,
        place: SamplingPlace,
    },
    /// None of them speaks of it.
    Unstated,
    /// One of them does, in a way that can't be followed.
    Unusable {
        place: SamplingPlace,
        why: String,
    },
    /// They are not here.
    Unread,
}

impl ModelSampling {
    /// `chain`, which the model's files decide, with the steps that those of `model` state; None where they state none
    /// that can be followed.
    pub fn chain(&self, chain: &Chain, model: &str) -> Option<Chain> {
        let Self::Stated { steps, place } = self else { return None };
        let author = Author::ModelFile { model: model.to_owned(), place: *place };
        Some(Chain { steps: steps.clone(), author, ..chain.clone() })
    }
}
