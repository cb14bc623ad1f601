//! Says what is wrong with a model by its header alone, before a token is made.
//!
//! Pure: from a [`Gguf`] that was read, whatever somebody put into it. What can't be decided is said to be open, and is not
//! taken for right; a doubt is no finding. Must not know how findings are shown.

use super::anatomy::Anatomy;
use super::gguf::{Gguf, Value};
use crate::domain::{Finding, FindingId};

mod pre_tokenizers;
mod template;
mod tokens;
mod turns;
mod vocabulary;
mod weights;

pub use pre_tokenizers::PRE_TOKENIZERS;

use vocabulary::Vocabulary;

/// What a header shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examination {
    /// The worst first.
    pub findings: Vec<Finding>,
    /// What could not be decided.
    pub open: Vec<Open>,
}

/// Something that was looked at and could not be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    pub subject: &'static str,
    pub why: &'static str,
}

/// Looks at a model's header.
pub fn examine(gguf: &Gguf, anatomy: &Anatomy) -> Examination {
    let mut found = Examination::default();
    let template = gguf.metadata.get(TEMPLATE).and_then(Value::text);
    match Vocabulary::of(&gguf.metadata) {
        Some(vocabulary) => {
            tokens::examine(&vocabulary, anatomy, template, &mut found);
            turns::examine(&vocabulary, template, &mut found);
        }
        None => {
            found.open(FindingId::EosAbsent, "the vocabulary is missing, too long, or of an unknown kind");
        }
    }
    if template.is_none() && gguf.metadata.contains_key(TEMPLATE) {
        found.open(FindingId::EotNotEog, "the chat template is not a text, or is too long");
    }
    turns::template_is_there(gguf, anatomy, &mut found);
    weights::examine(gguf, anatomy, &mut found);
    found.findings.sort_by_key(|finding| (finding.id.severity(), finding.id));
    found
}

/// The tokens that end a generation, as llama.cpp reads them out of a header; None where they can't be known.
pub fn ends_of_generation(gguf: &Gguf) -> Option<Vec<u64>> {
    Vocabulary::of(&gguf.metadata).map(|vocabulary| vocabulary.ends().into_iter().collect())
}

const TEMPLATE: &str = "tokenizer.chat_template";

impl Examination {
    fn add(&mut self, id: FindingId, key: impl Into<String>, value: impl Into<String>, remedy: impl Into<String>) {
        self.findings.push(Finding { id, key: key.into(), value: value.into(), remedy: remedy.into() });
    }

    fn open(&mut self, id: FindingId, why: &'static str) {
        self.open.push(Open { subject: id.subject(), why });
    }
}
