//! Lists the metrics, with their names and a text's values for them.

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
    /// Whether the text, its thought or its answer ends in a loop, by tokens or by characters; see
    /// [`Looping`](super::Looping) and [`loop_of_tokens`](super::loop_of_tokens). 1 or 0.
    Loop,
    /// Whether it was in a loop and got out again. 1 or 0.
    Recovered,
    /// Whether it repeats itself in any of these ways: it ends in a loop, was in one, or half of its characters are in
    /// blocks of 20 that start earlier. 1 or 0. Sees runs that are too short for a loop.
    Repeats,
    /// Whether there is no answer, or nothing but white space. 1 or 0.
    EmptyAnswer,
    /// [`repeat_4_chars`](super::repeat_4_chars).
    Repeat4Chars,
    /// The share of characters in a block of 20 that also starts earlier in the text.
    Covered20Chars,
    /// [`recycled`](super::recycled()) of words, or of characters in scripts without spaces.
    Recycled,
    /// The tail's cycle of characters, as [`TailPeriod`](Self::TailPeriod) and its like have it of
    /// tokens.
    TailPeriodChars,
    TailCopiesChars,
    TailOnsetChars,
    TailShareChars,
    /// The same with each run of digits made one character; in those.
    TailPeriodMasked,
    TailCopiesMasked,
    TailOnsetMasked,
    TailShareMasked,
    /// [`is_gemini_cli_loop`](super::is_gemini_cli_loop) and
    /// [`has_ollama_repeats`](super::has_ollama_repeats): verdicts of two more detectors.
    GeminiCliLoop,
    OllamaRepeats,
}

/// What a metric is computed of, and so which texts it can't see into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Medium {
    /// White-space words, whatever the script: the finding's.
    WhiteSpaceWords,
    /// Words by the text's own [`WordRule`](super::WordRule).
    Words,
    Tokens,
    Characters,
    /// Whether there is an answer at all: seen of any text.
    Anything,
}

/// What a metric's value is where the text repeats itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    /// 0 to 1, and about the share of the text that copies make up; near 0 for a clean text.
    Share,
    /// 0 to 1, and well above 0 for a clean text, as few letters make many words.
    RoughShare,
    /// 0 to 100 of the same.
    Percent,
    /// 1 less the same.
    Rest,
    /// 1 or 0.
    Verdict,
    /// It says something else.
    Other,
}

/// Which way a metric goes where texts repeat themselves more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worse {
    Higher,
    Lower,
}

/// The metrics of one text; a metric that is undefined for it is missing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scores {
    values: [Option<f64>; Metric::ALL.len()],
    sight: Sight,
}

/// What decides whether a metric sees the repetition in a text, and when a loop began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sight {
    /// White space says what its words are, and they are three or more.
    pub white_space: bool,
    /// It has words by its own rule: a letter or a sign, whatever the script.
    pub words: bool,
    pub tokens: bool,
    /// The share of the text, or of its thought or answer, that repeats what it loops:
    /// [`Looping::repeated_share`](super::Looping::repeated_share).
    pub repeated_share: f64,
    /// The share of the whole text that these copies make up.
    pub repeated_of_whole: f64,
    /// The first token of the loop of tokens that the text ends in.
    pub loop_onset_tokens: Option<usize>,
    /// The first character of the loop that the text, its thought or its answer ends in.
    pub loop_onset_chars: Option<usize>,
    pub n_chars: usize,
}

impl Default for Sight {
    /// Of a text like any other.
    fn default() -> Self {
        Self {
            white_space: true,
            words: true,
            tokens: true,
            repeated_share: 0.0,
            repeated_of_whole: 0.0,
            loop_onset_tokens: None,
            loop_onset_chars: None,
            n_chars: 0,
        }
    }
}

impl Metric {
    /// In the order of the output's columns.
    pub const ALL: [Self; 44] = [
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
        Self::Loop,
        Self::Recovered,
        Self::Repeats,
        Self::EmptyAnswer,
        Self::Repeat4Chars,
        Self::Covered20Chars,
        Self::Recycled,
        Self::TailPeriodChars,
        Self::TailCopiesChars,
        Self::TailOnsetChars,
        Self::TailShareChars,
        Self::TailPeriodMasked,
        Self::TailCopiesMasked,
        Self::TailOnsetMasked,
        Self::TailShareMasked,
        Self::GeminiCliLoop,
        Self::OllamaRepeats,
    ];

    /// Which way is worse; `None` where it depends on what else is.
    pub fn worse(self) -> Option<Worse> {
        match self {
            Self::TailPeriod | Self::TailCopies | Self::TailOnset | Self::ZipfWords => None,
            Self::TailPeriodChars | Self::TailCopiesChars | Self::TailOnsetChars => None,
            Self::TailPeriodMasked | Self::TailCopiesMasked | Self::TailOnsetMasked => None,
            Self::SimctgDiversity | Self::MattrWords | Self::MtldWords | Self::EadWords => Some(Worse::Lower),
            _ => Some(Worse::Higher),
        }
    }

    /// Between what its values lie: that of a text without repetition, and that of one that is nothing
    /// else; `None` for an end that it does not have.
    pub fn ends(self) -> (Option<f64>, Option<f64>) {
        match (self.scale(), self) {
            (Scale::Share | Scale::RoughShare | Scale::Verdict, _) => (Some(0.0), Some(1.0)),
            (_, Self::Recovered | Self::EmptyAnswer) => (Some(0.0), Some(1.0)),
            (Scale::Percent, _) => (Some(0.0), Some(100.0)),
            (Scale::Rest, _) | (_, Self::MattrWords) => (Some(1.0), Some(0.0)),
            (_, Self::EadWords | Self::MtldWords) => (None, Some(0.0)),
            (_, Self::CompressionRatio) => (Some(0.0), None),
            _ => (None, None),
        }
    }

    /// Whether its values are 1 and 0 only.
    pub fn is_verdict(self) -> bool {
        self.scale() == Scale::Verdict || matches!(self, Self::Recovered | Self::EmptyAnswer)
    }

    fn medium(self) -> Medium {
        match self {
            Self::RepetitionScore => Medium::WhiteSpaceWords,
            Self::SeqRepWords1 | Self::SeqRepWords2 | Self::SeqRepWords3 | Self::SeqRepWords4 => Medium::Words,
            Self::SimctgRep2 | Self::SimctgRep3 | Self::SimctgRep4 | Self::SimctgDiversity => Medium::Words,
            Self::MattrWords | Self::MtldWords | Self::EadWords | Self::ZipfWords | Self::Recycled => Medium::Words,
            Self::SeqRepTokens1 | Self::SeqRepTokens2 | Self::SeqRepTokens3 | Self::SeqRepTokens4 => Medium::Tokens,
            Self::TailPeriod | Self::TailCopies | Self::TailOnset | Self::TailShare => Medium::Tokens,
            Self::HoltzmanRepetition | Self::VllmLoop | Self::Loop3020 | Self::OllamaRepeats => Medium::Tokens,
            Self::RepW | Self::RepR => Medium::Tokens,
            Self::EmptyAnswer => Medium::Anything,
            _ => Medium::Characters,
        }
    }

    /// Whether half of a text of this value is repeated; false of a metric that clean texts score high by.
    pub fn is_loop(self, value: f64) -> bool {
        matches!(self.scale(), Scale::Share | Scale::Verdict) && value >= 0.5
    }

    /// Whether it ends at 1, for a text that is nothing but repetition.
    pub fn ends_at_1(self) -> bool {
        matches!(self.scale(), Scale::Share | Scale::RoughShare | Scale::Verdict)
    }

    fn scale(self) -> Scale {
        match self {
            Self::RepetitionScore | Self::SeqRepWords3 | Self::SeqRepWords4 => Scale::Share,
            Self::SeqRepTokens3 | Self::SeqRepTokens4 | Self::Covered20Chars | Self::Recycled => Scale::Share,
            Self::TailShare | Self::TailShareChars | Self::TailShareMasked => Scale::Share,
            Self::SeqRepWords1 | Self::SeqRepWords2 | Self::SeqRepTokens1 | Self::SeqRepTokens2 => Scale::RoughShare,
            Self::RepW | Self::RepR | Self::Repeat4Chars => Scale::RoughShare,
            Self::SimctgRep2 | Self::SimctgRep3 | Self::SimctgRep4 => Scale::Percent,
            Self::SimctgDiversity => Scale::Rest,
            Self::HoltzmanRepetition | Self::VllmLoop | Self::Loop3020 | Self::Loop => Scale::Verdict,
            Self::Repeats | Self::GeminiCliLoop | Self::OllamaRepeats => Scale::Verdict,
            _ => Scale::Other,
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
            Self::Loop => "loop",
            Self::Recovered => "recovered",
            Self::Repeats => "repeats",
            Self::EmptyAnswer => "empty_answer",
            Self::Repeat4Chars => "repeat_4_chars",
            Self::Covered20Chars => "covered_20_chars",
            Self::Recycled => "recycled",
            Self::TailPeriodChars => "tail_period_chars",
            Self::TailCopiesChars => "tail_copies_chars",
            Self::TailOnsetChars => "tail_onset_chars",
            Self::TailShareChars => "tail_share_chars",
            Self::TailPeriodMasked => "tail_period_masked",
            Self::TailCopiesMasked => "tail_copies_masked",
            Self::TailOnsetMasked => "tail_onset_masked",
            Self::TailShareMasked => "tail_share_masked",
            Self::GeminiCliLoop => "gemini_cli_loop",
            Self::OllamaRepeats => "ollama_repeats",
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
    /// Of a text that every metric sees into.
    pub fn from_fn(f: impl FnMut(Metric) -> Option<f64>) -> Self {
        Self { values: Metric::ALL.map(f), sight: Sight::default() }
    }

    pub(super) fn with_sight(self, sight: Sight) -> Self {
        Self { sight, ..self }
    }

    /// Whether a text is one of those that make a metric's mean: it loops, or half of it is repeated by a metric
    /// that `value` is of and that is near 0 for a clean text.
    pub fn loops_by(&self, metric: Metric, value: f64) -> bool {
        self.get(Metric::Loop) == Some(1.0) || metric.is_loop(value)
    }

    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.values[metric as usize]
    }

    pub fn sight(&self) -> Sight {
        self.sight
    }

    /// Whether there is any word, of any script, in the text.
    pub fn has_words(&self) -> bool {
        self.sight.words
    }

    /// Whether the text is empty, and so the metric has no value.
    pub fn is_empty_for(&self, metric: Metric) -> bool {
        self.get(Metric::EmptyAnswer) == Some(1.0) && !self.has_words() && self.get(metric).is_none()
    }

    /// Of a text that its server ended because it repeats itself: a loop, whatever it shows.
    pub fn of_a_loop(mut self) -> Self {
        for metric in [Metric::Loop, Metric::Repeats] {
            self.values[metric as usize] = Some(1.0);
        }
        self.sight.repeated_share = self.sight.repeated_share.max(f64::MIN_POSITIVE);
        self
    }

    /// What can't see whether the text repeats itself: `words` (the finding's), `characters`.
    pub fn unseen_by(&self) -> impl Iterator<Item = &'static str> {
        let media = [("words", Metric::RepetitionScore), ("characters", Metric::Covered20Chars)];
        media.into_iter().filter(|(_, metric)| !self.sees(*metric)).map(|(name, _)| name)
    }

    /// Whether the metric could see the repetition in this text: it has what the metric is
    /// computed of; and if the text is known to repeat itself, the metric shows at least half of
    /// the share that does. No verdict may rest on a metric that can't, for it calls a loop clean.
    pub fn sees(&self, metric: Metric) -> bool {
        let sight = self.sight;
        let has_medium = match metric.medium() {
            Medium::WhiteSpaceWords => sight.white_space,
            Medium::Words | Medium::Characters => sight.words,
            Medium::Tokens => sight.tokens,
            Medium::Anything => true,
        };
        has_medium && self.shows_what_repeats(metric)
    }

    fn shows_what_repeats(&self, metric: Metric) -> bool {
        let least = self.sight.repeated_share / 2.0;
        if least == 0.0 {
            return true;
        }
        let shown = |value: f64| match metric.scale() {
            Scale::Share => value >= least,
            // A clean text has some of it too. Where copies are a small part of the text, such a value may be the rest's.
            Scale::RoughShare => value > least && self.sight.repeated_of_whole >= 1.0 / 3.0,
            Scale::Percent => value / 100.0 >= least,
            Scale::Rest => 1.0 - value >= least,
            Scale::Verdict => value == 1.0,
            Scale::Other => true,
        };
        self.get(metric).is_some_and(shown)
    }
}

impl Default for Scores {
    fn default() -> Self {
        Self::from_fn(|_| None)
    }
}

/// A map from names to values, in the order of the output's columns.
impl Serialize for Scores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Metric::ALL.map(|metric| (metric.name(), self.get(metric))))
    }
}
