//! Metrics of one generated text: pure functions of its words or tokens.
//!
//! Owns the list of metrics and their definitions. Knows no trial, no cell
//! and no model.

/// A metric of one text. For its definition see the function that computes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// The finding's score: seq-rep-3 on white-space words.
    RepetitionScore,
    SeqRepWords1,
    SeqRepWords2,
    SeqRepWords3,
    SeqRepWords4,
    SeqRepTokens1,
    SeqRepTokens2,
    SeqRepTokens3,
    SeqRepTokens4,
    /// Tokens in one turn of the cycle in which the text ends.
    TailPeriod,
    /// Turns of that cycle, the last one perhaps partial.
    TailCopies,
    /// Index of the first token of the cycle.
    TailOnset,
    /// Share of the tokens that the cycle covers; 0 where there is none.
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
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.0[metric as usize]
    }
}
