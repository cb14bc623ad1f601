//! Reaches verdicts: what an experiment's trials say of its hypotheses.
//!
//! Two-sided unless the file says otherwise: a hypothesis can be supported, and
//! refuted by a finding against it. Holm's procedure keeps the probability of any
//! wrong verdict, over all hypotheses of the file, at alpha.

use serde::Serialize;

use super::{Questions, ScoredTrial};
use crate::experiment::{Hypothesis, Settings, Test};
use crate::metrics::{Metric, TextPart};
use crate::stats::{self, Interval, Measured};

mod against;
mod evidence;
mod not_tested;
mod placement;
pub(super) mod sample;
mod spread;
mod test;
#[cfg(test)]
mod tests;
mod unknown;
mod wording;

pub(super) use evidence::obstacle;
use evidence::{Evidence, LevelTest};
pub(super) use not_tested::NotTested;
pub use spread::spread;
pub(super) use unknown::{Score, scores_of};
pub(super) use wording::in_words;
pub use wording::p_in_words;

/// What became of a hypothesis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    pub id: String,
    pub claim: String,
    pub metric: Metric,
    #[serde(skip_serializing_if = "is_whole")]
    pub part: TextPart,
    /// The texts' first tokens and words that were scored; all of them if `None`.
    pub first: Option<u32>,
    pub test: TestKind,
    pub outcome: Conclusion,
    /// Effect, interval, p and n in words.
    pub sentence: String,
    /// The main one first. Of a claim about each level of a factor, those of the
    /// level that speaks least for it.
    pub effects: Vec<NamedEffect>,
    /// Of the claim or of its opposite, whichever is less; `None` where nothing was tested: no trials, or the same
    /// texts everywhere.
    pub p: Option<f64>,
    /// After Holm's procedure over the hypotheses of the file.
    pub p_holm: Option<f64>,
    pub alpha: f64,
    /// Of the level that has fewest.
    pub n_prompts: usize,
    pub n_texts: usize,
    /// Of an inconclusive one: the least main effect, in its unit, that a design of as many
    /// prompts and hypotheses with the spread seen would find with a probability of 0.8; of an equivalence the least
    /// margin that it would put it within. `None` too where no effect is large enough for so few prompts.
    pub detectable: Option<f64>,
    /// Of a claim about each level of a factor: the levels.
    #[serde(rename = "parts")]
    pub levels: Vec<LevelVerdict>,
    /// What decided it, where that was looked at after every prompt; p is that of all looks then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequential: Option<super::sequential::Decision>,
}

/// What became of a hypothesis at one level.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LevelVerdict {
    pub level: String,
    /// After Holm's procedure over the levels.
    pub outcome: Conclusion,
    pub sentence: String,
    pub effects: Vec<NamedEffect>,
    pub p: Option<f64>,
    pub p_holm: Option<f64>,
    pub n_prompts: usize,
    pub n_texts: usize,
    pub detectable: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Conclusion {
    Supported,
    /// The opposite was found.
    Refuted,
    /// Neither: a small effect, or too few prompts to see it.
    Inconclusive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TestKind {
    Trend,
    Contrast,
    Equivalence,
    Interaction,
}

/// An effect and what it measures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NamedEffect {
    pub name: &'static str,
    pub estimate: f64,
    /// That of the test; `None` where there are too few prompts, or the effect is a share.
    pub interval: Option<Interval>,
    /// Over prompts; `None` of a share.
    pub standard_error: Option<f64>,
    /// Of a share: what it would be without any effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_chance: Option<f64>,
}

impl NamedEffect {
    fn of(name: &'static str, Measured { estimate, interval, standard_error }: Measured) -> Self {
        Self { name, estimate, interval, standard_error, by_chance: None }
    }

    fn without_interval(name: &'static str, estimate: f64) -> Self {
        Self { name, estimate, interval: None, standard_error: None, by_chance: None }
    }
}

impl TestKind {
    pub fn of(test: &Test) -> Self {
        match test {
            Test::Trend { .. } => Self::Trend,
            Test::Contrast { .. } => Self::Contrast,
            Test::Equivalence { .. } => Self::Equivalence,
            Test::Interaction { .. } => Self::Interaction,
        }
    }

    /// The test's name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trend => "Page's trend test, permuted within prompts",
            Self::Contrast => "paired permutation test over prompts",
            Self::Equivalence => "two one-sided tests (TOST) over prompts",
            Self::Interaction => "permutation test of the interaction over prompts",
        }
    }
}

/// The rules that decide, which `docs/statistics.md` tells; another number where the same texts may have other verdicts.
pub const RULES: u32 = 3;

/// Verdicts in the order of the hypotheses.
pub fn verdicts(trials: &[ScoredTrial], questions: Questions<'_>) -> Vec<Verdict> {
    let Questions { hypotheses, settings, .. } = questions;
    let evidence: Vec<Evidence> =
        hypotheses.iter().map(|hypothesis| Evidence::of(hypothesis, questions, trials)).collect();
    let adjusted = holm(&evidence.iter().map(Evidence::p).collect::<Vec<_>>());
    let n_tested = adjusted.iter().flatten().count();
    let verdict = |((hypothesis, evidence), p_holm)| verdict(hypothesis, evidence, p_holm, n_tested, settings);
    hypotheses.iter().zip(&evidence).zip(adjusted).map(verdict).collect()
}

/// Holm's procedure over those that have a p-value.
fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let known: Vec<f64> = p.iter().flatten().copied().collect();
    let mut adjusted = stats::holm(&known).expect("p-values lie between 0 and 1").into_iter();
    p.iter().map(|p| p.and_then(|_| adjusted.next())).collect()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_whole(part: &TextPart) -> bool {
    *part == TextPart::Whole
}

fn verdict(
    hypothesis: &Hypothesis,
    evidence: &Evidence,
    p_holm: Option<f64>,
    n_tested: usize,
    settings: Settings,
) -> Verdict {
    let alpha = settings.alpha;
    let outcome = outcome(evidence.certain(), p_holm, evidence.speaks_for(), alpha);
    // What Holm leaves to the least p of them all.
    let share_of_alpha = alpha / n_tested.max(1) as f64;
    let levels = match hypothesis.each {
        Some(_) if !evidence.has_obstacle() => level_verdicts(evidence, alpha),
        _ => vec![],
    };
    let weakest = evidence.weakest();
    let tested = weakest.and_then(|test| test.tested.as_ref().ok());
    let all = || evidence.tests.iter().filter_map(|test| test.tested.as_ref().ok());
    let detectable = weakest
        .filter(|_| outcome == Conclusion::Inconclusive)
        .and_then(|test| test.detectable(share_of_alpha)?.size());
    Verdict {
        id: hypothesis.id.clone(),
        claim: hypothesis.claim.clone(),
        metric: hypothesis.metric,
        part: hypothesis.part,
        first: hypothesis.first,
        test: TestKind::of(&hypothesis.test),
        outcome,
        sentence: wording::sentence(hypothesis, evidence, &levels, outcome, p_holm, share_of_alpha),
        effects: tested.map(|tested| tested.effects.clone()).unwrap_or_default(),
        p: evidence.p(),
        p_holm,
        alpha,
        n_prompts: all().map(|tested| tested.n_prompts).min().unwrap_or(0),
        n_texts: all().map(|tested| tested.n_texts).sum(),
        detectable,
        levels,
        sequential: None,
    }
}

fn level_verdicts(evidence: &Evidence, alpha: f64) -> Vec<LevelVerdict> {
    let p: Vec<Option<f64>> = evidence.tests.iter().map(LevelTest::p).collect();
    let share_of_alpha = alpha / p.len() as f64;
    let verdict = |((test, p), p_holm): ((&LevelTest, &Option<f64>), Option<f64>)| {
        let tested = test.tested.as_ref().ok();
        let certain = tested.and_then(|tested| tested.certain);
        let outcome = outcome(certain, p_holm, tested.is_some_and(|tested| tested.p_for <= tested.p_against), alpha);
        LevelVerdict {
            level: test.level.clone(),
            outcome,
            sentence: wording::of_level(test, outcome, p_holm, share_of_alpha),
            effects: tested.map(|tested| tested.effects.clone()).unwrap_or_default(),
            p: *p,
            p_holm,
            n_prompts: tested.map_or(0, |tested| tested.n_prompts),
            n_texts: tested.map_or(0, |tested| tested.n_texts),
            detectable: Some(test)
                .filter(|_| outcome == Conclusion::Inconclusive)
                .and_then(|test| test.detectable(share_of_alpha)?.size()),
        }
    };
    evidence.tests.iter().zip(&p).zip(holm(&p)).map(verdict).collect()
}

fn outcome(certain: Option<Conclusion>, p_holm: Option<f64>, speaks_for: bool, alpha: f64) -> Conclusion {
    match (certain, p_holm) {
        (Some(certain), _) => certain,
        (None, Some(p)) if p <= alpha => {
            if speaks_for {
                Conclusion::Supported
            } else {
                Conclusion::Refuted
            }
        }
        _ => Conclusion::Inconclusive,
    }
}
