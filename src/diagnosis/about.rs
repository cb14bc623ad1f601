//! Reads out of a model's header what a diagnosis must know before a text is made.

use super::switches::{About, Experts, Known, Place};
use crate::model::Anatomy;

/// What the header of a model's file says.
pub fn about(anatomy: &Anatomy, accelerator: Known) -> About {
    let tokenizer = &anatomy.tokenizer;
    About {
        place: Place::File,
        template: tokenizer.chat_template.is_some().into(),
        bos: tokenizer.bos_id.is_some().into(),
        adds_bos: tokenizer.add_bos.map_or(Known::Unknown, Known::from),
        experts: if anatomy.experts.is_some() { Experts::Some } else { Experts::None },
        accelerator,
    }
}
