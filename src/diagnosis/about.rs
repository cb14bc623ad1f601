//! Reads out of a model's header what a diagnosis must know before a text is made.

use super::switches::{About, Known, Place};
use crate::model::gguf::Gguf;

/// What the header of a model's file says.
pub fn about(gguf: &Gguf, n_expert: u32, accelerator: Known) -> About {
    let has = |key: &str| Known::from(gguf.get(key).is_some());
    let adds_bos = gguf.get("tokenizer.ggml.add_bos_token").and_then(|value| value.truth());
    About {
        place: Place::File,
        template: has("tokenizer.chat_template"),
        bos: has("tokenizer.ggml.bos_token_id"),
        adds_bos: adds_bos.map_or(Known::Unknown, Known::from),
        n_expert,
        accelerator,
    }
}
