//! Invents analyses for the reports' tests: shaped like real ones, every number made up, no randomness.

use std::collections::BTreeMap;

use itertools::iproduct;

use crate::analysis::{
    Analysis, Attribution, CellProfile, CellSummary, Conclusion, Estimate, FactorTotal, LevelVerdict, NamedEffect,
    ScoredTrial, SourceShare, TestKind, TrialResult, Verdict,
};
use crate::domain::{Cell, Factor, Generation, Offload, Quant, Seed, Stop, Temperature, Trial, TrialId};
use crate::journal::format::Failure;
use crate::metrics::TextPart;
use crate::metrics::{Metric, Scores};
use crate::stats::{Dispersion, Effect, Interval, Onset, Portion, kaplan_meier};

pub struct Shape<'a> {
    pub models: &'a [&'a str],
    pub chains: &'a [&'a str],
    pub quants: &'a [Quant],
    pub offloads: &'a [Offload],
    pub temperatures: &'a [f32],
    pub prompts: usize,
    pub seeds: u32,
}

/// The chains of the shipped experiment on the cause.
pub const CAUSE: [&str; 7] =
    ["shimmy-1.7", "shimmy-1.7-fixed", "no-division", "llama.cpp", "ollama-go", "pure", "greedy"];
pub const GRID: [f32; 8] = [0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5];

/// A few trials, one of each kind.
pub fn tiny() -> Analysis {
    let shape = Shape {
        models: &["tiny, the model"],
        chains: &["shimmy-1.7", "pure"],
        quants: &[Quant::Source],
        offloads: &[Offload::All],
        temperatures: &[0.1, 0.9],
        prompts: 2,
        seeds: 2,
    };
    let mut analysis = shape.analysis();
    analysis.trials[1].result =
        TrialResult::Failed(Failure { reason: "the worker died:\n\x1b[31mSIGABRT".to_owned(), attempts: 2 });
    analysis.trials[2].result = TrialResult::Missing;
    analysis.cells = summaries(&analysis.trials);
    analysis
}

impl Shape<'_> {
    pub fn analysis(&self) -> Analysis {
        let mut trials = Vec::new();
        let Self { models, chains, quants, offloads, temperatures, prompts, seeds } = *self;
        for (&model, &chain, &quant, &offload, &t) in iproduct!(models, chains, quants, offloads, temperatures) {
            let temperature = Temperature::new(t).unwrap();
            let cell = Cell::usual(model, chain, temperature).with(offload).with(quant);
            let draws = !matches!(chain, "greedy" | "shimmy-1.7" | "shimmy-1.7-fixed" | "no-division");
            for (prompt, seed) in iproduct!(0..prompts, 0..if draws { seeds } else { 1 }) {
                trials.push(trial(&cell, prompt, draws.then(|| Seed::new(seed).unwrap())));
            }
        }
        let cells = summaries(&trials);
        Analysis { trials, cells, ..Analysis::default() }
    }
}

pub fn id(text: &str) -> TrialId {
    let hash = blake3::hash(text.as_bytes()).to_hex();
    serde_json::from_value(serde_json::Value::String(hash[..32].to_owned())).unwrap()
}

fn trial(cell: &Cell, prompt: usize, seed: Option<Seed>) -> ScoredTrial {
    // As a cell once read, so that the made-up trials stay the same.
    let named = format!(
        "Cell {{ model: {:?}, chain: {:?}, offload: {:?}, quant: {:?}, template: {:?}, temperature: {:?} }}",
        cell.model(),
        cell.chain(),
        cell.offload(),
        cell.quant(),
        cell.template(),
        cell.temperature()
    );
    let key = format!("{named} {prompt} {seed:?}");
    let t = f64::from(cell.temperature().get());
    let loops = match cell.chain() {
        "shimmy-1.7" => 0.75 / (1.0 + (-(t - 0.7) * 6.0).exp()),
        "greedy" => 0.1,
        "no-division" => 0.02,
        _ => 0.005,
    };
    let (loop_draw, level_draw) = (uniform(&key, 0), uniform(&key, 1));
    let score = if loop_draw < loops { 0.55 + 0.44 * level_draw } else { 0.06 * level_draw * level_draw };
    let words =
        if loop_draw < loops { "to be able to be able to be able " } else { "a mixture of experts has a router " };
    let stop = if level_draw < 0.3 { Stop::Eos } else { Stop::MaxTokens };
    let generation = Generation::of_tokens(7, vec![1; 100], words.repeat(12).trim_end().to_owned(), stop);
    let scores = Scores::from_fn(|metric| match metric {
        Metric::RepetitionScore => Some(score),
        Metric::TailShare => Some(if loop_draw < loops { 0.5 } else { 0.0 }),
        _ => None,
    });
    let trial = Trial { id: id(&key), cell: cell.clone(), prompt: format!("p{:02}", prompt + 1), seed };
    ScoredTrial::new(trial, TrialResult::Scored { generation, scores })
}

/// A mean and a made-up interval for the two metrics that the trials have.
fn summaries(trials: &[ScoredTrial]) -> Vec<CellSummary> {
    let mut cells: Vec<&Cell> = Vec::new();
    for scored in trials {
        if cells.last() != Some(&&scored.trial.cell) {
            cells.push(&scored.trial.cell);
        }
    }
    let metrics = [Metric::RepetitionScore, Metric::SeqRepWords1, Metric::TailShare];
    cells.iter().flat_map(|cell| metrics.map(|metric| summary(trials, cell, metric))).collect()
}

fn summary(trials: &[ScoredTrial], cell: &Cell, metric: Metric) -> CellSummary {
    let in_cell = trials.iter().filter(|scored| scored.trial.cell == *cell);
    let mut prompts: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for scored in in_cell {
        if let TrialResult::Scored { scores, .. } = &scored.result {
            prompts.entry(&scored.trial.prompt).or_default().extend(scores.get(metric));
        }
    }
    let prompts: Vec<Vec<f64>> = prompts.into_values().collect();
    let mut values = prompts.concat();
    values.sort_by(f64::total_cmp);
    let n = values.len();
    let estimate = (n > 0).then(|| {
        let mean = values.iter().sum::<f64>() / n as f64;
        let half = 1.96 * (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n * n) as f64).sqrt();
        let interval = Interval { low: (mean - half).max(0.0), high: (mean + half).min(1.0), level: 0.95 };
        Estimate { mean, median: values[n / 2], interval: (n > 1).then_some(interval) }
    });
    CellSummary { cell: cell.clone(), metric, n, spread: Dispersion::of(&prompts), estimate }
}

fn uniform(key: &str, which: usize) -> f64 {
    let hash = blake3::hash(key.as_bytes());
    let bytes = hash.as_bytes()[which * 4..which * 4 + 4].try_into().unwrap();
    f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}

/// With made-up findings: times to loop, an attribution, a verdict of each kind.
pub fn with_findings(mut analysis: Analysis) -> Analysis {
    let mut cells: Vec<&Cell> = Vec::new();
    for scored in &analysis.trials {
        if !cells.contains(&&scored.trial.cell) {
            cells.push(&scored.trial.cell);
        }
    }
    analysis.profiles = cells.into_iter().map(profile).collect();
    let source = |name: &str, share, chance_share: Option<f64>| {
        let interval = chance_share.map(|_| effect(share).interval);
        let share = Portion { estimate: share, interval };
        let p = chance_share.map(|chance| chance / 10.0);
        SourceShare { name: name.to_owned(), share, chance_share, p, p_holm: p.map(|p| 3.0 * p) }
    };
    let portion = |share| Portion { estimate: share, interval: Some(effect(share).interval) };
    analysis.attribution = Some(Attribution {
        metric: Metric::RepetitionScore,
        factors: vec![
            FactorTotal { factor: Factor::Chain, n_levels: 2, total: portion(0.55), alone: portion(0.4) },
            FactorTotal { factor: Factor::Temperature, n_levels: 2, total: portion(0.25), alone: portion(0.1) },
        ],
        sources: vec![
            source("chain", 0.4, Some(0.02)),
            source("temperature", 0.1, Some(0.02)),
            source("chain × temperature", 0.15, Some(0.04)),
            source("prompts", 0.05, None),
            source("rest", 0.3, None),
        ],
        n_prompts: 2,
        n_incomplete_prompts: 1,
        n_cells: 4,
        sentence: "the chain explains most".to_owned(),
    });
    analysis.verdicts = [Conclusion::Supported, Conclusion::Refuted, Conclusion::Inconclusive].map(verdict).to_vec();
    analysis
}

fn effect(estimate: f64) -> Effect {
    Effect { estimate, interval: Interval { low: estimate - 0.04, high: estimate + 0.04, level: 0.95 } }
}

/// Texts that loop the sooner, the hotter.
fn profile(cell: &Cell) -> CellProfile {
    let first = 40.0 - 20.0 * f64::from(cell.temperature().get());
    let onsets =
        [Onset::At(first), Onset::At(first + 9.0), Onset::Censored(60.0), Onset::Censored(100.0)].map(|onset| [onset]);
    CellProfile {
        cell: cell.clone(),
        two_part: None,
        onset: Some(kaplan_meier(&onsets).unwrap()),
        self_repetition: None,
        spread_of_self_repetition: Dispersion::default(),
    }
}

fn verdict(outcome: Conclusion) -> Verdict {
    let Effect { estimate, interval } = effect(-0.2);
    let effects = vec![NamedEffect {
        name: "mean Spearman's ρ",
        estimate,
        interval: Some(interval),
        standard_error: Some(0.02),
        by_chance: None,
    }];
    let level = LevelVerdict {
        level: "tiny, the model".to_owned(),
        outcome,
        sentence: "so it is <here>".to_owned(),
        effects: effects.clone(),
        p: Some(0.01),
        p_holm: Some(0.02),
        n_prompts: 2,
        n_texts: 4,
        detectable: None,
    };
    Verdict {
        id: format!("it-is-{outcome}"),
        claim: format!("A claim that is {outcome} & <b>bold</b>."),
        metric: Metric::RepetitionScore,
        part: TextPart::Whole,
        first: Some(64),
        test: TestKind::Trend,
        outcome,
        sentence: "mean Spearman's ρ -0.2".to_owned(),
        effects,
        p: Some(0.00001),
        p_holm: None,
        alpha: 0.05,
        n_prompts: 2,
        n_texts: 8,
        detectable: (outcome == Conclusion::Inconclusive).then_some(0.3),
        levels: vec![level],
        sequential: None,
    }
}
