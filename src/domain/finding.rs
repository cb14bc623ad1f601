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
                "A runtime that is asked to chat uses another model's chat format, which this model was not trained \
                 on.",
            ),
            Self::EotNotEog => (
                "F-EOT-NOT-EOG",
                Warning,
                InHeader,
                "end of turn",
                "The model writes this token at the end of its turn, but the runtime does not stop: the model goes on \
                 as the user, or repeats itself.",
            ),
            Self::EotNoToken => (
                "F-EOT-NO-TOKEN",
                Warning,
                InHeader,
                "end of turn",
                "The marker is split into ordinary tokens, none of which ends a generation: the runtime never sees \
                 that a turn is over.",
            ),
            Self::EosAbsent => (
                "F-EOS-ABSENT",
                Warning,
                InHeader,
                "EOS",
                "Without the key, llama.cpp uses a default id, so texts end at the wrong token, or never.",
            ),
            Self::EosOutOfVocabulary => (
                "F-EOS-OUT-OF-VOCABULARY",
                Warning,
                InHeader,
                "EOS",
                "llama.cpp ignores the id and uses its default, so texts end at the wrong token, or never.",
            ),
            Self::EosNotControl => (
                "F-EOS-NOT-CONTROL",
                Warning,
                InHeader,
                "EOS",
                "It is an ordinary text token, so a text ends wherever it happens to contain it.",
            ),
            Self::EosAdded => (
                "F-EOS-ADDED",
                Warning,
                InHeader,
                "EOS",
                "An end-of-text token is added after each prompt, so the model starts a new text instead of \
                 continuing the prompt.",
            ),
            Self::BosMissing => (
                "F-BOS-MISSING",
                Warning,
                InHeader,
                "BOS",
                "This architecture was trained with a BOS before every text; without one it repeats single words.",
            ),
            Self::BosAbsent => (
                "F-BOS-ABSENT",
                Warning,
                InHeader,
                "BOS",
                "llama.cpp puts the token with its default id before each prompt, and here that is an ordinary text \
                 token.",
            ),
            Self::BosTwice => (
                "F-BOS-TWICE",
                Note,
                InHeader,
                "BOS",
                "Prompts begin with two BOS in runtimes that render the template and then let the tokenizer add its \
                 own; llama-server removes one.",
            ),
            Self::TokenOutOfVocabulary => (
                "F-TOKEN-OUT-OF-VOCABULARY",
                Warning,
                InHeader,
                "special token ids",
                "llama.cpp ignores the id, so the token is missing, or another token is used for it.",
            ),
            Self::TokenTypesAbsent => (
                "F-TOKEN-TYPES-ABSENT",
                Warning,
                InHeader,
                "token types",
                "Special tokens can't be told from text, so the markers of a chat template are split into ordinary \
                 tokens.",
            ),
            Self::PreAbsent => (
                "F-PRE-ABSENT",
                Warning,
                InHeader,
                "pre-tokenizer",
                "llama.cpp splits texts by its default rule and not as in training, and warns that the quality of \
                 generation suffers.",
            ),
            Self::PreDefault => (
                "F-PRE-DEFAULT",
                Warning,
                InHeader,
                "pre-tokenizer",
                "A converter writes this if it does not know the rule, so texts are not split as in training.",
            ),
            Self::PreUnknown => (
                "F-PRE-UNKNOWN",
                Error,
                InHeader,
                "pre-tokenizer",
                "The llama.cpp in this moe-sweep does not know this rule and refuses the model.",
            ),
            Self::RouterBits => (
                "F-ROUTER-BITS",
                Warning,
                InHeader,
                "weight precision",
                "A router with so few bits sends tokens to other experts than in training.",
            ),
            Self::EmbeddingBits => (
                "F-EMBEDDING-BITS",
                Warning,
                InHeader,
                "weight precision",
                "Everything the model reads goes through these weights, and files with so few bits for them are \
                 reported to loop.",
            ),
            Self::OutputBits => (
                "F-OUTPUT-BITS",
                Warning,
                InHeader,
                "weight precision",
                "These weights choose each token, and so few bits change the order of probable tokens.",
            ),
            Self::WeightsBits => (
                "F-WEIGHTS-BITS",
                Warning,
                InHeader,
                "weight precision",
                "Models with so few bits are reported to loop when larger files of the same model do not.",
            ),
            Self::ScalesInPart => (
                "F-SCALES-IN-PART",
                Warning,
                InHeader,
                "expert scales",
                "llama.cpp uses 1 for a missing scale, so these experts contribute too much or too little compared \
                 with the others.",
            ),
            Self::ContextBeyondTraining => (
                "F-CONTEXT-BEYOND-TRAINING",
                Warning,
                InPlan,
                "context",
                "A model may degrade at positions that it never saw in training, for that reason alone.",
            ),
            Self::LoopBeyondLastN => (
                "F-LOOP-BEYOND-LAST-N",
                Warning,
                InRun,
                "penalty windows",
                "A penalty does not see tokens outside its window, so it can't prevent these loops, however strong it \
                 is.",
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
