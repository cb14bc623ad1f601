//! The factor `flash_attention`, from the experiment file to the tables.

use std::collections::BTreeSet;

use crate::support::{Bench, models};

const EXPERIMENT: &str = r#"
schema = 1
name = "x"

[generate]
max_tokens = 48
context = 128

[grid]
model = ["deepseek-tiny"]
chain = ["pure"]
flash_attention = ["auto", "on", "off"]
temperature = [1.0]
seed = [0, 1]

[prompts]
inline = ["Once upon a time", "Dear Sir or Madam,", "The weather", "A good soup", "The train", "Wind turbines are"]

[[hypothesis]]
id = "attention"
claim = "It changes nothing."
equivalence = { base = { flash_attention = "auto" }, other = { flash_attention = "off" } }
margin = 0.5
"#;

/// On the CPU `auto` is `on`; each is a cell, a load key and a trial of its own all the same.
#[test]
fn it_is_a_column_and_each_level_has_contexts_of_its_own() {
    let bench = Bench::new(EXPERIMENT);
    let run = |arguments: &[&str]| {
        let said = bench.command(arguments).env("MOE_SWEEP_MODELS", models()).output().expect("moe-sweep starts");
        assert!(said.status.success(), "{said:?}");
    };
    run(&["run", "x.toml", "--out", "run"]);

    let mut table = csv::Reader::from_path(bench.path().join("run/trials.csv")).expect("a table");
    let columns = table.headers().expect("a header").clone();
    let rows: Vec<_> = table.records().map(|row| row.expect("a row")).collect();
    let ids: BTreeSet<_> = rows.iter().map(|row| row[0].to_owned()).collect();
    assert_eq!((&columns[0], ids.len()), ("trial_id", 36), "an id each");
    let level = columns.iter().position(|column| column == "flash_attention").expect("its column");
    // All that is said of the texts of a level, but its name and the ids.
    let texts = |of: &str| -> Vec<Vec<String>> {
        let row = |row: &csv::StringRecord| {
            let kept = row.iter().enumerate().filter(|&(column, _)| column != 0 && column != level);
            kept.map(|(_, value)| value.to_owned()).collect()
        };
        rows.iter().filter(|row| &row[level] == of).map(row).collect()
    };
    assert_eq!([texts("auto").len(), texts("off").len()], [12, 12]);
    assert_eq!(texts("auto"), texts("on"));

    let manifest: serde_json::Value = serde_json::from_str(&bench.result("run", "manifest.json")).expect("JSON");
    let loads = manifest["runs"][0]["loads"].as_array().expect("loads");
    let levels: Vec<_> =
        loads.iter().map(|load| load.get("flash_attention").and_then(|level| level.as_str())).collect();
    // The usual level is not said: so manifests from before there was the factor read as they did.
    assert_eq!(levels, [None, Some("on"), Some("off")]);
    let times: Vec<_> = loads.iter().map(|load| load["times"].as_u64()).collect();
    assert_eq!(times, [Some(1), Some(0), Some(0)], "the weights are loaded once");
    assert!(bench.result("run", "verdicts.json").contains("\"attention\""));
    run(&["report", "run"]);
}
