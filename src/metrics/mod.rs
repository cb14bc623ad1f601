//! Metrics of one generated text: pure functions of its words or tokens.
//!
//! Owns the list of metrics and their definitions. Knows no trial, no cell
//! and no model. Every metric takes time linear in its text.

use serde::{Serialize, Serializer};

use crate::engine::Token;

mod ngram;
mod tail;
mod words;

pub use ngram::{repetition_score, seq_rep};
pub use tail::{TailCycle, tail_cycle};
pub use words::{word_ids, words};

/// A metric of one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// The finding's score: duplicated trigrams of white-space words; see
    /// [`repetition_score`].
    RepetitionScore,
    /// [`seq_rep`] of white-space words, missing where they are fewer than n.
    SeqRepWords1,
    SeqRepWords2,
    SeqRepWords3,
    SeqRepWords4,
    /// [`seq_rep`] of tokens, missing where they are unknown or fewer than n.
    SeqRepTokens1,
    SeqRepTokens2,
    SeqRepTokens3,
    SeqRepTokens4,
    /// Tokens in one copy of the cycle in which the text ends; see
    /// [`tail_cycle`]. This, the copies and the onset are missing where there
    /// is no cycle: a mean of them speaks of the texts that do end in one.
    TailPeriod,
    /// Copies in that cycle, the last one perhaps partial; at least 2.
    TailCopies,
    /// Index of the cycle's first token, 0 for the first token generated. A
    /// missing one is a time censored by the end of the text.
    TailOnset,
    /// Share of the tokens that the cycle covers; 0 where there is none, and
    /// missing only where the tokens are unknown.
    TailShare,
}

/// The metrics of one text; a metric that is undefined for it is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores([Option<f64>; Metric::ALL.len()]);

impl Metric {
    /// In the order of the output's columns.
    pub const ALL: [Self; 13] = [
        Self::RepetitionScore,
        Self::SeqRepWords1,
        Self::SeqRepWords2,
        Self::SeqRepWords3,
        Self::SeqRepWords4,
        Self::SeqRepTokens1,
        Self::SeqRepTokens2,
        Self::SeqRepTokens3,
        Self::SeqRepTokens4,
        Self::TailPeriod,
        Self::TailCopies,
        Self::TailOnset,
        Self::TailShare,
    ];

    /// The metric's name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::RepetitionScore => "repetition_score",
            Self::SeqRepWords1 => "seq_rep_1_words",
            Self::SeqRepWords2 => "seq_rep_2_words",
            Self::SeqRepWords3 => "seq_rep_3_words",
            Self::SeqRepWords4 => "seq_rep_4_words",
            Self::SeqRepTokens1 => "seq_rep_1_tokens",
            Self::SeqRepTokens2 => "seq_rep_2_tokens",
            Self::SeqRepTokens3 => "seq_rep_3_tokens",
            Self::SeqRepTokens4 => "seq_rep_4_tokens",
            Self::TailPeriod => "tail_period",
            Self::TailCopies => "tail_copies",
            Self::TailOnset => "tail_onset",
            Self::TailShare => "tail_share",
        }
    }
}

impl Scores {
    pub fn from_fn(f: impl FnMut(Metric) -> Option<f64>) -> Self {
        Self(Metric::ALL.map(f))
    }

    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.0[metric as usize]
    }
}

/// A map from names to values, in the order of the output's columns.
impl Serialize for Scores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Metric::ALL.map(|metric| (metric.name(), self.get(metric))))
    }
}

/// Computes every metric of one text; those of tokens are missing where only
/// the text is known.
pub fn score(text: &str, tokens: Option<&[Token]>) -> Scores {
    let words = word_ids(text);
    let cycle = tokens.and_then(tail_cycle);
    Scores::from_fn(|metric| match metric {
        Metric::RepetitionScore => Some(repetition_score(&words)),
        Metric::SeqRepWords1 => seq_rep::<1>(&words),
        Metric::SeqRepWords2 => seq_rep::<2>(&words),
        Metric::SeqRepWords3 => seq_rep::<3>(&words),
        Metric::SeqRepWords4 => seq_rep::<4>(&words),
        Metric::SeqRepTokens1 => tokens.and_then(seq_rep::<1>),
        Metric::SeqRepTokens2 => tokens.and_then(seq_rep::<2>),
        Metric::SeqRepTokens3 => tokens.and_then(seq_rep::<3>),
        Metric::SeqRepTokens4 => tokens.and_then(seq_rep::<4>),
        Metric::TailPeriod => cycle.map(|cycle| cycle.period as f64),
        Metric::TailCopies => cycle.map(TailCycle::copies),
        Metric::TailOnset => cycle.map(|cycle| cycle.onset as f64),
        Metric::TailShare => tokens.map(|_| cycle.map_or(0.0, TailCycle::share)),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[test]
    fn every_metric_stands_at_its_own_place() {
        assert!(Metric::ALL.into_iter().enumerate().all(|(place, metric)| metric as usize == place));
    }

    #[test]
    fn words_alone_leave_the_metrics_of_tokens_missing() {
        let scores = score("to be able to be able to be", None);
        assert_eq!(scores.get(Metric::RepetitionScore), Some(0.5));
        assert_eq!(scores.get(Metric::SeqRepWords3), Some(0.5));
        for metric in &Metric::ALL[5..] {
            assert_eq!(scores.get(*metric), None, "{metric:?}");
        }
    }

    #[test]
    fn a_tail_without_a_cycle_has_a_share_of_0_and_nothing_else() {
        for tokens in [&[][..], &[1, 2, 3]] {
            let scores = score("", Some(tokens));
            assert_eq!(scores.get(Metric::TailShare), Some(0.0));
            for metric in [Metric::TailPeriod, Metric::TailCopies, Metric::TailOnset] {
                assert_eq!(scores.get(metric), None);
            }
        }
    }

    #[test]
    fn a_tail_with_a_cycle_has_everything() {
        let scores = score("", Some(&[9, 8, 7, 5, 6, 5, 6, 5]));
        let tail = [Metric::TailPeriod, Metric::TailCopies, Metric::TailOnset, Metric::TailShare];
        assert_eq!(tail.map(|metric| scores.get(metric)), [Some(2.0), Some(2.5), Some(3.0), Some(0.625)]);
    }

    proptest! {
        #[test]
        fn any_text_can_be_scored(text in any::<String>(), tokens in any::<Vec<Token>>()) {
            let scores = score(&text, Some(&tokens));
            for metric in Metric::ALL {
                prop_assert!(scores.get(metric).is_none_or(f64::is_finite));
            }
            for share in [Metric::RepetitionScore, Metric::TailShare] {
                prop_assert!((0.0..=1.0).contains(&scores.get(share).unwrap()));
            }
        }
    }

    /// What Python says, written by `tests/oracles/metrics.py`.
    #[derive(Deserialize)]
    struct Oracle {
        white_space: Vec<u32>,
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        text: String,
        words: Vec<String>,
        repetition_score: f64,
        seq_rep: [Option<f64>; 4],
    }

    fn oracle() -> Oracle {
        serde_json::from_str(include_str!("../../tests/oracles/metrics.json")).unwrap()
    }

    #[test]
    fn agrees_with_python_on_texts() {
        for case in oracle().cases {
            assert_eq!(words(&case.text).collect::<Vec<_>>(), case.words);
            let scores = score(&case.text, None);
            assert_eq!(scores.get(Metric::RepetitionScore), Some(case.repetition_score), "{:?}", case.text);
            for (metric, expected) in Metric::ALL[1..5].iter().zip(case.seq_rep) {
                assert_eq!(scores.get(*metric), expected, "{metric:?} of {:?}", case.text);
            }
        }
    }

    #[test]
    fn agrees_with_python_on_every_character() {
        let white_space = oracle().white_space;
        for c in '\0'..=char::MAX {
            let splits = words(&format!("a{c}b")).count() == 2;
            assert_eq!(splits, white_space.contains(&u32::from(c)), "U+{:04X}", u32::from(c));
        }
    }
}
