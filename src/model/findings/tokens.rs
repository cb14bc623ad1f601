//! Looks at the tokenizer: the special tokens, and how a text is cut before it becomes tokens.

use super::pre_tokenizers::PRE_TOKENIZERS;
use super::template::writes_bos;
use super::vocabulary::{Kind, Named, Vocabulary};
use super::{Examination, TEMPLATE};
use crate::domain::FindingId;
use crate::model::anatomy::Anatomy;

/// Special tokens whose ids must be of the vocabulary, BOS and EOS aside.
const OTHERS: [&str; 2] = ["eot_token_id", "eom_token_id"];
const ADD_BOS: &str = "tokenizer.ggml.add_bos_token";

pub(super) fn examine(vocabulary: &Vocabulary<'_>, anatomy: &Anatomy, template: Option<&str>, found: &mut Examination) {
    types(vocabulary, found);
    // Encoders write no text, and what they read ends in other ways.
    if !is_encoder(&anatomy.architecture) {
        eos(vocabulary, found);
        bos(vocabulary, anatomy, template, found);
    }
    for name in OTHERS {
        if let Named::OutOfVocabulary(id) = vocabulary.named(name) {
            found.add(
                FindingId::TokenOutOfVocabulary,
                format!("tokenizer.ggml.{name}"),
                format!("{id}, but the vocabulary has {} tokens", vocabulary.len),
                format!("--override-kv tokenizer.ggml.{name}=int:ID with the right id, or convert the model again"),
            );
        }
    }
    pre_tokenizer(vocabulary, found);
}

fn is_encoder(architecture: &str) -> bool {
    ["bert", "t5", "embedding"].iter().any(|kind| architecture.contains(kind))
}

fn types(vocabulary: &Vocabulary<'_>, found: &mut Examination) {
    if vocabulary.kind != Kind::Other && !vocabulary.has_types() {
        let remedy = "convert the model again: current converters write the types";
        found.add(FindingId::TokenTypesAbsent, "tokenizer.ggml.token_type", "absent", remedy);
    }
}

/// How a token that llama.cpp takes by its number is told.
fn shown(vocabulary: &Vocabulary<'_>, id: u64) -> String {
    let text: String = vocabulary.text_of(id).unwrap_or_default().chars().take(40).collect();
    format!("token {id}, {text:?}")
}

fn eos(vocabulary: &Vocabulary<'_>, found: &mut Examination) {
    let key = "tokenizer.ggml.eos_token_id";
    // One of those that it knows by their texts, which is then the right one.
    let known = vocabulary.ends().into_iter().find(|&id| Some(id) != vocabulary.eos() && !vocabulary.is_text(id));
    let id = known.map_or_else(|| "ID".to_owned(), |id| id.to_string());
    let remedy = || {
        let which = if known.is_some() { "" } else { ", where ID is the token that ends a text" };
        format!("--override-kv {key}=int:{id} in llama.cpp, eos = [{id}] in [grid]{which}")
    };
    let taken = || match vocabulary.eos() {
        Some(id) => format!("llama.cpp takes {}", shown(vocabulary, id)),
        None => "llama.cpp has no default in this vocabulary".to_owned(),
    };
    match vocabulary.named("eos_token_id") {
        Named::OutOfVocabulary(id) => found.add(
            FindingId::EosOutOfVocabulary,
            key,
            format!("{id}, but the vocabulary has {} tokens; {}", vocabulary.len, taken()),
            remedy(),
        ),
        Named::Absent if takes_a_wrong_eos(vocabulary) => {
            found.add(FindingId::EosAbsent, key, format!("absent; {}", taken()), remedy());
        }
        Named::Id(id) if vocabulary.is_text(id) => found.add(
            FindingId::EosNotControl,
            key,
            format!("{}, an ordinary text token by its token type", shown(vocabulary, id)),
            remedy(),
        ),
        Named::Id(_) | Named::Absent => {}
    }
    if vocabulary.kind != Kind::Other && vocabulary.adds_eos() {
        let key = "tokenizer.ggml.add_eos_token";
        let remedy = format!("--override-kv {key}=bool:false in llama.cpp, or convert the model again");
        found.add(FindingId::EosAdded, key, "true", remedy);
    }
}

/// Whether the token that llama.cpp takes by its number is text, for all that is known, or none ends a text at all.
fn takes_a_wrong_eos(vocabulary: &Vocabulary<'_>) -> bool {
    match vocabulary.eos() {
        Some(id) => vocabulary.is_text(id) || !vocabulary.has_types(),
        None => vocabulary.ends().is_empty(),
    }
}

fn bos(vocabulary: &Vocabulary<'_>, anatomy: &Anatomy, template: Option<&str>, found: &mut Examination) {
    let key = "tokenizer.ggml.bos_token_id";
    if let Named::OutOfVocabulary(id) = vocabulary.named("bos_token_id") {
        found.add(
            FindingId::TokenOutOfVocabulary,
            key,
            format!("{id}, but the vocabulary has {} tokens", vocabulary.len),
            format!("--override-kv {key}=int:ID with the right id, or convert the model again"),
        );
    }
    let is_written = |bos: Option<u64>| {
        let text = bos.and_then(|id| vocabulary.text_of(id)).unwrap_or_default();
        template.is_some_and(|template| writes_bos(template, text))
    };
    match (vocabulary.adds_bos(), vocabulary.bos()) {
        (false, bos) if anatomy.architecture.starts_with("gemma") && !is_written(bos) => found.add(
            FindingId::BosMissing,
            ADD_BOS,
            match template {
                None => "false".to_owned(),
                Some(_) => format!("false, and {TEMPLATE} does not write one"),
            },
            format!("--override-kv {ADD_BOS}=bool:true in llama.cpp, bos = [\"always\"] in [grid]"),
        ),
        (true, Some(bos)) if vocabulary.named("bos_token_id") == Named::Absent && vocabulary.is_text(bos) => found.add(
            FindingId::BosAbsent,
            key,
            format!("absent, and a BOS is added: {}", shown(vocabulary, bos)),
            format!(
                "--override-kv {ADD_BOS}=bool:false in llama.cpp, bos = [\"never\"] in [grid], if it was trained \
                     without a BOS"
            ),
        ),
        (true, bos @ Some(_)) if is_written(bos) => found.add(
            FindingId::BosTwice,
            TEMPLATE,
            format!("writes the BOS that {ADD_BOS} adds"),
            format!(
                "if another program renders the prompt, tokenize it with add_special_tokens=False, or load the model \
                 with --override-kv {ADD_BOS}=bool:false"
            ),
        ),
        _ => {}
    }
}

fn pre_tokenizer(vocabulary: &Vocabulary<'_>, found: &mut Examination) {
    let key = "tokenizer.ggml.pre";
    let remedy = format!(
        "convert the model again with a current convert_hf_to_gguf.py; or, if you know its rule, --override-kv \
         {key}=str:NAME with a name such as llama-bpe or qwen2"
    );
    match vocabulary.pre {
        _ if vocabulary.kind != Kind::Bpe => {}
        None => found.add(FindingId::PreAbsent, key, "absent", remedy),
        Some("default") => found.add(FindingId::PreDefault, key, "\"default\"", remedy),
        Some(pre) if !PRE_TOKENIZERS.contains(&pre) => {
            let shown: String = pre.chars().take(40).collect();
            found.add(FindingId::PreUnknown, key, format!("{shown:?}"), remedy);
        }
        Some(_) => {}
    }
}
