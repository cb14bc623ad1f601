//! Levels of contexts in whole runs: how long a text may be, what becomes of it then, and how many are decoded together.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Bench, models};

const EXPERIMENT: &str = r#"
schema = 1
name = "x"

[generate]
max_tokens = 60

[grid]
model = ["tiny"]
chain = ["greedy"]
temperature = [1.0]
eos = ["ignore"]
context = [40, 128]
overflow = ["stop", "shift"]

[prompts]
inline = ["The heart is", "The wheel of the mill turns a stone"]

[[model]]
id = "tiny"
path = "tiny.gguf"
"#;

fn bench() -> Bench {
    let bench = Bench::new(EXPERIMENT);
    bench.write("tiny.gguf", std::fs::read(models().join("deepseek-tiny.gguf")).expect("the bundled model"));
    bench
}

/// The rows of `trials.csv` by column.
fn trials(bench: &Bench, directory: &str) -> Vec<BTreeMap<String, String>> {
    let table = bench.result(directory, "trials.csv");
    csv::Reader::from_reader(table.as_bytes()).deserialize().map(|row| row.expect("a row")).collect()
}

#[test]
fn a_text_ends_or_forgets_where_its_context_is_full() {
    let bench = bench();
    bench.run("out", &[], 0);
    let trials = trials(&bench, "out");
    assert_eq!(trials.len(), 8);
    for trial in &trials {
        let number = |column: &str| trial[column].parse::<u32>().expect("a number");
        let (stop, n_tokens) = (trial["stop"].as_str(), number("n_tokens"));
        match (trial["context"].as_str(), trial["overflow"].as_str()) {
            ("40", "stop") => assert_eq!((stop, n_tokens), ("context", 40 - number("n_prompt_tokens")), "{trial:?}"),
            _ => assert_eq!((stop, n_tokens), ("max_tokens", 60), "{trial:?}"),
        }
    }
    // Its contexts are made of the weights that are loaded.
    let manifest: Value = serde_json::from_str(&bench.result("out", "manifest.json")).expect("JSON");
    let times: u64 = manifest["runs"][0]["loads"]
        .as_array()
        .expect("loads")
        .iter()
        .map(|load| load["times"].as_u64().unwrap_or(0))
        .sum();
    assert_eq!(times, 1, "{:#}", manifest["runs"][0]["loads"]);
    let notes = manifest["notes"].to_string();
    assert!(notes.contains("has no effect on the model tiny at context = 128"), "{notes}");
    assert!(!notes.contains("at context = 40"), "{notes}");
    // Without a name for what becomes of it, a full context is refused.
    bench.edit("overflow = [\"stop\", \"shift\"]\n", "");
    bench.run("refused", &[], 96).says(&["exceeds context = 40", "overflow = [\"stop\"] or [\"shift\"]"]);
}

#[test]
fn so_many_texts_are_decoded_together_as_the_width_says() {
    let bench = bench();
    bench.edit(
        "context = [40, 128]\noverflow = [\"stop\", \"shift\"]",
        "width = [1, 3]\nseed = { from = 0, count = 5 }",
    );
    bench.edit("[\"greedy\"]", "[\"pure\"]");
    bench.edit("max_tokens = 60", "max_tokens = 20\ncontext = 128\nnumerics = \"fast\"");
    bench.run("out", &[], 0);
    let widths: BTreeMap<String, String> = trials(&bench, "out")
        .into_iter()
        .map(|mut trial| (trial["trial_id"].clone(), trial.remove("width").expect("it is a column")))
        .collect();
    let mut together: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    let journal = bench.result("out", "trials.jsonl");
    for line in journal.lines() {
        let record: Value = serde_json::from_str(line).expect("JSON");
        let id = record["id"].as_str().expect("an id");
        together.entry(&widths[id]).or_default().push(record["timing"]["rows"].as_u64().expect("a number"));
    }
    assert_eq!(together["1"], [1; 10], "one at a time");
    let three = &together["3"];
    // The last ones have less company.
    assert!(three.len() == 10 && three.iter().max() == Some(&3), "{three:?}");
    assert!(three.iter().filter(|&&batch| batch == 3).count() >= 5, "{three:?}");
}
