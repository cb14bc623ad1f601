//! The list of metrics, their names, and a text's values for them.

use serde::{Deserialize, Serialize, Serializer};

/// A metric of one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Metric {
    /// The finding's score: duplicated trigrams of white-space words; see
    /// [`repetition_score`](super::repetition_score).
    RepetitionScore,
    /// [`seq_rep`](super::seq_rep) of white-space words, missing where they are fewer than n.
    SeqRepWords1,
    SeqRepWords2,
    SeqRepWords3,
    SeqRepWords4,
    /// [`seq_rep`](super::seq_rep) of tokens, missing where they are unknown or fewer than n.
    SeqRepTokens1,
    SeqRepTokens2,
    SeqRepTokens3,
    SeqRepTokens4,
    /// Tokens in one copy of the cycle in which the text ends; see
    /// [`tail_cycle`](super::tail_cycle). This, the copies and the onset are missing where there
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
    /// rep-n of white-space words in percent and the product of what they leave,
    /// as SimCTG's script has them; see [`SimCtg`](super::SimCtg).
    SimctgRep2,
    SimctgRep3,
    SimctgRep4,
    SimctgDiversity,
    /// Verdicts of other loop detectors on the tokens, 1 for yes and 0 for no:
    /// [`is_holtzman_repetition`](super::is_holtzman_repetition),
    /// [`ends_in_copies`](super::ends_in_copies) with our limits, and
    /// [`UpToFour::has_30_20_loop`](super::UpToFour::has_30_20_loop).
    HoltzmanRepetition,
    VllmLoop,
    Loop3020,
    /// [`rep_w`](super::rep_w) and [`rep_r`](super::rep_r) of tokens.
    RepW,
    RepR,
    /// Variety of white-space words: [`mattr`](super::mattr), [`mtld`](super::mtld),
    /// [`ead`](super::ead) and [`zipf`](super::zipf).
    MattrWords,
    MtldWords,
    EadWords,
    ZipfWords,
    /// [`compression_ratio`](super::compression_ratio) of the text's bytes.
    CompressionRatio,
}

/// Which way a metric goes where texts repeat themselves more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worse {
    Higher,
    Lower,
}

/// The metrics of one text; a metric that is undefined for it is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores([Option<f64>; Metric::ALL.len()]);

impl Metric {
    /// In the order of the output's columns.
    pub const ALL: [Self; 27] = [
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
        Self::SimctgRep2,
        Self::SimctgRep3,
        Self::SimctgRep4,
        Self::SimctgDiversity,
        Self::HoltzmanRepetition,
        Self::VllmLoop,
        Self::Loop3020,
        Self::RepW,
        Self::RepR,
        Self::MattrWords,
        Self::MtldWords,
        Self::EadWords,
        Self::ZipfWords,
        Self::CompressionRatio,
    ];

    /// Which way is worse; `None` where it depends on what else is.
    pub fn worse(self) -> Option<Worse> {
        match self {
            Self::TailPeriod | Self::TailCopies | Self::TailOnset | Self::ZipfWords => None,
            Self::SimctgDiversity | Self::MattrWords | Self::MtldWords | Self::EadWords => Some(Worse::Lower),
            _ => Some(Worse::Higher),
        }
    }

    /// The metric called so, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

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
            Self::SimctgRep2 => "simctg_rep_2_percent",
            Self::SimctgRep3 => "simctg_rep_3_percent",
            Self::SimctgRep4 => "simctg_rep_4_percent",
            Self::SimctgDiversity => "simctg_diversity",
            Self::HoltzmanRepetition => "holtzman_repetition",
            Self::VllmLoop => "vllm_loop",
            Self::Loop3020 => "loop_30_20",
            Self::RepW => "rep_w_tokens",
            Self::RepR => "rep_r_tokens",
            Self::MattrWords => "mattr_words",
            Self::MtldWords => "mtld_words",
            Self::EadWords => "ead_words",
            Self::ZipfWords => "zipf_words",
            Self::CompressionRatio => "compression_ratio",
        }
    }
}

impl From<Metric> for &'static str {
    fn from(metric: Metric) -> Self {
        metric.name()
    }
}

impl TryFrom<String> for Metric {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::from_name(&name).ok_or_else(|| format!("unknown metric {name:?}"))
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
