//! Reads the special tokens out of a header as llama.cpp does (`llama_vocab::impl::load` in its `src/llama-vocab.cpp`): its
//! defaults, what it finds by the texts of tokens, which tokens end a generation.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::pre_tokenizers::{adds_bos, has_no_usual_bos, insists_on_bos};
use crate::model::gguf::{List, Texts, Value};

/// Tokens that end a generation wherever a vocabulary has them.
const ENDS: [&str; 22] = [
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "<｜end▁of▁sentence｜>",
    "[e~[",
];
/// Tokens for gaps in code that end a generation too, by the key that names them, and by their texts where none does. Of
/// several texts of one key llama.cpp takes one, whichever it meets first; here all count.
const GAPS: [(&str, &[&str]); 3] = [
    ("fim_pad_token_id", &["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"]),
    ("fim_rep_token_id", &["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"]),
    ("fim_sep_token_id", &["<|file_sep|>"]),
];

/// `LLAMA_TOKEN_TYPE_*`, of which these are told apart.
const NORMAL: i64 = 1;
const CONTROL: i64 = 3;
const BYTE: i64 = 6;

/// How texts are cut into tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Byte pairs, after a pre-tokenizer has cut the text.
    Bpe,
    /// SentencePiece.
    Spm,
    /// The others that llama.cpp knows.
    Other,
}

/// What a header says of a special token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// Nothing.
    Absent,
    Id(u64),
    /// An id that the vocabulary has not.
    OutOfVocabulary(u64),
}

/// The tokens of a header, and which of them are special.
pub struct Vocabulary<'a> {
    metadata: &'a BTreeMap<String, Value>,
    pub kind: Kind,
    /// Of a BPE vocabulary; None where the header names none.
    pub pre: Option<&'a str>,
    pub len: u64,
    texts: &'a Texts,
    types: Option<&'a [i64]>,
    ids: HashMap<&'a str, u64>,
    /// What llama.cpp takes where no key names a token.
    usual_bos: Option<u64>,
    usual_eos: Option<u64>,
}

impl<'a> Vocabulary<'a> {
    /// None where the header has no vocabulary, or one that is not kept or not known here.
    pub fn of(metadata: &'a BTreeMap<String, Value>) -> Option<Self> {
        let text = |key: &str| metadata.get(key).and_then(Value::text);
        let list = |key: &str| metadata.get(key).and_then(Value::list);
        let model = text("tokenizer.ggml.model")?;
        let (kind, usual_bos, usual_eos) = match model {
            "llama" => (Kind::Spm, Some(1), Some(2)),
            "gpt2" | "hybriddna" | "whitespace" => (Kind::Bpe, Some(11), Some(11)),
            "gemma4" => (Kind::Bpe, None, None),
            "bert" => (Kind::Other, Some(101), None),
            "t5" => (Kind::Other, None, Some(1)),
            "plamo2" => (Kind::Other, Some(1), Some(2)),
            "rwkv" => (Kind::Other, None, None),
            _ => return None,
        };
        // Of this kind there is one rule, whatever the header says.
        let pre = if model == "gemma4" { Some("gemma4") } else { text("tokenizer.ggml.pre") };
        let pre = pre.filter(|pre| kind == Kind::Bpe && !pre.is_empty());
        let usual_bos = usual_bos.filter(|_| !pre.is_some_and(has_no_usual_bos));
        let &List { len, ref texts, .. } = list("tokenizer.ggml.tokens")?;
        let texts = texts.as_ref()?;
        let types = list("tokenizer.ggml.token_type").and_then(|types| types.integers.as_deref());
        let ids = texts.iter().zip(0..).collect();
        let known = |id: Option<u64>| id.filter(|&id| id < len);
        Some(Self {
            metadata,
            kind,
            pre,
            len,
            texts,
            types,
            ids,
            usual_bos: known(usual_bos),
            usual_eos: known(usual_eos),
        })
    }

    /// What the header says of the token that `tokenizer.ggml.NAME` names.
    pub fn named(&self, name: &str) -> Named {
        match self.metadata.get(&format!("tokenizer.ggml.{name}")).and_then(Value::unsigned) {
            None => Named::Absent,
            Some(id) if id < self.len => Named::Id(id),
            Some(id) => Named::OutOfVocabulary(id),
        }
    }

    fn token(&self, name: &str, usual: Option<u64>) -> Option<u64> {
        match self.named(name) {
            Named::Id(id) => Some(id),
            Named::Absent | Named::OutOfVocabulary(_) => usual,
        }
    }

    pub fn bos(&self) -> Option<u64> {
        self.token("bos_token_id", self.usual_bos)
    }

    pub fn eos(&self) -> Option<u64> {
        self.token("eos_token_id", self.usual_eos)
    }

    fn truth(&self, key: &str) -> Option<bool> {
        self.metadata.get(key).and_then(Value::truth)
    }

    /// Whether a BOS is put before each prompt.
    pub fn adds_bos(&self) -> bool {
        let usual = match self.kind {
            Kind::Spm => true,
            Kind::Bpe => self.pre.is_some_and(adds_bos),
            Kind::Other => false,
        };
        self.pre.is_some_and(insists_on_bos) || self.truth("tokenizer.ggml.add_bos_token").unwrap_or(usual)
    }

    /// Whether an EOS is put behind each prompt.
    pub fn adds_eos(&self) -> bool {
        self.truth("tokenizer.ggml.add_eos_token").unwrap_or(false)
    }

    pub fn id_of(&self, text: &str) -> Option<u64> {
        self.ids.get(text).copied()
    }

    pub fn text_of(&self, id: u64) -> Option<&'a str> {
        self.texts.get(id)
    }

    fn type_of(&self, id: u64) -> Option<i64> {
        self.types?.get(usize::try_from(id).ok()?).copied()
    }

    /// Whether the header tells special tokens from text.
    pub fn has_types(&self) -> bool {
        self.metadata.contains_key("tokenizer.ggml.token_type")
    }

    /// Whether the token is text like others, and nothing in its text says otherwise to llama.cpp.
    pub fn is_text(&self, id: u64) -> bool {
        let is_known = self.text_of(id).is_some_and(|text| ENDS.contains(&text));
        !is_known && self.type_of(id).is_some_and(|found| [NORMAL, BYTE].contains(&found))
    }

    /// The longest token that stands for no text, and with whose text this one begins.
    pub fn control_token_at(&self, text: &str) -> Option<&'a str> {
        let controls = self.texts.iter().zip(0..).filter(|&(_, id)| self.type_of(id) == Some(CONTROL));
        let begins = controls.map(|(token, _)| token).filter(|token| !token.is_empty() && text.starts_with(token));
        begins.max_by_key(|token| token.len())
    }

    /// The tokens that end a generation.
    pub fn ends(&self) -> BTreeSet<u64> {
        let mut ends: BTreeSet<u64> = ENDS.iter().filter_map(|text| self.id_of(text)).collect();
        for (key, texts) in GAPS {
            match self.named(key) {
                Named::Id(id) => ends.extend([id]),
                Named::Absent | Named::OutOfVocabulary(_) => {
                    ends.extend(texts.iter().filter_map(|text| self.id_of(text)));
                }
            }
        }
        ends.extend(self.eos());
        ends.extend(["eot_token_id", "eom_token_id"].into_iter().filter_map(|name| self.token(name, None)));
        let has = |text: &str| self.id_of(text).is_some_and(|id| ends.contains(&id));
        // Of models whose messages end in `<|end|>` and whose turns do not.
        let calls = has("<|call|>") || has("<|calls|>");
        let messages = calls && (has("<|return|>") || has("<|flush|>"));
        // Of models in whose texts `</s>` is a tag.
        let tags = has("<|tool_response>") || has("<|plamo:eos|>");
        for text in
            [("<|end|>", messages), ("</s>", tags)].into_iter().filter_map(|(text, left_out)| left_out.then_some(text))
        {
            self.id_of(text).map(|id| ends.remove(&id));
        }
        ends
    }
}
