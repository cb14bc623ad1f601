//! Owns what must be known of a model's file to read its texts rightly: which rope factors apply, and what its chat
//! template would have sent. Must not know what the texts say.

use super::{Load, OnDisk, PromptTrials, Room};
use crate::domain::{
    ChatForm, Context, Generate, Level, ModelFacts, Overflow, OwnTemplate, PromptKey, RenderedForm, System, Template,
    Thinking,
};

/// Pieces of a template that a note quotes, and how much of each, and of what surrounds a prompt.
const PIECES: usize = 3;
const LENGTH: usize = 80;

pub(super) fn notes(load: &Load, generate: Generate) -> Vec<String> {
    let Some(OnDisk { facts, .. }) = load.surveyed.file() else { return vec![] };
    let id = &load.model.id;
    let room = Room::of(&load.key, generate);
    let mut notes = Vec::new();
    notes.extend(beyond_training(id, load, facts, room));
    notes.extend(never_full(id, load, room));
    notes.extend(other_factors(id, facts, room.context));
    if load.prompts.iter().any(|group| *group.key.get::<Template>() == Template::Chat)
        && let Some(form) = &facts.chat
    {
        notes.extend(chat_form(id, form));
    }
    notes.extend(unasked_template(id, load, facts));
    let forms = facts.rendered.iter().filter(|form| load.prompts.iter().any(|group| is_asked_in(form, &group.key)));
    notes.extend(forms.map(|form| rendered(id, form)));
    notes
}

fn is_asked_in(RenderedForm { system, thinking, .. }: &RenderedForm, key: &PromptKey) -> bool {
    *key.get::<Template>() == Template::Jinja && key.get::<System>() == system && key.get::<Thinking>() == thinking
}

fn rendered(id: &str, form: &RenderedForm) -> String {
    let RenderedForm { before, after, date, .. } = form;
    let date = date.as_ref().map_or_else(String::new, |date| {
        format!("; it asks for the date, and is told {date} whenever that is, so that the same experiment makes the same texts")
    });
    format!(
        "the model {id}, {form}: the model's own template is rendered, with {:?} before and {:?} after prompts{date}",
        shortened(before),
        shortened(after)
    )
}

/// A context of which the part beyond training is never reached.
fn beyond_training(id: &str, load: &Load, facts: &ModelFacts, room: Room) -> Option<String> {
    let (trained, reached) = (facts.n_ctx_train, room.reached(longest_prompt(load)?));
    let Room { context, .. } = room;
    let is_level = *load.key.get::<Context>() != Context::Setting;
    // 0: the file does not say.
    (is_level && trained > 0 && context > trained && reached <= trained).then(|| {
        format!(
            "context = {context} is more than the {trained} tokens that the model {id} was trained on; its texts reach \
             {reached} of them"
        )
    })
}

fn longest_prompt(load: &Load) -> Option<u32> {
    load.prompts.iter().filter_map(|group| group.n_tokens).max()
}

/// An overflow that is compared, and of which nothing comes.
fn never_full(id: &str, load: &Load, room: Room) -> Option<String> {
    let Room { max_tokens, context, overflow } = room;
    let longest = longest_prompt(load)?;
    (overflow != Overflow::Refuse && !room.can_overflow(longest)).then(|| {
        format!(
            "overflow = {} changes no text of the model {id} at context = {context}: its longest prompt has {longest} tokens, and \
             with max_tokens = {max_tokens} there is room",
            Level::from(overflow).written()
        )
    })
}

/// LongRoPE has two sets of factors, and llama.cpp chooses by the context, not by the text
/// (`llama_model::get_rope_factors`).
fn other_factors(id: &str, facts: &ModelFacts, context: u32) -> Option<String> {
    let scaling = facts.rope_scaling.as_ref().filter(|scaling| scaling.is_long_rope())?;
    let original = scaling.original_context.filter(|&original| context > original)?;
    Some(format!(
        "the model {id} has rope factors of its own for contexts above {original} tokens (LongRoPE): with context = {context} \
         llama.cpp applies them to short texts too; a context of at most {original} has the others"
    ))
}

fn chat_form(id: &str, form: &ChatForm) -> Vec<String> {
    let names = if form.forms.is_empty() { "that has no name".to_owned() } else { form.forms.join(" or ") };
    let mut notes = vec![format!(
        "the model {id}, template chat: prompts are sent in llama.cpp's built-in form {names}, with {:?} before and {:?} after \
         them; the model's own template is not rendered, as template = \"jinja\" would",
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

/// A model that was made for chats, and is asked none.
fn unasked_template(id: &str, load: &Load, facts: &ModelFacts) -> Option<String> {
    let is_raw = |group: &PromptTrials| *group.key.get::<Template>() == Template::Raw;
    (facts.own_template == OwnTemplate::There && load.prompts.iter().all(is_raw)).then(|| {
        format!(
            "the model {id} has a chat template, and its prompts are sent raw: that alone may make it repeat itself. \
             `--set template=raw,chat` compares both"
        )
    })
}

fn shortened(piece: &str) -> String {
    match piece.char_indices().nth(LENGTH) {
        None => piece.to_owned(),
        Some((at, _)) => format!("{}…", &piece[..at]),
    }
}
