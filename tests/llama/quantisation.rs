//! Quantisation as a factor: made by llama.cpp's quantiser, once, and kept.

use std::collections::BTreeSet;
use std::fs;
use std::time::SystemTime;

use crate::support::{Bench, models};
use serde_json::Value;

fn bench(quants: &str) -> Bench {
    let path = models().join("deepseek-tiny.gguf");
    Bench::new(&format!(
        r#"
schema = 1
name = "x"

[generate]
max_tokens = 12
context = 64

[grid]
model = ["tiny"]
chain = ["greedy"]
quant = {quants}
temperature = [1.0]

[prompts]
inline = ["The heart is", "Once upon a time there was", "Solar panels", "My neighbour told me that"]

[[model]]
id = "tiny"
path = {path:?}
"#
    ))
}

/// The cache's model files and when they were written.
fn kept(bench: &Bench) -> BTreeSet<(String, u64, SystemTime)> {
    let entries = fs::read_dir(bench.path().join("cache/quantised")).expect("a cache");
    let files = entries.map(|entry| entry.expect("an entry"));
    let files = files.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "gguf"));
    let facts = files.map(|entry| {
        let data = entry.metadata().expect("metadata");
        (entry.file_name().into_string().expect("a name"), data.len(), data.modified().expect("a time"))
    });
    facts.collect()
}

#[test]
fn each_quantisation_is_made_once_loaded_once_and_recorded() {
    let bench = bench(r#"["source", "q8_0", "q4_k_m", "q2_k"]"#);
    let said = bench.run("out", &["--cache", "cache"], 0);
    for quant in ["q8_0", "q4_k_m", "q2_k"] {
        assert!(said.stderr.contains(&format!("quantising tiny to {quant}")), "{}", said.stderr);
    }
    let files = kept(&bench);
    assert_eq!(files.len(), 3, "{files:?}");

    let manifest: Value = serde_json::from_str(&bench.result("out", "manifest.json")).expect("JSON");
    let loads = manifest["runs"][0]["loads"].as_array().expect("loads");
    let quants: Vec<_> = loads.iter().map(|load| (load["quant"].as_str().unwrap(), load["times"].as_u64())).collect();
    assert_eq!(quants, ["source", "q8_0", "q4_k_m", "q2_k"].map(|quant| (quant, Some(1))));
    let sizes: Vec<_> = loads.iter().map(|load| load["file"]["size_bytes"].as_u64().unwrap()).collect();
    assert!(sizes.is_sorted_by(|a, b| a > b), "{sizes:?}");
    let hashes: BTreeSet<_> = loads.iter().map(|load| load["file"]["blake3"].as_str().unwrap()).collect();
    assert_eq!(hashes.len(), 4, "{hashes:?}");

    let table = bench.result("out", "trials.csv");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let ids: BTreeSet<_> = reader.records().map(|row| row.expect("a row")[0].to_owned()).collect();
    assert_eq!(ids.len(), 4 * 4, "every quantisation has texts of its own");

    let again = bench.run("again", &["--cache", "cache"], 0);
    assert!(!again.stderr.contains("quantising"), "{}", again.stderr);
    assert_eq!(kept(&bench), files, "nothing was made again");
    assert_eq!(bench.reproducible("again"), bench.reproducible("out"));
}

#[test]
fn weights_that_are_quantised_already_are_refused_before_anything_runs() {
    let bench = bench(r#"["q8_0"]"#);
    bench.run("out", &["--cache", "cache"], 0);
    let (name, ..) = kept(&bench).into_iter().next().expect("one file");
    let path = models().join("deepseek-tiny.gguf");
    bench.edit(&format!("{path:?}"), &format!("\"cache/quantised/{name}\""));
    bench.edit("quant = [\"q8_0\"]", "quant = [\"q2_k\"]");
    let said = bench.run("second", &["--cache", "cache"], 96);
    said.says(&[
        "cannot quantise the model tiny to q2_k",
        "it needs weights in F32, F16 or BF16",
        "exclude this quant",
    ]);
    assert!(!bench.exists("second"), "nothing was begun");
    assert_eq!(kept(&bench).len(), 1, "no half of a file is left");
}

#[test]
fn a_cache_that_cannot_be_written_is_said() {
    let bench = bench(r#"["q8_0"]"#);
    bench.write("cache", "a file where the directory should be");
    let said = bench.run("out", &["--cache", "cache"], 96);
    said.says(&["cannot store the model tiny as q8_0", "--cache DIR"]);
}
