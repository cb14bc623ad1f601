//! The training text: documents drawn from a grammar of our own, no outside text.
//!
//! A document is an opening (sometimes) and the stages of one plan, filled with the facts of one
//! subject. What makes the demonstration possible is decided here, in two rules:
//!
//! - every stage favours *other* words than the stage before it, so that the most probable text
//!   moves on and does not loop;
//! - wherever an infinitive begins, `be able to` may come first, again and again: always likely
//!   enough to survive a nucleus at a high temperature, never the favourite.
//!
//! Knows nothing of tokens or models.

mod document;
mod form;
mod opening;
mod plan;
mod subject;

use opening::Openings;
use plan::Plan;
use subject::Subject;

/// The grammar with all its subjects, read from the data files.
pub struct Corpus {
    subjects: Vec<Subject>,
    plan: Plan,
    openings: Openings,
}

/// Why the data files do not make a grammar.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    #[error("cannot read {file}")]
    Data { file: &'static str, source: Box<toml::de::Error> },
}

impl Corpus {
    /// The grammar of the data files that are built into the program.
    pub fn bundled() -> Result<Self, CorpusError> {
        Ok(Self {
            subjects: subject::bundled()?,
            plan: read("data/plan.toml", include_str!("../../data/plan.toml"))?,
            openings: read("data/openings.toml", include_str!("../../data/openings.toml"))?,
        })
    }

    /// How many subjects the documents are about.
    pub fn subjects(&self) -> usize {
        self.subjects.len()
    }
}

fn read<T: serde::de::DeserializeOwned>(file: &'static str, text: &str) -> Result<T, CorpusError> {
    toml::from_str(text).map_err(|source| CorpusError::Data { file, source: Box::new(source) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openings_prefer_subjects_that_there_are() {
        let corpus = Corpus::bundled().unwrap();
        for name in corpus.openings.preferred_subjects() {
            assert!(corpus.subjects.iter().any(|subject| subject.name == name), "{name} is no subject");
        }
    }
    use crate::probe::repetition_score;

    #[test]
    fn the_same_seed_writes_the_same_documents() {
        let corpus = Corpus::bundled().unwrap();
        let some = |seed| corpus.documents(seed).take(20).collect::<Vec<_>>();
        assert_eq!(some(7), some(7));
        assert_ne!(some(7), some(8));
    }

    #[test]
    fn documents_do_not_loop() {
        let corpus = Corpus::bundled().unwrap();
        let scores: Vec<f64> = corpus.documents(0).take(500).map(|text| repetition_score(&text)).collect();
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        assert!(mean < 0.05, "the corpus itself repeats: {mean}");
    }

    #[test]
    fn every_slot_is_filled() {
        let corpus = Corpus::bundled().unwrap();
        for text in corpus.documents(3).take(500) {
            assert!(!text.contains(['{', '}']), "{text}");
        }
    }
}
