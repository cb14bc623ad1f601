//! Owns what must be known of a model's file to read its texts rightly: which rope factors apply, and what its chat
//! template would have sent. Must not know what the texts say.

use super::{Load, OnDisk};
use crate::domain::{ChatForm, Generate, ModelFacts, Template};

/// Pieces of a template that a note quotes, and how much of each.
const PIECES: usize = 3;
const LENGTH: usize = 80;

pub(super) fn notes(load: &Load, generate: Generate) -> Vec<String> {
    let Some(OnDisk { facts, .. }) = load.surveyed.file() else { return vec![] };
    let id = &load.model.id;
    let mut notes = Vec::new();
    notes.extend(other_factors(id, facts, generate));
    if load.prompts.iter().any(|group| *group.key.get::<Template>() == Template::Chat)
        && let Some(form) = &facts.chat
    {
        notes.extend(chat_form(id, form));
    }
    notes
}

/// LongRoPE has two sets of factors, and llama.cpp chooses by the context, not by the text
/// (`llama_model::get_rope_factors`).
fn other_factors(id: &str, facts: &ModelFacts, generate: Generate) -> Option<String> {
    let scaling = facts.rope_scaling.as_ref().filter(|scaling| scaling.is_long_rope())?;
    let original = scaling.original_context.filter(|&original| generate.context > original)?;
    Some(format!(
        "the model {id} has rope factors of its own for contexts above {original} tokens (LongRoPE): with context = {} \
         llama.cpp applies them to short texts too; a context of at most {original} has the others",
        generate.context
    ))
}

fn chat_form(id: &str, form: &ChatForm) -> Vec<String> {
    let names = if form.forms.is_empty() { "that has no name".to_owned() } else { form.forms.join(" or ") };
    let mut notes = vec![format!(
        "the model {id}, template chat: prompts are sent in llama.cpp's built-in form {names}, with {:?} before and {:?} after \
         them; the model's own template is not rendered",
        form.before, form.after
    )];
    if !form.unsent.is_empty() {
        let quoted = form.unsent.iter().take(PIECES).map(|piece| format!("{:?}", shortened(piece)));
        let more = match form.unsent.len().saturating_sub(PIECES) {
            0 => String::new(),
            more => format!(" and {more} more (manifest.json)"),
        };
        let thinking = form.unsent_thinking().map_or_else(String::new, |mark| {
            format!("; it has {mark}, the mark of a thought, and what is sent has not")
        });
        notes.push(format!(
            "the model {id}: its own chat template holds text that is not sent: {}{more}{thinking}. A prompt that the model \
             was not trained on may make it repeat itself",
            quoted.collect::<Vec<_>>().join(", ")
        ));
    }
    notes
}

fn shortened(piece: &str) -> String {
    match piece.char_indices().nth(LENGTH) {
        None => piece.to_owned(),
        Some((at, _)) => format!("{}…", &piece[..at]),
    }
}
