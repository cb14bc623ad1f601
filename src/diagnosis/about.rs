//! Reads out of a model's header what a diagnosis must know before a text is made.

use super::switches::{About, Experts, Known, Place};
use crate::model::Anatomy;
use crate::prompt::{ChatTemplate, SpecialTokens};

/// What the header of a model's file says.
pub fn about(anatomy: &Anatomy, accelerator: Known, room_tokens: u32) -> About {
    let tokenizer = &anatomy.tokenizer;
    let template = tokenizer.chat_template.as_deref();
    About {
        place: Place::File,
        template: template.is_some().into(),
        thinking: template
            .and_then(|text| ChatTemplate::parse(text, SpecialTokens::default()).ok())
            .is_some_and(|t| t.knows_thinking())
            .into(),
        bos: tokenizer.bos_id.is_some().into(),
        adds_bos: tokenizer.add_bos.map_or(Known::Unknown, Known::from),
        experts: if anatomy.experts.is_some() { Experts::Some } else { Experts::None },
        accelerator,
        room_tokens,
        ..About::default()
    }
}
