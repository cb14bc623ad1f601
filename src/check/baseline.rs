//! A baseline: what a run scored, kept in a file that can be reviewed.

use std::collections::BTreeMap;

use itertools::Itertools as _;
use serde::{Deserialize, Serialize};

use crate::analysis::{Analysis, TrialResult};
use crate::domain::{Cell, Generate};
use crate::metrics::Metric;
use crate::plan::Design;
use crate::stats::mean;

/// The version this program writes and reads.
const VERSION: u32 = 1;

/// What must be known to tell whether another run measured the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineCell {
    #[serde(flatten)]
    pub cell: Cell,
    pub scores: BTreeMap<String, BTreeMap<String, (f64, u32)>>,
    /// A hash of what was written, by prompt: the same texts need no test. Baselines before it was kept have none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    v: u32,
    #[serde(flatten)]
    pub facts: Facts,
    pub cells: Vec<BaselineCell>,
    /// Of everything above, so that a file that was cut short or edited is noticed.
    blake3: String,
}

/// Why a baseline can't be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    #[error("it is not a baseline: {0}")]
    NotOne(#[from] serde_json::Error),
    #[error("it is a baseline of version {found}, and this moe-sweep reads {VERSION}")]
    OtherVersion { found: u32 },
    #[error("its content is not what was saved: it was edited or damaged")]
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
        let mut unsealed = Self { v: VERSION, facts, cells: cells(analysis), blake3: String::new() };
        unsealed.blake3 = unsealed.seal();
        unsealed
    }

    /// # Errors
    /// When `json` is not what [`Self::to_json`] wrote.
    pub fn from_json(json: &[u8]) -> Result<Self, BaselineError> {
        #[derive(Deserialize)]
        struct Versioned {
            v: u32,
        }
        let Versioned { v } = serde_json::from_slice(json)?;
        if v != VERSION {
            return Err(BaselineError::OtherVersion { found: v });
        }
        let baseline: Self = serde_json::from_slice(json)?;
        if baseline.blake3 == baseline.seal() { Ok(baseline) } else { Err(BaselineError::Edited) }
    }

    /// A line a cell, so that a review shows which cells changed.
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = String::from("{\n");
        let fields = serde_json::to_value(&self.facts).expect("facts are plain data");
        json += &format!("\"v\": {},\n", self.v);
        for (key, value) in fields.as_object().expect("facts are a map") {
            json += &format!("\"{key}\": {},\n", compact(value));
        }
        json += "\"cells\": [\n";
        json += &self.cells.iter().map(compact).join(",\n");
        json += &format!("\n],\n\"blake3\": \"{}\"\n}}\n", self.blake3);
        json.into_bytes()
    }

    fn seal(&self) -> String {
        let unsealed = Self { blake3: String::new(), ..self.clone() };
        blake3::hash(&serde_json::to_vec(&unsealed).expect("a baseline is plain data")).to_hex().to_string()
    }
}

fn compact(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a baseline is plain data")
}

impl Facts {
    pub fn chains_of(design: &Design) -> BTreeMap<String, String> {
        let steps = |steps: &_| serde_json::to_string(steps).expect("steps are plain data");
        design.chains.iter().map(|chain| (chain.id.clone(), steps(&chain.steps))).collect()
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
        let of_text = (scored.trial.seed, &generation.thought, &generation.text, generation.stop);
        let written = serde_json::to_vec(&of_text).expect("a text is plain data");
        hasher.update(&written);
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
