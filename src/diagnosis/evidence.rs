//! Reads out of a stage's analysis what a diagnosis decides by. Must not know what is decided.

use std::collections::BTreeMap;

use super::stage::{Arm, Claim, Stage};
use crate::analysis::sequential::State;
use crate::analysis::{Analysis, CellSummary, Conclusion, ScoredTrial, TrialResult};
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
    /// The base again, where every text counts that repeats itself.
    pub repeats: Repeats,
    pub n_texts: usize,
    pub extent: Extent,
}

/// How many texts repeat themselves in any way, and the worst of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Repeats {
    pub rate: Rate,
    pub worst: Option<Looped>,
}

/// How much of a stage was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All that it takes to answer.
    Whole,
    /// A budget ended it before.
    CutShort,
}

/// How many texts count: end in a loop, or repeat themselves.
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

/// A text that ends in a loop, or repeats itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Looped {
    pub prompt: String,
    pub text: String,
    pub period: Option<Period>,
    pub copies: f64,
    /// Where it ends in no loop: the share of its characters in blocks of 20 that start earlier
    /// ([`Metric::Covered20Chars`]).
    pub repeated: Option<f64>,
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
        let read = Read { analysis, metric: stage.counted.metric() };
        let rates = stage.arms.iter().zip(&texts).map(|(arm, texts)| read.rate(arm, texts)).collect();
        let claims = stage.claims.iter().map(|claim| read.outcome(claim, &texts, alpha)).collect();
        let base = texts.first().map_or(&[][..], Vec::as_slice);
        let other = Read { metric: Metric::Repeats, ..read };
        let repeats = stage.arms.first().map(|arm| Repeats { rate: other.rate(arm, base), worst: other.worst(base) });
        let is_text = |scored: &&ScoredTrial| matches!(scored.result, TrialResult::Scored { .. });
        Self {
            arms: rates,
            claims,
            worst: read.worst(base),
            repeats: repeats.unwrap_or_default(),
            n_texts: analysis.trials.iter().filter(is_text).count(),
            extent,
        }
    }
}

/// Reads texts by whether they count: by a metric that is 1 or 0.
#[derive(Clone, Copy)]
struct Read<'a> {
    analysis: &'a Analysis,
    metric: Metric,
}

impl Read<'_> {
    fn of(self, scored: &ScoredTrial) -> Option<f64> {
        match &scored.result {
            TrialResult::Scored { scores, .. } => scores.get(self.metric),
            TrialResult::Censored { .. } | TrialResult::Failed(_) | TrialResult::Missing => None,
        }
    }

    fn counts(self, scored: &ScoredTrial) -> bool {
        self.of(scored).is_some_and(|value| value > 0.5)
    }

    fn is_empty(self, scored: &ScoredTrial) -> bool {
        let TrialResult::Scored { scores, .. } = &scored.result else { return false };
        scores.is_empty_for(self.metric)
    }

    fn rate(self, arm: &Arm, texts: &[&ScoredTrial]) -> Rate {
        let by_prompt = self.by_prompt(texts);
        let is_own = |summary: &&CellSummary| summary.metric == self.metric && summary.cell == arm.setup.cell;
        let interval = self.analysis.cells.iter().find(is_own).and_then(|summary| summary.estimate?.interval);
        let loops = texts.iter().filter(|scored| self.counts(scored)).count();
        let empty = texts.iter().filter(|scored| self.is_empty(scored)).count();
        Rate { loops, texts: by_prompt.values().flatten().count(), empty, prompts: by_prompt.len(), interval }
    }

    /// Whether texts count, of the prompts that have any.
    fn by_prompt<'t>(self, texts: &[&'t ScoredTrial]) -> BTreeMap<&'t str, Vec<f64>> {
        let mut found: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for scored in texts {
            if let Some(value) = self.of(scored) {
                found.entry(&scored.trial.prompt).or_default().push(value);
            }
        }
        found
    }

    fn outcome(self, claim: &Claim, texts: &[Vec<&ScoredTrial>], alpha: f64) -> Outcome {
        let Self { analysis, .. } = self;
        let [base, other] = [claim.base, claim.other].map(|arm| self.by_prompt(&texts[arm]));
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

    /// The text with most copies of its loop; where none ends in one, the one that repeats most.
    fn worst(self, texts: &[&ScoredTrial]) -> Option<Looped> {
        let counted = texts.iter().filter(|scored| self.counts(scored)).filter_map(|scored| looped(scored));
        counted.max_by(|a, b| {
            let by_copies = a.copies.total_cmp(&b.copies);
            let repeated = |text: &Looped| text.repeated.unwrap_or(1.0);
            by_copies.then(repeated(a).total_cmp(&repeated(b))).then_with(|| b.prompt.cmp(&a.prompt))
        })
    }
}

/// The loop that a text ends in, if it ends in one, and how much of it repeats.
fn looped(scored: &ScoredTrial) -> Option<Looped> {
    let TrialResult::Scored { generation, scores } = &scored.result else { return None };
    let of_tokens = scores.get(Metric::TailPeriod).zip(scores.get(Metric::TailCopies));
    let of_characters = scores.get(Metric::TailPeriodChars).zip(scores.get(Metric::TailCopiesChars));
    let of_tokens = of_tokens.map(|(period, copies)| (Period::Tokens(period), copies));
    let of_characters = of_characters.map(|(period, copies)| (Period::Characters(period), copies));
    let is_loop = scores.get(Metric::Loop) == Some(1.0);
    let (period, copies) = of_tokens.or(of_characters).filter(|_| is_loop).unzip();
    Some(Looped {
        prompt: scored.trial.prompt.clone(),
        text: generation.text.clone(),
        period,
        copies: copies.unwrap_or(0.0),
        repeated: scores.get(Metric::Covered20Chars).filter(|_| !is_loop),
    })
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
