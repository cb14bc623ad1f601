//! Finds the texts that a hypothesis is about and of which the score is not known.

use std::borrow::Cow;
use std::fmt;

use crate::analysis::{Blindness, ScoredTrial, TrialResult};
use crate::domain::Generation;
use crate::experiment::{Hypothesis, Test};
use crate::metrics::{Scores, TextPart, Written, score_head};

/// What is known of a text's score.
#[derive(Clone, Copy, Debug)]
pub enum Score<'a> {
    Known {
        value: f64,
        scores: &'a Scores,
        generation: &'a Generation,
    },
    /// The metric can't see whether it repeats itself; what it says, if anything.
    Blind {
        says: Option<f64>,
        scores: &'a Scores,
        generation: &'a Generation,
    },
    /// The trial failed.
    Failed,
    /// It ended before the first words that are to be scored.
    Short,
    /// It has no such part, or nothing that the metric is about; or it is not there yet.
    Absent,
}

impl<'a> Score<'a> {
    pub fn of(hypothesis: &Hypothesis, scored: &'a ScoredTrial) -> Self {
        let generation = match &scored.result {
            TrialResult::Scored { generation, .. } => generation,
            TrialResult::Failed(_) => return Self::Failed,
            TrialResult::Censored { .. } | TrialResult::Missing => return Self::Absent,
        };
        let Some(scores) = scored.scores_of(hypothesis.part) else { return Self::Absent };
        let metric = hypothesis.metric;
        let value = scores_of(hypothesis, scored).and_then(|scores| scores.get(metric));
        match value {
            _ if is_left_out(hypothesis, scores) => Self::Absent,
            says if !scores.sees(metric) => Self::Blind { says, scores, generation },
            Some(value) => Self::Known { value, scores, generation },
            None if hypothesis.first.is_some() && scores.get(metric).is_some() => Self::Short,
            None => Self::Absent,
        }
    }
}

/// Whether a text is empty, and the claim is about texts that say something: of the others it can't be said that they
/// repeat themselves more or less. That two sides are equal is not shown by silence: there an empty text stays unknown.
fn is_left_out(hypothesis: &Hypothesis, scores: &Scores) -> bool {
    !matches!(hypothesis.test, Test::Equivalence { .. }) && scores.is_empty_for(hypothesis.metric)
}

/// The scores of what of a text a hypothesis is about: of a part of it, or of the first words and tokens of that.
pub fn scores_of<'a>(hypothesis: &Hypothesis, scored: &'a ScoredTrial) -> Option<Cow<'a, Scores>> {
    let TrialResult::Scored { generation, .. } = &scored.result else { return None };
    match hypothesis.first {
        None => scored.scores_of(hypothesis.part).map(Cow::Borrowed),
        Some(k) => head(generation, scored, hypothesis.part, k as usize).map(Cow::Owned),
    }
}

/// The scores of the first `k` words and tokens of a part of a text.
fn head(generation: &Generation, scored: &ScoredTrial, part: TextPart, k: usize) -> Option<Scores> {
    match (part, &scored.apart) {
        (TextPart::Whole, _) | (TextPart::Answer, None) => {
            // The whole is the same whatever parts it.
            let written = Written::of(&generation.text, generation.thought.as_deref(), None);
            Some(score_head(&written.whole, generation.tokens.as_deref(), k))
        }
        (TextPart::Thought, Some(apart)) => Some(score_head(&apart.thought, None, k)),
        (TextPart::Answer, Some(apart)) => Some(score_head(&apart.answer, None, k)),
        (TextPart::Thought, None) => None,
    }
}

/// How many of a hypothesis' texts are not known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unknowns {
    pub n_failed: usize,
    pub n_short: usize,
    /// The words that were to be scored.
    pub first: Option<u32>,
    /// Where the metric can't see into too many.
    pub blind: Option<Blindness>,
    pub n_texts: usize,
}

impl Unknowns {
    /// `None` where all are known that matter.
    pub fn of(hypothesis: &Hypothesis, trials: &[ScoredTrial]) -> Option<Self> {
        let taken = || trials.iter().filter(|scored| hypothesis.takes(scored.trial.point()));
        let says_something = |scored: &&ScoredTrial| {
            !scored.scores_of(hypothesis.part).is_some_and(|scores| is_left_out(hypothesis, scores))
        };
        let count = |is: fn(Score<'_>) -> bool| taken().filter(|scored| is(Score::of(hypothesis, scored))).count();
        let unknowns = Self {
            n_failed: count(|score| matches!(score, Score::Failed)),
            n_short: if hypothesis.first.is_some() { count(|score| matches!(score, Score::Short)) } else { 0 },
            first: hypothesis.first,
            blind: Blindness::of(hypothesis.metric, hypothesis.part, taken().filter(says_something)).if_forbids(),
            n_texts: taken().filter(|scored| !matches!(scored.result, TrialResult::Missing)).count(),
        };
        let is_any = unknowns.n_failed + unknowns.n_short > 0 || unknowns.blind.is_some();
        is_any.then_some(unknowns)
    }

    /// The texts, as what a verdict holds against.
    pub fn counted(&self) -> String {
        let Self { n_failed, n_short, blind, n_texts, .. } = *self;
        let mut kinds = Vec::new();
        if n_failed + n_short > 0 {
            kinds.push(format!("the {} of {n_texts} texts that {}", n_failed + n_short, self.lost()));
        }
        if let Some(Blindness { metric, n_unseen, n_texts, .. }) = blind {
            kinds.push(format!("all {n_unseen} of {n_texts} texts that {} can't judge", metric.name()));
        }
        kinds.join(" and ")
    }

    fn lost(&self) -> String {
        let short = || format!("ended before {} words", self.first.unwrap_or_default());
        match (self.n_failed, self.n_short) {
            (_, 0) => "failed".to_owned(),
            (0, _) => short(),
            _ => format!("failed or {}", short()),
        }
    }
}

impl fmt::Display for Unknowns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n_failed, n_short, blind, n_texts, .. } = self;
        if n_failed + n_short > 0 {
            write!(f, "{} of {n_texts} texts {}", n_failed + n_short, self.lost())?;
        }
        match blind {
            Some(blind) if n_failed + n_short > 0 => write!(f, "; {blind}"),
            Some(blind) => blind.fmt(f),
            None => Ok(()),
        }
    }
}
