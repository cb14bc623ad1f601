//! What can be said about a subject: phrases chosen so that every sentence made of them is true.

use serde::Deserialize;

use super::CorpusError;

/// One subject. The phrases of a list may follow one another in any order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// As the subject of a sentence: "solar energy".
    pub name: String,
    /// What it is: "a clean source of power".
    pub kind: String,
    /// Who has to do with it, in the plural.
    pub people: Vec<String>,
    /// Words that call it to mind in a question.
    pub cues: Vec<String>,
    /// Predicates in the past: "began with …".
    pub origin: Vec<String>,
    /// Infinitives without "to": what it allows one to do.
    pub goals: Vec<String>,
    /// Whole clauses, without capital or full stop, as in the lists below.
    pub facts: Vec<String>,
    pub reasons: Vec<String>,
    pub doubts: Vec<String>,
    pub answers: Vec<String>,
    pub examples: Vec<String>,
}

macro_rules! subjects {
    ($($name:literal),* $(,)?) => {
        [$((
            concat!("data/subjects/", $name, ".toml"),
            include_str!(concat!("../../data/subjects/", $name, ".toml")),
        )),*]
    };
}

/// The subjects of `data/subjects/`.
pub fn bundled() -> Result<Vec<Subject>, CorpusError> {
    subjects![
        "artificial-intelligence",
        "programming",
        "internet",
        "solar-energy",
        "wind-power",
        "electric-transport",
        "medicine",
        "sleep",
        "exercise",
        "cooking",
        "gardening",
        "astronomy",
        "weather",
        "oceans",
        "history",
        "music",
        "storytelling",
        "friendship",
        "money",
        "languages",
        "travel",
        "teaching",
    ]
    .into_iter()
    .map(|(file, text)| super::read(file, text))
    .collect()
}
