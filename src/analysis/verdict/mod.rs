//! Verdicts: what an experiment's trials say of its hypotheses.
//!
//! Two-sided unless the file says otherwise: a hypothesis can be supported, and
//! refuted by a finding against it. Holm's procedure keeps the probability of any
//! wrong verdict, over all hypotheses of the file, at alpha.

use serde::Serialize;

use super::{Blindness, Questions, ScoredTrial, TrialResult};
use crate::experiment::{Factor, Hypothesis, Settings, Test};
use crate::metrics::{Metric, TextPart};
use crate::plan::Doubt;
use crate::stats::{self, Effect, StatsError};

mod against;
mod placement;
pub(super) mod sample;
mod test;
#[cfg(test)]
mod tests;
mod wording;

use sample::Sample;
use test::Tested;
pub(super) use wording::{in_words, p_in_words};

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
    pub outcome: Outcome,
    /// Effect, interval, p and n in words.
    pub sentence: String,
    /// The main one first. Of a claim about each level of a factor, those of the
    /// level that speaks least for it.
    pub effects: Vec<NamedEffect>,
    /// `None` where nothing was tested: no trials, or no variation at all.
    pub p: Option<f64>,
    /// After Holm's procedure over the hypotheses of the file.
    pub p_holm: Option<f64>,
    pub alpha: f64,
    /// Of the level that has fewest.
    pub n_prompts: usize,
    pub n_texts: usize,
    /// Of an inconclusive one: the least main effect, in its unit, that a design of as many
    /// prompts with the spread seen would find with a probability of 0.8.
    pub detectable: Option<f64>,
    /// Of a claim about each level of a factor: the levels.
    pub parts: Vec<PartVerdict>,
    /// What decided it, where that was looked at after every prompt; p is that of all looks then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequential: Option<super::sequential::Decision>,
}

/// What became of a hypothesis at one level.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartVerdict {
    pub level: String,
    /// After Holm's procedure over the levels.
    pub outcome: Outcome,
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
pub enum Outcome {
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
    #[serde(flatten)]
    pub effect: Effect,
}

impl TestKind {
    fn of(test: &Test) -> Self {
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

/// Verdicts in the order of the hypotheses.
pub(super) fn verdicts(trials: &[ScoredTrial], questions: Questions<'_>) -> Vec<Verdict> {
    let Questions { hypotheses, settings, .. } = questions;
    let evidence: Vec<Evidence> =
        hypotheses.iter().map(|hypothesis| Evidence::of(hypothesis, questions, trials)).collect();
    let adjusted = holm(&evidence.iter().map(Evidence::p).collect::<Vec<_>>());
    let verdict = |((hypothesis, evidence), p_holm)| verdict(hypothesis, evidence, p_holm, settings);
    hypotheses.iter().zip(&evidence).zip(adjusted).map(verdict).collect()
}

/// Holm's procedure over those that have a p-value.
fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let known: Vec<f64> = p.iter().flatten().copied().collect();
    let mut adjusted = stats::holm(&known).expect("p-values lie between 0 and 1").into_iter();
    p.iter().map(|p| p.and_then(|_| adjusted.next())).collect()
}

/// The tests of one hypothesis: one, or one for each level.
struct Evidence {
    parts: Vec<Part>,
}

struct Part {
    /// Empty where the claim is not made of each level.
    level: String,
    tested: Result<Tested, NotTested>,
}

impl Part {
    /// Lets the claim hold only where it also holds if all texts that the metric can't see into speak
    /// against it; nothing is refuted by what can't be seen.
    fn withstand(&mut self, blind: Blindness, against: Option<&Tested>) {
        let Ok(tested) = &mut self.tested else {
            self.tested = Err(NotTested::Blind(blind));
            return;
        };
        let p_for = against.map_or(1.0, |against| if against.plain.is_some() { 1.0 } else { against.p_for });
        tested.p_for = if tested.plain.is_some() { 1.0 } else { tested.p_for.max(p_for) };
        tested.p_against = 1.0;
        tested.plain = None;
        tested.unseen = Some(blind);
    }
}

/// Why there is nothing to say.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum NotTested {
    #[error("both arms are the same computation here, for the {0} moves nothing")]
    Inert(Factor),
    #[error("{model} does not allow it: {reason}")]
    Doubted { model: String, reason: String },
    #[error("{load}: {reason}")]
    TakenOver { load: String, reason: String },
    #[error("{cut} of {all} texts were cut by a server, and how they would have gone on is not known")]
    Censored { cut: usize, all: usize },
    #[error("{0}")]
    Blind(Blindness),
    #[error(transparent)]
    Stats(#[from] StatsError),
}

impl Evidence {
    fn of(hypothesis: &Hypothesis, questions: Questions<'_>, trials: &[ScoredTrial]) -> Self {
        if let Some(obstacle) = obstacle(hypothesis, questions, trials) {
            return Self { parts: vec![Part { level: String::new(), tested: Err(obstacle) }] };
        }
        let split = |sample: Sample<'_>| match hypothesis.each {
            None => vec![(String::new(), test::run(hypothesis, &sample))],
            Some(factor) => sample
                .split(factor)
                .into_iter()
                .map(|(level, sample)| (level, test::run(hypothesis, &sample)))
                .collect(),
        };
        let part =
            |(level, tested): (_, Result<_, StatsError>)| Part { level, tested: tested.map_err(NotTested::from) };
        let mut parts: Vec<Part> = split(Sample::of(hypothesis, trials)).into_iter().map(part).collect();
        let taken = trials.iter().filter(|scored| hypothesis.takes(scored.trial.point()));
        if let Some(blind) = Blindness::of(hypothesis.metric, hypothesis.part, taken).if_forbids() {
            let Some(against) = Sample::against(hypothesis, trials) else {
                return Self { parts: vec![Part { level: String::new(), tested: Err(NotTested::Blind(blind)) }] };
            };
            let against = split(against);
            for part in &mut parts {
                let same = against.iter().find(|(level, _)| *level == part.level);
                part.withstand(blind, same.and_then(|(_, tested)| tested.as_ref().ok()));
            }
        }
        Self { parts }
    }

    /// Whether there was no point in a test.
    fn has_obstacle(&self) -> bool {
        let obstacle = |part: &Part| !matches!(part.tested, Ok(_) | Err(NotTested::Stats(_)));
        self.parts.iter().any(obstacle)
    }

    /// An intersection of claims holds if all hold: its p is the greatest (Berger
    /// 1982, "Multiparameter hypothesis testing and acceptance sampling").
    fn p_for(&self) -> f64 {
        self.parts.iter().map(|part| part.tested.as_ref().map_or(1.0, |tested| tested.p_for)).fold(0.0, f64::max)
    }

    /// It fails if one fails: Bonferroni.
    fn p_against(&self) -> f64 {
        let least = self.parts.iter().map(|part| part.tested.as_ref().map_or(1.0, |tested| tested.p_against));
        (least.fold(1.0, f64::min) * self.parts.len() as f64).min(1.0)
    }

    /// What is plain without a test: that nothing varies.
    fn plain(&self) -> Option<Outcome> {
        let plain = || self.parts.iter().map(|part| part.tested.as_ref().ok().and_then(|tested| tested.plain));
        if plain().any(|plain| plain == Some(Outcome::Refuted)) {
            Some(Outcome::Refuted)
        } else {
            (!self.parts.is_empty() && plain().all(|plain| plain == Some(Outcome::Supported)))
                .then_some(Outcome::Supported)
        }
    }

    fn p(&self) -> Option<f64> {
        let tested = self.parts.iter().any(|part| part.tested.is_ok());
        (tested && self.plain().is_none()).then(|| self.p_for().min(self.p_against()))
    }

    /// The level that speaks least for the claim.
    fn weakest(&self) -> Option<&Part> {
        let weight = |part: &Part| match &part.tested {
            Err(_) => (1.0, 0.0),
            Ok(tested) if tested.plain == Some(Outcome::Refuted) => (2.0, 0.0),
            Ok(tested) => (tested.p_for, -tested.p_against),
        };
        // Of several that speak equally little, the first one.
        self.parts.iter().rev().max_by(|a, b| {
            let (a, b) = (weight(a), weight(b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        })
    }
}

/// Why the trials can't decide a hypothesis, whatever they score.
pub(super) fn obstacle(hypothesis: &Hypothesis, questions: Questions<'_>, trials: &[ScoredTrial]) -> Option<NotTested> {
    let factors = hypothesis.test.factors();
    if let Some(&factor) = questions.inert.iter().find(|factor| factors.contains(factor)) {
        return Some(NotTested::Inert(factor));
    }
    let taken = || trials.iter().filter(|scored| hypothesis.takes(scored.trial.point()));
    let doubted = |doubt: &&Doubt| {
        doubt.factor.is_none_or(|factor| factors.contains(&factor))
            && taken().any(|scored| scored.trial.cell.model == doubt.model)
    };
    if let Some(Doubt { model, reason, .. }) = questions.doubts.iter().find(doubted) {
        return Some(NotTested::Doubted { model: model.clone(), reason: reason.clone() });
    }
    if let Some(obstacle) = placement::obstacle(&hypothesis.test, questions.host_experts, taken()) {
        return Some(obstacle);
    }
    let cut = taken().filter(|scored| matches!(scored.result, TrialResult::Censored { .. })).count();
    if cut > 0 {
        return Some(NotTested::Censored { cut, all: taken().count() });
    }
    None
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_whole(part: &TextPart) -> bool {
    *part == TextPart::Whole
}

fn verdict(hypothesis: &Hypothesis, evidence: &Evidence, p_holm: Option<f64>, settings: Settings) -> Verdict {
    let alpha = settings.alpha;
    let outcome = outcome(evidence.plain(), p_holm, evidence.p_for() <= evidence.p_against(), alpha);
    let parts = match hypothesis.each {
        Some(_) if !evidence.has_obstacle() => part_verdicts(evidence, alpha),
        _ => vec![],
    };
    let weakest = evidence.weakest();
    let tested = weakest.and_then(|part| part.tested.as_ref().ok());
    let all = || evidence.parts.iter().filter_map(|part| part.tested.as_ref().ok());
    let detectable = tested.filter(|_| outcome == Outcome::Inconclusive).and_then(|tested| tested.detectable);
    Verdict {
        id: hypothesis.id.clone(),
        claim: hypothesis.claim.clone(),
        metric: hypothesis.metric,
        part: hypothesis.part,
        first: hypothesis.first,
        test: TestKind::of(&hypothesis.test),
        outcome,
        sentence: wording::sentence(hypothesis, weakest, &parts, outcome, p_holm),
        effects: tested.map(|tested| tested.effects.clone()).unwrap_or_default(),
        p: evidence.p(),
        p_holm,
        alpha,
        n_prompts: all().map(|tested| tested.n_prompts).min().unwrap_or(0),
        n_texts: all().map(|tested| tested.n_texts).sum(),
        detectable,
        parts,
        sequential: None,
    }
}

fn part_verdicts(evidence: &Evidence, alpha: f64) -> Vec<PartVerdict> {
    let p = |part: &Part| {
        let tested = part.tested.as_ref().ok()?;
        tested.plain.is_none().then(|| tested.p_for.min(tested.p_against))
    };
    let p: Vec<Option<f64>> = evidence.parts.iter().map(p).collect();
    let verdict = |((part, p), p_holm): ((&Part, &Option<f64>), Option<f64>)| {
        let tested = part.tested.as_ref().ok();
        let plain = tested.and_then(|tested| tested.plain);
        let outcome = outcome(plain, p_holm, tested.is_some_and(|tested| tested.p_for <= tested.p_against), alpha);
        PartVerdict {
            level: part.level.clone(),
            outcome,
            sentence: wording::of_part(part, outcome, p_holm),
            effects: tested.map(|tested| tested.effects.clone()).unwrap_or_default(),
            p: *p,
            p_holm,
            n_prompts: tested.map_or(0, |tested| tested.n_prompts),
            n_texts: tested.map_or(0, |tested| tested.n_texts),
            detectable: tested.filter(|_| outcome == Outcome::Inconclusive).and_then(|tested| tested.detectable),
        }
    };
    evidence.parts.iter().zip(&p).zip(holm(&p)).map(verdict).collect()
}

fn outcome(plain: Option<Outcome>, p_holm: Option<f64>, speaks_for: bool, alpha: f64) -> Outcome {
    match (plain, p_holm) {
        (Some(plain), _) => plain,
        (None, Some(p)) if p <= alpha => {
            if speaks_for {
                Outcome::Supported
            } else {
                Outcome::Refuted
            }
        }
        _ => Outcome::Inconclusive,
    }
}
