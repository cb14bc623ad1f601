//! What is evaluated: nothing twice, however few sequences there are, and no more than the tables say.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::support::{Bench, models};

/// More texts of a prompt than most batches below have sequences, of which many have much in common.
fn bench(prompts: &str) -> Bench {
    let path = models().join("deepseek-tiny.gguf");
    Bench::new(&format!(
        r#"
schema = 1
name = "x"

[generate]
max_tokens = 24
context = 512

[grid]
model = ["deepseek-tiny"]
chain = ["shimmy-1.7", "shimmy-1.7-fixed", "llama.cpp", "ollama-go", "pure", "greedy"]
temperature = [0.1, 0.5, 0.9, 1.5]
seed = {{ from = 0, count = 3 }}

[prompts]
inline = {prompts}

[[model]]
id = "deepseek-tiny"
path = {path:?}
"#
    ))
}

/// The columns of the model's work, those of them that have a whole number.
fn work(bench: &Bench, directory: &str) -> BTreeMap<String, u64> {
    timing(bench, directory, "work")
}

/// The numbers of the first row of a kind in `timings.csv`.
fn timing<T: FromStr>(bench: &Bench, directory: &str, kind: &str) -> BTreeMap<String, T> {
    let table = bench.read(&format!("{directory}/timings.csv"));
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let names = reader.headers().unwrap().clone();
    let row = reader.records().map(Result::unwrap).find(|row| &row[0] == kind).unwrap_or_else(|| panic!("no {kind}"));
    names.iter().zip(&row).filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect()
}

#[test]
fn nothing_is_evaluated_twice_however_few_sequences_there_are() {
    let bench = bench(r#"["The heart is", "Once upon a time there was", "Solar panels"]"#);
    bench.run("all", &[], 0);
    let expected = bench.reproducible("all");
    for (batch, lanes) in [("1", "1"), ("2", "1"), ("7", "1"), ("32", "1"), ("7", "2"), ("1", "3"), ("64", "2")] {
        let directory = format!("b{batch}l{lanes}");
        bench.run(&directory, &["--batch", batch, "--lanes", lanes], 0);
        let work = work(&bench, &directory);
        let columns = ["evaluated_tokens", "saved_by_shared_heads", "distinct_prefixes"];
        let [evaluated, heads, distinct] = columns.map(|column| work[column]);
        assert_eq!(evaluated + heads, distinct, "--batch {batch} --lanes {lanes}");
        assert!(bench.reproducible(&directory) == expected, "--batch {batch} --lanes {lanes} changes a byte");
    }
}

#[test]
fn how_fast_weights_are_multiplied_is_told() {
    let bench = bench(r#"["The heart is"]"#);
    bench.run("out", &[], 0);
    let products: BTreeMap<String, f64> = timing(&bench, "out", "products");
    let per_token = products["products_per_second"] * products["seconds"] / products["evaluated_tokens"];
    let path = models().join("deepseek-tiny.gguf");
    let inspected = bench.say(&["model", "inspect", path.to_str().unwrap(), "--json"]);
    let inspected: serde_json::Value = serde_json::from_str(&inspected.stdout).unwrap();
    let active = inspected["parameters"]["active"].as_f64().unwrap();
    assert!((0.5 * active..=active + 0.5).contains(&per_token), "{per_token} products of {active} weights");
    // A run of a moment says nothing of the machine, and measures nothing.
    assert!(!products.contains_key("share_of_float_products"), "{products:?}");
}

#[test]
fn a_beginning_that_prompts_share_is_evaluated_once() {
    let sentence = "The principle is simple: water turns a wheel, and the wheel turns a stone. ";
    let rest = "In the winter the river freezes and the stone stands still, so that nobody in the village has any bread \
                until the ice breaks, and that may take a month or two, as the oldest of them remember well";
    let prompt = |n: usize| format!("\"{}Number {n}. {rest}.\"", sentence.repeat(5));
    let prompts = format!("[{}]", (0..6).map(prompt).collect::<Vec<_>>().join(", "));
    let bench = bench(&prompts);
    bench.run("alone", &["--sharing", "none"], 0);
    for (batch, lanes) in [("1", "1"), ("64", "1"), ("8", "2")] {
        let directory = format!("b{batch}l{lanes}");
        bench.run(&directory, &["--batch", batch, "--lanes", lanes], 0);
        let work = work(&bench, &directory);
        let [heads, evaluated] = ["saved_by_shared_heads", "evaluated_tokens"].map(|column| work[column]);
        assert_eq!(evaluated + heads, work["distinct_prefixes"], "{work:?}");
        let saved = ["saved_by_shared_prompts", "saved_by_shared_beginnings"].map(|column| work[column]);
        assert_eq!(work["tokens"], evaluated + heads + saved[0] + saved[1], "{work:?}");
        let lanes: u64 = lanes.parse().unwrap();
        // Of five sentences, for each prompt but the first of a lane.
        let least = (6 - lanes) * 5 * 15;
        assert!(heads > least, "{heads} tokens of heads were not evaluated again, of {least} and more");
        assert!(bench.reproducible(&directory) == bench.reproducible("alone"), "shared heads change a byte");
    }
}
