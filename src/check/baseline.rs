//! Owns the baseline: what a run scored, kept in a file that can be reviewed. Must not know how the file is written:
//! `format` says that.

use std::collections::BTreeMap;

use itertools::Itertools as _;

use super::written;
use crate::analysis::{Analysis, TrialResult};
use crate::domain::{Cell, Generate};
use crate::metrics::Metric;
use crate::plan::Design;
use crate::stats::mean;

/// What must be known to tell whether another run measured the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    pub experiment: String,
    pub generate: Generate,
    /// blake3 of each model's file, by the model's name.
    pub models: BTreeMap<String, String>,
    /// Each chain's steps, as JSON, by its name.
    pub chains: BTreeMap<String, String>,
    /// Each prompt's text, by its id.
    pub prompts: BTreeMap<String, String>,
    /// Which may differ: it is what a gate is there for.
    pub moe_sweep: String,
    pub engines: Vec<String>,
    pub cpus: Vec<String>,
}

/// A cell's scores by metric and prompt: the mean over its texts, and how many.
#[derive(Clone, Debug, PartialEq)]
pub struct BaselineCell {
    pub cell: Cell,
    pub scores: BTreeMap<String, BTreeMap<String, (f64, u32)>>,
    /// A hash of what was written, by prompt: the same texts need no test. Baselines before it was kept have none.
    pub texts: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    pub facts: Facts,
    pub cells: Vec<BaselineCell>,
}

/// Why a baseline can't be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    #[error("not a baseline: {0}")]
    NotOne(#[from] serde_json::Error),
    #[error("the baseline has version {found}, but this moe-sweep reads {known}")]
    OtherVersion { found: u32, known: u32 },
    #[error("its content has changed since it was saved: the file was edited or damaged")]
    Edited,
}

impl Baseline {
    /// The metrics that a baseline keeps.
    const METRICS: [Metric; 8] = [
        Metric::RepetitionScore,
        Metric::VllmLoop,
        Metric::TailShare,
        Metric::Loop,
        Metric::Covered20Chars,
        Metric::Repeat4Chars,
        Metric::TailShareChars,
        // Every text that counts has it.
        Metric::EmptyAnswer,
    ];
    /// Those of repetition, which a gate can be about.
    pub const GATED: [Metric; 7] = {
        let [gated @ .., _] = Self::METRICS;
        gated
    };

    pub fn new(facts: Facts, analysis: &Analysis) -> Self {
        Self { facts, cells: cells(analysis) }
    }
}

impl Facts {
    pub fn chains_of(design: &Design) -> BTreeMap<String, String> {
        design.chains.iter().map(|chain| (chain.title(), written::chain(&chain.steps))).collect()
    }

    pub fn prompts_of(design: &Design) -> BTreeMap<String, String> {
        design.prompts.iter().map(|prompt| (prompt.id.clone(), prompt.text.clone())).collect()
    }
}

/// In the order of the cells' first trials.
fn cells(analysis: &Analysis) -> Vec<BaselineCell> {
    let mut texts: BTreeMap<(&Cell, &str), blake3::Hasher> = BTreeMap::new();
    for scored in &analysis.trials {
        let TrialResult::Scored { generation, .. } = &scored.result else { continue };
        let hasher = texts.entry((&scored.trial.cell, &scored.trial.prompt)).or_default();
        hasher.update(&written::text(scored.trial.seed, generation));
    }
    let mut values: BTreeMap<(&Cell, Metric, &str), Vec<f64>> = BTreeMap::new();
    for scored in &analysis.trials {
        let TrialResult::Scored { scores, .. } = &scored.result else { continue };
        for metric in Baseline::METRICS {
            let Some(value) = scores.get(metric) else { continue };
            values.entry((&scored.trial.cell, metric, &scored.trial.prompt)).or_default().push(value);
        }
    }
    let cells = analysis.cells.iter().map(|summary| &summary.cell).dedup();
    let cell = |cell: &Cell| BaselineCell { cell: cell.clone(), scores: BTreeMap::new(), texts: BTreeMap::new() };
    let mut cells: Vec<BaselineCell> = cells.map(cell).collect();
    let place_of: BTreeMap<Cell, usize> = cells.iter().map(|known| known.cell.clone()).zip(0..).collect();
    for ((cell, prompt), hasher) in texts {
        const HEX_DIGITS: usize = 16;
        let hash = hasher.finalize().to_hex()[..HEX_DIGITS].to_owned();
        cells[place_of[cell]].texts.insert(prompt.to_owned(), hash);
    }
    for ((cell, metric, prompt), values) in values {
        let place = &mut cells[place_of[cell]];
        let mean = mean(&values).expect("it holds a value");
        let n = values.len() as u32;
        place.scores.entry(metric.name().to_owned()).or_default().insert(prompt.to_owned(), (mean, n));
    }
    cells
}
