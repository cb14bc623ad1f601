//! Owns findings: what is known to be wrong without asking a model anything, or what a run shows of its own settings.
//!
//! Each kind is one entry, here: its id, how bad it is, what is looked at, why it matters. Must not know how any of it is
//! found out: `model/findings` does for a file, `plan` for an experiment, `analysis` for a run.

use strum::VariantArray;

/// Something that was found wrong.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Finding {
    pub id: FindingId,
    /// What it stands in: a key of the header, a tensor, a key of the experiment.
    pub key: String,
    /// What stands there, in words.
    pub value: String,
    /// What to do, with the flag or the key.
    pub remedy: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// This llama.cpp refuses the model.
    Error,
    /// It spoils texts.
    Warning,
    /// It spoils texts of some runtimes, or in some settings.
    Note,
}

/// Where a finding is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// In a model's header.
    InHeader,
    /// In an experiment on a model.
    InPlan,
    /// In a run's texts.
    InRun,
}

/// A kind of finding. Their names are kept: people look for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, VariantArray)]
pub enum FindingId {
    NoTemplate,
    EotNotEog,
    EotNoToken,
    EosAbsent,
    EosOutOfVocabulary,
    EosNotControl,
    EosAdded,
    BosMissing,
    BosAbsent,
    BosTwice,
    TokenOutOfVocabulary,
    TokenTypesAbsent,
    PreAbsent,
    PreDefault,
    PreUnknown,
    RouterBits,
    EmbeddingBits,
    OutputBits,
    WeightsBits,
    ScalesInPart,
    ContextBeyondTraining,
    LoopBeyondLastN,
}

struct Entry {
    name: &'static str,
    severity: Severity,
    found: Found,
    /// What is looked at.
    subject: &'static str,
    why: &'static str,
}

impl FindingId {
    pub const ALL: &[Self] = Self::VARIANTS;

    fn entry(self) -> Entry {
        use Found::{InHeader, InPlan, InRun};
        use Severity::{Error, Note, Warning};
        let (name, severity, found, subject, why) = match self {
            Self::NoTemplate => (
                "F-NO-TEMPLATE",
                Warning,
                InHeader,
                "chat template",
                "A runtime that is asked to chat takes another model's form, which this one was not trained on.",
            ),
            Self::EotNotEog => (
                "F-EOT-NOT-EOG",
                Warning,
                InHeader,
                "ends of turns",
                "The model writes this token where its turn is over, and the runtime goes on: it speaks for the user, or says \
                 it all again.",
            ),
            Self::EotNoToken => (
                "F-EOT-NO-TOKEN",
                Warning,
                InHeader,
                "ends of turns",
                "The mark is cut into pieces of text, none of which ends a generation: the runtime never sees that a turn is over.",
            ),
            Self::EosAbsent => (
                "F-EOS-ABSENT",
                Warning,
                InHeader,
                "EOS",
                "Where no key names it, llama.cpp takes a number of its own, so texts end at a wrong token, or never.",
            ),
            Self::EosOutOfVocabulary => (
                "F-EOS-OUT-OF-VOCABULARY",
                Warning,
                InHeader,
                "EOS",
                "llama.cpp ignores the id and takes its default, so texts end at a wrong token, or never.",
            ),
            Self::EosNotControl => (
                "F-EOS-NOT-CONTROL",
                Warning,
                InHeader,
                "EOS",
                "It is a piece of text like others, so texts end where they happen to hold it.",
            ),
            Self::EosAdded => (
                "F-EOS-ADDED",
                Warning,
                InHeader,
                "EOS",
                "An end-of-text token stands behind each prompt, so the model begins anew instead of going on with it.",
            ),
            Self::BosMissing => (
                "F-BOS-MISSING",
                Warning,
                InHeader,
                "BOS",
                "This architecture was trained with a BOS before every text, and repeats single words without one.",
            ),
            Self::BosAbsent => (
                "F-BOS-ABSENT",
                Warning,
                InHeader,
                "BOS",
                "llama.cpp puts the token with its default number before each prompt, which is a piece of text here.",
            ),
            Self::BosTwice => (
                "F-BOS-TWICE",
                Note,
                InHeader,
                "BOS",
                "Prompts begin with two BOS in runtimes that render the template and leave the rest to the tokenizer; llama-server \
                 takes one away.",
            ),
            Self::TokenOutOfVocabulary => (
                "F-TOKEN-OUT-OF-VOCABULARY",
                Warning,
                InHeader,
                "ids of special tokens",
                "llama.cpp ignores the id, so the token is missing, or another one stands for it.",
            ),
            Self::TokenTypesAbsent => (
                "F-TOKEN-TYPES-ABSENT",
                Warning,
                InHeader,
                "types of tokens",
                "Special tokens can't be told from text, so the marks of a chat template are cut into pieces.",
            ),
            Self::PreAbsent => (
                "F-PRE-ABSENT",
                Warning,
                InHeader,
                "pre-tokenizer",
                "llama.cpp cuts texts by its default rule and not as in training, and warns that what is generated gets worse.",
            ),
            Self::PreDefault => (
                "F-PRE-DEFAULT",
                Warning,
                InHeader,
                "pre-tokenizer",
                "A converter writes this where it does not know the rule, so texts are cut in another way than in training.",
            ),
            Self::PreUnknown => (
                "F-PRE-UNKNOWN",
                Error,
                InHeader,
                "pre-tokenizer",
                "The llama.cpp in this moe-sweep knows no such rule and refuses the model.",
            ),
            Self::RouterBits => (
                "F-ROUTER-BITS",
                Warning,
                InHeader,
                "bits of weights",
                "A router that is rounded so much sends tokens to other experts than in training.",
            ),
            Self::EmbeddingBits => (
                "F-EMBEDDING-BITS",
                Warning,
                InHeader,
                "bits of weights",
                "All that the model reads goes through these weights, and files that round them so much are reported to loop.",
            ),
            Self::OutputBits => (
                "F-OUTPUT-BITS",
                Warning,
                InHeader,
                "bits of weights",
                "Each token is chosen by these weights, and rounding them so much moves probable tokens past each other.",
            ),
            Self::WeightsBits => (
                "F-WEIGHTS-BITS",
                Warning,
                InHeader,
                "bits of weights",
                "Models that are quantised so far are reported to loop where larger files of them do not.",
            ),
            Self::ScalesInPart => (
                "F-SCALES-IN-PART",
                Warning,
                InHeader,
                "scales of experts",
                "llama.cpp takes 1 for a scale that is missing, so these experts are too loud or too quiet beside the others.",
            ),
            Self::ContextBeyondTraining => (
                "F-CONTEXT-BEYOND-TRAINING",
                Warning,
                InPlan,
                "context",
                "What a model writes at positions that it never saw in training may decay for that alone.",
            ),
            Self::LoopBeyondLastN => (
                "F-LOOP-BEYOND-LAST-N",
                Warning,
                InRun,
                "windows of penalties",
                "A penalty can't see a token that it has forgotten, so it does nothing against these loops, however strong it is.",
            ),
        };
        Entry { name, severity, found, subject, why }
    }

    pub fn name(self) -> &'static str {
        self.entry().name
    }

    pub fn severity(self) -> Severity {
        self.entry().severity
    }

    pub fn found(self) -> Found {
        self.entry().found
    }

    /// What is looked at.
    pub fn subject(self) -> &'static str {
        self.entry().subject
    }

    /// Why it matters: a sentence.
    pub fn why(self) -> &'static str {
        self.entry().why
    }
}

impl Finding {
    /// All of it in one line.
    pub fn sentence(&self) -> String {
        let Self { id, key, value, remedy } = self;
        format!("{}: {key}: {value}. {} To do: {remedy}", id.name(), id.why())
    }
}

impl Severity {
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}
