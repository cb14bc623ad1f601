//! Owns the on-disk types of a baseline, all of them, with their version. Must not know what is compared.
//!
//! A baseline ends in a hash of everything before it, as JSON in the order of these fields: they, their names and their
//! order are part of the hash of every baseline that somebody keeps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::baseline::{self, BaselineError};
use crate::domain::{self, Cell};
use crate::format::{Generate, Levels, Unknown};

/// The version this program writes and reads.
const VERSION: u32 = 1;

/// What a run scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Baseline {
    v: u32,
    #[serde(flatten)]
    facts: Facts,
    cells: Vec<BaselineCell>,
    /// Of everything above; empty while that is hashed.
    blake3: String,
}

/// What must be known to tell whether another run measured the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    experiment: String,
    generate: Generate,
    models: BTreeMap<String, String>,
    chains: BTreeMap<String, String>,
    prompts: BTreeMap<String, String>,
    moe_sweep: String,
    engines: Vec<String>,
    cpus: Vec<String>,
}

/// A cell's scores by metric and prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct BaselineCell {
    #[serde(flatten)]
    cell: Levels,
    scores: BTreeMap<String, BTreeMap<String, (f64, u32)>>,
    /// Baselines before it was kept have none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    texts: BTreeMap<String, String>,
}

impl Baseline {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is no baseline, one of another version, or not what was saved.
    fn parse(json: &[u8]) -> Result<Self, BaselineError> {
        #[derive(Deserialize)]
        struct Versioned {
            v: u32,
        }
        let Versioned { v } = serde_json::from_slice(json)?;
        if v != VERSION {
            return Err(BaselineError::OtherVersion { found: v, known: VERSION });
        }
        let baseline: Self = serde_json::from_slice(json)?;
        if baseline.blake3 == baseline.hash() { Ok(baseline) } else { Err(BaselineError::Edited) }
    }

    /// The file: a line a cell, so that a review shows which cells changed.
    fn file(&self) -> Vec<u8> {
        let mut json = String::from("{\n");
        let fields = serde_json::to_value(&self.facts).expect("facts are plain data");
        json += &format!("\"v\": {},\n", self.v);
        for (key, value) in fields.as_object().expect("facts are a map") {
            json += &format!("\"{key}\": {},\n", compact(value));
        }
        json += "\"cells\": [\n";
        json += &self.cells.iter().map(compact).collect::<Vec<_>>().join(",\n");
        json += &format!("\n],\n\"blake3\": \"{}\"\n}}\n", self.blake3);
        json.into_bytes()
    }

    fn hash(&self) -> String {
        let unsealed = Self { blake3: String::new(), ..self.clone() };
        blake3::hash(&serde_json::to_vec(&unsealed).expect("a baseline is plain data")).to_hex().to_string()
    }
}

fn compact(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a baseline is plain data")
}

impl From<&baseline::Baseline> for Baseline {
    fn from(baseline::Baseline { facts, cells }: &baseline::Baseline) -> Self {
        let baseline::Facts { experiment, generate, models, chains, prompts, moe_sweep, engines, cpus } = facts.clone();
        let generate = generate.into();
        let facts = Facts { experiment, generate, models, chains, prompts, moe_sweep, engines, cpus };
        let cells = cells.iter().map(|cell| BaselineCell {
            cell: (&cell.cell).into(),
            scores: cell.scores.clone(),
            texts: cell.texts.clone(),
        });
        let unsealed = Self { v: VERSION, facts, cells: cells.collect(), blake3: String::new() };
        Self { blake3: unsealed.hash(), ..unsealed }
    }
}

impl TryFrom<Baseline> for baseline::Baseline {
    type Error = Unknown;

    fn try_from(Baseline { v: _, facts, cells, blake3: _ }: Baseline) -> Result<Self, Unknown> {
        let Facts { experiment, generate, models, chains, prompts, moe_sweep, engines, cpus } = facts;
        let generate: domain::Generate = generate.into();
        let facts = baseline::Facts { experiment, generate, models, chains, prompts, moe_sweep, engines, cpus };
        let cell = |BaselineCell { cell, scores, texts }| -> Result<baseline::BaselineCell, Unknown> {
            let cell = Cell::try_from(cell)?.under_setting(generate.bos);
            Ok(baseline::BaselineCell { cell, scores, texts })
        };
        Ok(Self { facts, cells: cells.into_iter().map(cell).collect::<Result<_, _>>()? })
    }
}

impl baseline::Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// When `json` is not what [`Self::to_json`] wrote.
    pub fn from_json(json: &[u8]) -> Result<Self, BaselineError> {
        Self::try_from(Baseline::parse(json)?).map_err(|unknown| BaselineError::NotOne(unknown.into()))
    }

    /// Writes a line a cell, so that a review shows which cells changed.
    pub fn to_json(&self) -> Vec<u8> {
        Baseline::from(self).file()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::*;
    use crate::check::baseline::{Baseline, BaselineCell, Facts};
    use crate::check::written::{chain, text};
    use crate::domain::{self, Cell, Seed, Slot, Step, Temperature};
    use crate::format::strategies::{cells, generates};
    use crate::format::{sample, samples};

    fn baselines() -> impl Strategy<Value = Baseline> {
        let names = || btree_map(".*", ".*", 0..3);
        let known = (".*", generates(), names(), names(), names());
        let measured = (".*", vec(".*", 0..3), vec(".*", 0..3));
        let scores = btree_map("[a-z_]+", btree_map(".*", (-1e9..1e9_f64, any::<u32>()), 0..3), 0..3);
        let cell = (cells(), scores, names());
        let cells = vec(cell.prop_map(|(cell, scores, texts)| BaselineCell { cell, scores, texts }), 0..4);
        (known, measured, cells).prop_map(|(known, (moe_sweep, engines, cpus), cells)| {
            let (experiment, generate, models, chains, prompts) = known;
            let facts = Facts { experiment, generate, models, chains, prompts, moe_sweep, engines, cpus };
            // A cell says what the experiment's setting is, or another level.
            let under_setting = |cell: BaselineCell| {
                let bos = facts.generate.bos;
                BaselineCell { cell: cell.cell.under_setting(bos), ..cell }
            };
            let cells = cells.into_iter().map(under_setting).collect();
            Baseline { facts, cells }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_written_is_read(baseline in baselines()) {
            prop_assert_eq!(Baseline::from_json(&baseline.to_json()).unwrap(), baseline);
        }
    }

    #[test]
    fn baselines_of_every_version_are_read_and_written_as_they_were() {
        let samples = samples("baseline.json");
        assert!(samples.len() > 20, "{}", samples.len());
        for (file, bytes) in samples {
            let baseline = Baseline::from_json(&bytes).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert_eq!(String::from_utf8(baseline.to_json()), String::from_utf8(bytes), "{file}");
        }
    }

    #[test]
    fn a_baseline_that_was_changed_or_is_of_another_version_is_refused() {
        let saved = String::from_utf8(sample("11-29-0320/plain/baseline.json")).expect("it is text");
        let read = |from: &str, to: &str| {
            assert!(saved.contains(from), "{from}");
            Baseline::from_json(saved.replace(from, to).as_bytes())
        };
        assert!(matches!(read("first prompt", "another prompt"), Err(BaselineError::Edited)));
        assert!(matches!(read("\"v\": 1", "\"v\": 2"), Err(BaselineError::OtherVersion { found: 2, .. })));
        assert!(matches!(read("\"cells\"", "\"rows\""), Err(BaselineError::NotOne(_))));
    }

    #[test]
    fn a_baseline_has_these_bytes() {
        let names = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        let facts = Facts {
            experiment: "x".to_owned(),
            generate: domain::Generate {
                max_tokens: 8,
                context: 64,
                numerics: domain::Numerics::Invariant,
                bos: domain::Bos::Model,
                draws: domain::Draws::PerPrompt,
            },
            models: names("m", "b0"),
            chains: names("c", &chain(&[Step::Temperature { t: Slot::Trial }, Step::Dist])),
            prompts: names("p", "t"),
            moe_sweep: "0.1.0".to_owned(),
            engines: vec!["e".to_owned()],
            cpus: vec![],
        };
        let cell = BaselineCell {
            cell: Cell::usual("m", "c", Temperature::new(0.7).expect("it is one")),
            scores: [("loop".to_owned(), [("p".to_owned(), (0.5, 2))].into())].into(),
            texts: names("p", "f0"),
        };
        let json = Baseline { facts, cells: vec![cell] }.to_json();
        assert_eq!(String::from_utf8(json).expect("it is text"), PINNED);
        let generation = domain::Generation {
            thought: Some("hm".to_owned()),
            ..domain::Generation::of_tokens(1, vec![2], "so".to_owned(), domain::Stop::MaxTokens)
        };
        assert_eq!(text(Seed::new(7), &generation), br#"[7,"hm","so","max_tokens"]"#);
    }

    /// What this version writes. A change of it is a new version.
    const PINNED: &str = r#"{
"v": 1,
"chains": {"c":"[{\"temperature\":{\"t\":\"T\"}},\"dist\"]"},
"cpus": [],
"engines": ["e"],
"experiment": "x",
"generate": {"bos":"model","context":64,"draws":"per-prompt","max_tokens":8,"numerics":"invariant"},
"models": {"m":"b0"},
"moe_sweep": "0.1.0",
"prompts": {"p":"t"},
"cells": [
{"model":"m","chain":"c","offload":"all","quant":"source","template":"raw","temperature":0.7,"scores":{"loop":{"p":[0.5,2]}},"texts":{"p":"f0"}}
],
"blake3": "e92684fcd5409082f190658a360c86c2d3f2eb606c5e226914b39468b4dbc06d"
}
"#;
}
