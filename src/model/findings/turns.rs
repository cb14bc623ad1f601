//! Looks at the chat template: whether there is one, and whether a generation ends where it ends a turn.

use super::template::{Ends, ends_of_turns};
use super::vocabulary::Vocabulary;
use super::{Examination, TEMPLATE};
use crate::domain::FindingId;
use crate::model::anatomy::Anatomy;
use crate::model::gguf::Gguf;

/// Words in the names of models that were trained to chat.
const CHATS: [&str; 3] = ["instruct", "chat", "assistant"];
/// Characters of a mark that is told.
const SHOWN: usize = 40;

/// A model by whose name one would chat with it must say how.
pub(super) fn template_is_there(gguf: &Gguf, anatomy: &Anatomy, found: &mut Examination) {
    if gguf.metadata.contains_key(TEMPLATE) {
        return;
    }
    let keys = ["general.name", "general.basename", "general.finetune"];
    let names = keys.into_iter().filter_map(|key| Some((key, gguf.metadata.get(key)?.text()?)));
    let is_chat = |word: &str| CHATS.contains(&word) || (word == "it" && anatomy.architecture.starts_with("gemma"));
    let mut chats = names.filter(|(_, name)| {
        let name = name.to_lowercase();
        name.split(|c: char| !c.is_alphanumeric()).any(is_chat)
    });
    let Some((key, name)) = chats.next() else { return };
    found.add(
        FindingId::NoTemplate,
        TEMPLATE,
        format!("absent, although {key} = {name:?} says that this is a chat model"),
        "set its chat format, --chat-template NAME or --chat-template-file FILE in llama-server; or convert the model \
         again with its authors' template",
    );
}

/// What the template writes behind an assistant's message must end a generation.
pub(super) fn examine(vocabulary: &Vocabulary<'_>, template: Option<&str>, found: &mut Examination) {
    let Some(template) = template else { return };
    let ends = vocabulary.ends();
    // Wherever it stands: a token of this text ends a generation, and the template knows it.
    let knows_an_end =
        ends.iter().filter_map(|&id| vocabulary.text_of(id)).any(|end| !end.is_empty() && template.contains(end));
    if knows_an_end || template.contains("eos_token") {
        return;
    }
    let texts = match ends_of_turns(template) {
        Ends::Texts(texts) if vocabulary.has_types() => texts,
        Ends::Texts(_) | Ends::Open => {
            return found.open(FindingId::EotNotEog, "the chat template alone does not show what ends a turn");
        }
    };
    let token = texts.iter().find_map(|text| vocabulary.control_token_at(text));
    if let Some((token, id)) = token.and_then(|token| Some((token, vocabulary.id_of(token)?))) {
        return found.add(
            FindingId::EotNotEog,
            TEMPLATE,
            format!("a message ends with {}, token {id}, which does not end a generation", quoted(token)),
            format!("--override-kv tokenizer.ggml.eot_token_id=int:{id} in llama.cpp, eos = [{id}] in [grid]"),
        );
    }
    match texts.iter().find_map(|text| mark_at(text)) {
        Some(mark) => found.add(
            FindingId::EotNoToken,
            TEMPLATE,
            format!("a message ends with {}, which is not a token of this vocabulary", quoted(mark)),
            format!(
                "stop at this text, stop = [{mark:?}] in a server's request; or use a template that fits the vocabulary"
            ),
        ),
        None => found.open(FindingId::EotNotEog, "the chat template ends turns with plain text"),
    }
}

/// The mark that a text begins with, as vocabularies write special tokens: `<|…|>`.
fn mark_at(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("<|")?;
    let end = inside.find("|>")?;
    let is_mark = end > 0 && !inside[..end].contains(|c: char| c.is_whitespace() || c == '|' || c == '>');
    is_mark.then(|| &text[..end + 4])
}

fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => format!("{text:?}"),
        Some((at, _)) => format!("{:?}…", &text[..at]),
    }
}
