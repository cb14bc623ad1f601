//! Reads out of a stage's analysis what a diagnosis decides by. Must not know what is decided.

use std::collections::BTreeMap;

use super::stage::{Arm, Claim, Stage};
use crate::analysis::sequential::State;
use crate::analysis::{Analysis, Conclusion, ScoredTrial, TrialResult};
use crate::domain::Cell;
use crate::metrics::Metric;
use crate::stats::Interval;
use crate::stats::sequential::{Bounds, MarginBets};

/// What a stage's texts say.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// In the order of the stage's arms.
    pub arms: Vec<Rate>,
    /// In the order of its claims.
    pub claims: Vec<Outcome>,
    /// Of the base.
    pub worst: Option<Looped>,
    pub n_texts: usize,
    pub extent: Extent,
}

/// How much of a stage was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All that it takes to answer.
    Whole,
    /// A budget ended it before.
    CutShort,
}

/// How many texts end in a loop.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    pub loops: usize,
    /// Those with something in them.
    pub texts: usize,
    /// Texts that the model ended at once, which say nothing of loops.
    pub empty: usize,
    pub prompts: usize,
    /// Of the share, over prompts; None where there are too few.
    pub interval: Option<Interval>,
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub state: State,
    /// The share of loops of the other arm less that of the base, over the prompts that both have.
    pub effect: f64,
    /// At this end; None where there are too few prompts.
    pub interval: Option<Interval>,
    /// Whenever one stops, or of the test at the end; before any correction for several claims.
    pub p: f64,
    pub prompts: usize,
    /// Of the other arm's texts, those that are not byte for byte the base's on the same prompt.
    pub changed: usize,
    /// The least difference in either direction that is ruled out, of those that are looked at.
    pub within: Option<f64>,
}

/// A text that ends in a loop.
#[derive(Clone, Debug, PartialEq)]
pub struct Looped {
    pub prompt: String,
    pub text: String,
    pub period: Option<Period>,
    pub copies: f64,
}

/// How long one copy is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Period {
    Tokens(f64),
    Characters(f64),
}

/// The margins that are looked at.
const MARGINS: [f64; 9] = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5];

impl Rate {
    /// None of no texts.
    pub fn share(&self) -> Option<f64> {
        (self.texts > 0).then(|| self.loops as f64 / self.texts as f64)
    }

    /// The share that the truth lies below with a probability of 0.95, where each prompt has one text: the one-sided
    /// bound of Clopper and Pearson for none of them, 1 − 0.05^(1/n).
    pub fn bound_of_none(&self) -> Option<f64> {
        (self.loops == 0 && self.prompts > 0).then(|| 1.0 - 0.05_f64.powf(1.0 / self.prompts as f64))
    }
}

impl Answer {
    /// Of the analysis of a stage's run; `alpha` is that of its claims.
    pub fn of(stage: &Stage, analysis: &Analysis, alpha: f64, extent: Extent) -> Self {
        let arms: Vec<&Cell> = stage.arms.iter().map(|arm| &arm.setup.cell).collect();
        let texts = |cell: &Cell| Vec::from_iter(analysis.trials.iter().filter(|scored| scored.trial.cell == *cell));
        let texts: Vec<Vec<&ScoredTrial>> = arms.iter().map(|cell| texts(cell)).collect();
        let rates = stage.arms.iter().zip(&texts).map(|(arm, texts)| rate(arm, texts, analysis)).collect();
        let claims = stage.claims.iter().map(|claim| outcome(claim, &texts, analysis, alpha)).collect();
        let is_text = |scored: &&ScoredTrial| matches!(scored.result, TrialResult::Scored { .. });
        Self {
            arms: rates,
            claims,
            worst: texts.first().and_then(|texts| worst(texts)),
            n_texts: analysis.trials.iter().filter(is_text).count(),
            extent,
        }
    }
}

fn loops(scored: &ScoredTrial) -> Option<f64> {
    match &scored.result {
        TrialResult::Scored { scores, .. } => scores.get(Metric::Loop),
        TrialResult::Censored { .. } | TrialResult::Failed(_) | TrialResult::Missing => None,
    }
}

fn is_empty(scored: &ScoredTrial) -> bool {
    let TrialResult::Scored { scores, .. } = &scored.result else { return false };
    scores.is_empty_for(Metric::Loop)
}

fn rate(arm: &Arm, texts: &[&ScoredTrial], analysis: &Analysis) -> Rate {
    let by_prompt = by_prompt(texts);
    let values: Vec<f64> = by_prompt.values().flatten().copied().collect();
    let is_own =
        |summary: &&crate::analysis::CellSummary| summary.metric == Metric::Loop && summary.cell == arm.setup.cell;
    let interval = analysis.cells.iter().find(is_own).and_then(|summary| summary.estimate?.interval);
    let loops = values.iter().filter(|value| **value > 0.5).count();
    let empty = texts.iter().filter(|scored| is_empty(scored)).count();
    Rate { loops, texts: values.len(), empty, prompts: by_prompt.len(), interval }
}

/// Whether texts loop, of the prompts that have any.
fn by_prompt<'a>(texts: &[&'a ScoredTrial]) -> BTreeMap<&'a str, Vec<f64>> {
    let mut found: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for scored in texts {
        if let Some(value) = loops(scored) {
            found.entry(&scored.trial.prompt).or_default().push(value);
        }
    }
    found
}

fn outcome(claim: &Claim, texts: &[Vec<&ScoredTrial>], analysis: &Analysis, alpha: f64) -> Outcome {
    let [base, other] = [claim.base, claim.other].map(|arm| by_prompt(&texts[arm]));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let differences: Vec<f64> =
        base.iter().filter_map(|(prompt, base)| Some(mean(other.get(prompt)?) - mean(base))).collect();
    let verdict = analysis.verdicts.iter().find(|verdict| verdict.id == claim.id);
    let path = analysis.sequential.as_ref().and_then(|s| s.paths.iter().find(|path| path.hypothesis == claim.id));
    let state = match (path, verdict.map(|verdict| verdict.outcome)) {
        (Some(path), _) => path.state(),
        (None, Some(Conclusion::Supported)) => State::Supported,
        (None, Some(Conclusion::Refuted)) => State::Refuted,
        (None, Some(Conclusion::Inconclusive) | None) => State::Open,
    };
    Outcome {
        state,
        effect: if differences.is_empty() { 0.0 } else { mean(&differences) },
        interval: verdict.and_then(|verdict| verdict.effects.first()?.interval),
        p: verdict.and_then(|verdict| verdict.p).unwrap_or(1.0),
        prompts: differences.len(),
        changed: changed([claim.base, claim.other].map(|arm| texts[arm].as_slice())),
        within: within(&differences, alpha),
    }
}

/// Counts texts that another arm has changed, on the prompts and seeds that both have.
fn changed([base, other]: [&[&ScoredTrial]; 2]) -> usize {
    let written = |scored: &ScoredTrial| match &scored.result {
        TrialResult::Scored { generation, .. } => Some((generation.thought.clone(), generation.text.clone())),
        TrialResult::Censored { .. } | TrialResult::Failed(_) | TrialResult::Missing => None,
    };
    let of_base: BTreeMap<_, _> =
        base.iter().map(|scored| ((&scored.trial.prompt, scored.trial.seed), scored)).collect();
    let both =
        other.iter().filter_map(|scored| Some((*of_base.get(&(&scored.trial.prompt, scored.trial.seed))?, scored)));
    both.filter(|(base, other)| written(base) != written(other)).count()
}

/// The least of the margins of which bets say, at some prompt, that the mean lies within. Each is a test of its own at
/// `alpha`; one that rejects a margin rejects all wider ones, so the least one is a bound.
fn within(differences: &[f64], alpha: f64) -> Option<f64> {
    MARGINS.into_iter().find(|margin| {
        let Ok(mut bets) = MarginBets::new(*margin, alpha) else { return false };
        differences.iter().any(|difference| {
            bets.observe(Bounds::exactly(*difference));
            bets.ln_within() >= -alpha.ln()
        })
    })
}

/// The text with most copies of its loop.
fn worst(texts: &[&ScoredTrial]) -> Option<Looped> {
    let looped = texts.iter().filter(|scored| loops(scored).is_some_and(|value| value > 0.5));
    let looped = looped.filter_map(|scored| {
        let TrialResult::Scored { generation, scores } = &scored.result else { return None };
        let of_tokens = scores.get(Metric::TailPeriod).zip(scores.get(Metric::TailCopies));
        let of_characters = scores.get(Metric::TailPeriodChars).zip(scores.get(Metric::TailCopiesChars));
        let of_tokens = of_tokens.map(|(period, copies)| (Period::Tokens(period), copies));
        let of_characters = of_characters.map(|(period, copies)| (Period::Characters(period), copies));
        let (period, copies) = of_tokens.or(of_characters).unzip();
        let (prompt, text) = (scored.trial.prompt.clone(), generation.text.clone());
        Some(Looped { prompt, text, period, copies: copies.unwrap_or(0.0) })
    });
    looped.max_by(|a, b| a.copies.total_cmp(&b.copies).then_with(|| b.prompt.cmp(&a.prompt)))
}
