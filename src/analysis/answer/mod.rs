//! Finds what an analysis comes to: the one answer that a person came for. Must not know how it is worded.
//!
//! It is made of verdicts: of those of the experiment's hypotheses, or, where it states none, of those of the questions that
//! its design asks by itself. The greatest change that is shown stands first; where none is, the answer says so, and never
//! takes the greatest of what was seen for one that is shown.

mod change;
mod natural;
#[cfg(test)]
mod tests;

use super::{Analysis, CellSummary, Conclusion, Questions, ScoredTrial, TestKind, TrialResult, Verdict, verdict};
use crate::domain::Factor;
use crate::experiment::Hypothesis;
use crate::metrics::{LEAST_CHARACTERS, LEAST_TOKENS, Metric};

pub use change::{Change, Course, Side};

/// Texts of which a server cut at least this share say little of what was asked.
const MUCH_CUT: f64 = 0.5;
/// A cell with at least this mean score, or this share of texts that repeat themselves in any way, is not clean.
const MUCH_REPEATED: f64 = 0.2;

/// What an analysis comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct RunAnswer {
    pub says: Says,
    /// That the answer is about.
    pub metric: Metric,
    pub asked_by: AskedBy,
    /// How many questions were asked of the texts: Holm's procedure corrects for all of them.
    pub n_questions: usize,
    pub texts: Texts,
    /// All that is measured, over all cells.
    pub overall: Side,
}

/// What it says.
#[derive(Clone, Debug, PartialEq)]
pub enum Says {
    /// What changes how much is repeated, the greatest change first; at least one.
    Changes(Vec<Change>),
    /// It is shown that something changes nothing that matters: the claims.
    Alike(Vec<String>),
    /// What one factor does depends on another, and no change by itself is shown: the claims.
    Entangled(Vec<String>),
    /// No text loops, and nothing changes how much is repeated; the share of prompts that may loop all the same, one-sided
    /// at 95 %.
    Clean { bound: f64 },
    /// Nothing asked is shown either way.
    Undecided,
    /// Nothing varies: there is only how much is repeated.
    Measured,
    /// The questions could not be put to these texts: why not.
    NotTested { why: String },
    /// A server cut so many that the others say little.
    Cut,
    /// There is no text yet.
    NoTexts,
}

/// Who asked the questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedBy {
    Experiment,
    /// Nobody: they are those of the design.
    Design,
}

/// What became of the planned texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    pub planned: usize,
    pub scored: usize,
    pub censored: usize,
    pub failed: usize,
    pub missing: usize,
    /// Of the scored ones.
    pub loops: usize,
}

impl RunAnswer {
    /// Of an analysis, by the questions that it was made with.
    pub fn of(analysis: &Analysis, questions: Questions<'_>) -> Self {
        let trials = &analysis.trials;
        let asked_by = if questions.hypotheses.is_empty() { AskedBy::Design } else { AskedBy::Experiment };
        let (hypotheses, verdicts) = match asked_by {
            AskedBy::Experiment => (questions.hypotheses.to_vec(), analysis.verdicts.clone()),
            AskedBy::Design => {
                let made = natural::hypotheses(trials, questions);
                let verdicts = verdict::verdicts(trials, Questions { hypotheses: &made, ..questions });
                (made, verdicts)
            }
        };
        let answer =
            Self { asked_by, n_questions: hypotheses.len(), ..Self::without(analysis, questions.settings.metric) };
        let of_texts = Of { analysis, hypotheses: &hypotheses, verdicts: &verdicts, texts: answer.texts };
        Self { says: of_texts.says(), ..answer }
    }

    /// Of one shard's texts, which decide nothing.
    pub fn of_part(analysis: &Analysis, metric: Metric) -> Self {
        let why = "these are the texts of one shard only: moe-sweep merge combines the shards".to_owned();
        Self { says: Says::NotTested { why }, ..Self::without(analysis, metric) }
    }

    /// What is known of the texts before anything is asked.
    fn without(analysis: &Analysis, metric: Metric) -> Self {
        Self {
            says: Says::NoTexts,
            metric,
            asked_by: AskedBy::Experiment,
            n_questions: 0,
            texts: Texts::of(&analysis.trials),
            overall: Side::over(metric, analysis.trials.iter(), &analysis.groups),
        }
    }
}

impl Texts {
    fn of(trials: &[ScoredTrial]) -> Self {
        let mut texts = Self { planned: trials.len(), ..Self::default() };
        for ScoredTrial { result, .. } in trials {
            match result {
                TrialResult::Scored { scores, .. } => {
                    texts.scored += 1;
                    texts.loops += usize::from(scores.get(Metric::Loop) == Some(1.0));
                }
                TrialResult::Censored { .. } => texts.censored += 1,
                TrialResult::Failed(_) => texts.failed += 1,
                TrialResult::Missing => texts.missing += 1,
            }
        }
        texts
    }
}

/// What an answer is made of.
struct Of<'a> {
    analysis: &'a Analysis,
    hypotheses: &'a [Hypothesis],
    verdicts: &'a [Verdict],
    texts: Texts,
}

impl Of<'_> {
    fn says(&self) -> Says {
        let Texts { scored, censored, loops, .. } = self.texts;
        if scored == 0 && censored == 0 {
            return Says::NoTexts;
        }
        if censored as f64 >= MUCH_CUT * (scored + censored) as f64 {
            return Says::Cut;
        }
        let changes = self.changes();
        if !changes.is_empty() {
            return Says::Changes(changes);
        }
        if loops == 0
            && self.could_loop()
            && !self.repeats_much()
            && self.hypotheses.iter().all(|hypothesis| hypothesis.metric.worse().is_some())
        {
            return Says::Clean { bound: 1.0 - 0.05_f64.powf(1.0 / self.n_prompts().max(1) as f64) };
        }
        let supported = |test: TestKind| -> Vec<String> {
            let held = |verdict: &&Verdict| verdict.test == test && verdict.outcome == Conclusion::Supported;
            self.verdicts.iter().filter(held).map(|verdict| verdict.claim.clone()).collect()
        };
        let (alike, entangled) = (supported(TestKind::Equivalence), supported(TestKind::Interaction));
        match self.verdicts {
            [] => Says::Measured,
            _ if !entangled.is_empty() => Says::Entangled(entangled),
            _ if !alike.is_empty() => Says::Alike(alike),
            all if all.iter().all(|verdict| verdict.p.is_none()) => {
                Says::NotTested { why: all[0].sentence.trim_start_matches("not tested: ").to_owned() }
            }
            _ => Says::Undecided,
        }
    }

    /// Whether any text is as long as the shortest loop.
    fn could_loop(&self) -> bool {
        let is_long = |scored: &ScoredTrial| {
            let TrialResult::Scored { generation, scores } = &scored.result else { return false };
            let n_tokens = generation.tokens.as_ref().map_or(0, Vec::len);
            n_tokens >= LEAST_TOKENS || scores.sight().n_chars >= LEAST_CHARACTERS
        };
        self.analysis.trials.iter().any(is_long)
    }

    /// Whether texts of some cell repeat themselves, though none ends in a loop.
    fn repeats_much(&self) -> bool {
        let is_much = |cell: &CellSummary| cell.estimate.is_some_and(|estimate| estimate.mean >= MUCH_REPEATED);
        let says_so = |metric| matches!(metric, Metric::RepetitionScore | Metric::Repeats);
        self.analysis.cells.iter().any(|cell| says_so(cell.metric) && is_much(cell))
    }

    /// The changes that are shown, the greatest first; which model it is can't be switched, so it comes after all else.
    fn changes(&self) -> Vec<Change> {
        let n_tested = self.verdicts.iter().filter(|verdict| verdict.p.is_some()).count();
        let pairs = self.hypotheses.iter().zip(self.verdicts);
        let change = |(hypothesis, verdict)| Change::of(hypothesis, verdict, n_tested, self.analysis);
        let mut changes: Vec<Change> = pairs.filter_map(change).collect();
        let is_of_model = |change: &Change| change.factors.contains(&Factor::Model);
        changes.sort_by(|a, b| {
            let by_size = b.difference.abs().total_cmp(&a.difference.abs());
            is_of_model(a).cmp(&is_of_model(b)).then(by_size)
        });
        changes
    }

    fn n_prompts(&self) -> usize {
        let of_scored = |scored: &&ScoredTrial| matches!(scored.result, TrialResult::Scored { .. });
        let prompts = self.analysis.trials.iter().filter(of_scored).map(|scored| &scored.trial.prompt);
        prompts.collect::<std::collections::BTreeSet<_>>().len()
    }
}
