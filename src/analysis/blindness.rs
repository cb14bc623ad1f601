//! Counts the texts that a metric can't see into, among those that a verdict rests on.

use std::fmt;

use serde::Serialize;

use super::ScoredTrial;
use crate::metrics::{Metric, Scores, TextPart};

/// How many of some texts a metric can't see into: see [`Scores::sees`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Blindness {
    pub metric: Metric,
    pub n_unseen: usize,
    /// Of those, the ones without a word.
    pub n_wordless: usize,
    pub n_texts: usize,
    /// A metric that sees nearly all of them, if there is one.
    pub sees: Option<Metric>,
}

/// Metrics that can stand in, the ones nearest to a share of repeated text first.
const OTHERS: [Metric; 4] = [Metric::Covered20Chars, Metric::Loop, Metric::TailShareChars, Metric::TailShare];

impl Blindness {
    /// More unseen texts than this share, and nothing may be decided: so many loops could hide.
    pub const SMALL_SHARE: f64 = 0.05;

    /// Of the texts that have scores; those that a server cut are counted elsewhere.
    pub fn of<'a>(metric: Metric, part: TextPart, trials: impl IntoIterator<Item = &'a ScoredTrial>) -> Self {
        Self::of_scores(metric, trials.into_iter().filter_map(|scored| scored.scores_of(part)))
    }

    pub fn of_scores<'a>(metric: Metric, scores: impl IntoIterator<Item = &'a Scores>) -> Self {
        let scores = Vec::from_iter(scores);
        let n_unseen = |metric| scores.iter().filter(|scores| !scores.sees(metric)).count();
        let n_wordless = scores.iter().filter(|scores| !scores.has_words()).count();
        let n_texts = scores.len();
        let sees = OTHERS.into_iter().find(|&other| other != metric && !is_large(n_unseen(other), n_texts));
        Self { metric, n_unseen: n_unseen(metric), n_wordless, n_texts, sees }
    }

    /// Whether it is too blind for any verdict.
    pub fn forbids(&self) -> bool {
        is_large(self.n_unseen, self.n_texts)
    }

    /// `None` where it is not too blind.
    pub fn if_forbids(self) -> Option<Self> {
        self.forbids().then_some(self)
    }
}

fn is_large(n_unseen: usize, n_texts: usize) -> bool {
    n_unseen as f64 > Blindness::SMALL_SHARE * n_texts as f64
}

impl fmt::Display for Blindness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metric, n_unseen, n_wordless, n_texts, sees } = self;
        write!(f, "{} can't see whether {n_unseen} of {n_texts} texts repeat themselves", metric.name())?;
        if *n_wordless > 0 {
            write!(f, " ({n_wordless} of them have no words)")?;
        }
        match sees {
            Some(sees) => write!(f, "; {} can", sees.name()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests::{generated, trial};
    use crate::analysis::{Questions, analyse};

    fn blindness(texts: &[&str]) -> Blindness {
        let trials: Vec<_> = (0..texts.len()).map(|i| trial(&i.to_string(), 0.9, &format!("p{i}"), 0)).collect();
        let outcomes: Vec<_> = texts.iter().map(|text| generated(text, &[])).collect();
        let of = |id: &crate::domain::TrialId| outcomes.get(id.to_string().parse::<usize>().ok()?);
        let analysis = analyse(&trials, Questions::default(), of);
        Blindness::of(Metric::RepetitionScore, TextPart::Whole, &analysis.trials)
    }

    const CLEAN: &str = "the river rises in spring and falls in autumn";

    #[test]
    fn what_the_metric_cannot_see_is_counted_and_named() {
        let chinese = "今天天气很好。".repeat(20);
        let found = blindness(&[CLEAN, &chinese, &chinese]);
        assert!(found.forbids());
        assert_eq!(
            found.to_string(),
            "repetition_score can't see whether 2 of 3 texts repeat themselves; covered_20_chars can"
        );
        let empty = blindness(&[CLEAN, "", ""]);
        let said = "repetition_score can't see whether 2 of 3 texts repeat themselves (2 of them have no words)";
        assert_eq!(empty.to_string(), said);
    }

    #[test]
    fn one_text_of_many_forbids_nothing() {
        let mut texts = vec![CLEAN; 39];
        texts.push("今天天气很好");
        assert!(!blindness(&texts).forbids() && !blindness(&[]).forbids());
        texts.extend(["", ""]);
        assert!(blindness(&texts).if_forbids().is_some());
    }
}
