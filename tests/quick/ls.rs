//! `ls` lists what lies among the results, and says how far each has come.

use std::fs;

use serde_json::Value;

use crate::support::Bench;

/// The runs that `ls` lists as JSON, by name.
fn listed(bench: &Bench, arguments: &[&str]) -> Vec<Value> {
    let said = bench.say(&[&["ls", "--json"], arguments].concat());
    assert_eq!((said.code, &*said.stderr), (Some(0), ""), "{said:#?}");
    let listed: Value = serde_json::from_str(&said.stdout).expect("a JSON object");
    assert_eq!(listed["schema"], 1);
    let mut runs = listed["runs"].as_array().expect("a list").clone();
    runs.sort_by_key(|run| run["name"].to_string());
    runs
}

fn name_kind_state(runs: &[Value]) -> Vec<String> {
    let word = |run: &Value, key: &str| run[key].as_str().expect("a word").to_owned();
    runs.iter().map(|run| ["name", "kind", "state"].map(|key| word(run, key)).join(" ")).collect()
}

#[test]
fn each_run_is_listed_with_its_state_its_trials_and_its_answer() {
    let bench = Bench::scripted("");
    bench.run("results/whole", &[], 0);
    // Killed after its first trials, before it could say so.
    bench.run("results/killed", &[], 0);
    let journal = bench.result("results/killed", "trials.jsonl");
    let begun: String = journal.lines().take(5).flat_map(|line| [line, "\n"]).collect();
    bench.write("results/killed/trials.jsonl", begun);
    let manifest = bench.result("results/killed", "manifest.json");
    bench.write("results/killed/manifest.json", manifest.replace("\"complete\"", "\"interrupted\""));
    // Half of it failed.
    bench.write("m.scripted.toml", "abort_on = \"second\"");
    bench.run("results/failed", &[], 3);
    bench.run("results/sharded/shard-1-of-2", &["--shard", "1/2"], 0);
    fs::create_dir_all(bench.path().join("results/nothing/of/ours")).expect("the bench is writable");
    bench.write("results/notes.txt", "mine");

    let runs = listed(&bench, &[]);
    let expected = [
        "failed sweep incomplete",
        "killed sweep interrupted",
        "sharded/shard-1-of-2 sweep finished",
        "whole sweep finished",
    ];
    assert_eq!(name_kind_state(&runs), expected);
    let trials = |run: &Value| ["planned", "done", "failed"].map(|key| run["trials"][key].as_u64());
    assert_eq!(trials(&runs[1]), [24, 5, 0].map(Some));
    assert_eq!(trials(&runs[3]), [24, 24, 0].map(Some));
    let answer: Value = serde_json::from_str(&bench.result("results/whole", "answer.json")).expect("JSON");
    assert!(answer["headline"].is_string());
    assert_eq!(runs[3]["headline"], answer["headline"]);

    let said = bench.say(&["ls"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    let line = said.stdout.lines().find(|line| line.starts_with("whole")).expect("a line");
    assert!(line.contains("finished") && line.contains("24 of 24 trials") && line.ends_with("just now"), "{line}");
    assert_eq!(listed(&bench, &["results/whole"]), runs[3..]);
}

#[test]
fn a_diagnosis_is_one_row_and_says_what_it_came_to() {
    let bench = Bench::scripted("loops_from = 0.75");
    let said = bench.say(&["diagnose", "m.scripted.toml", "--temperature", "1.3"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    let runs = listed(&bench, &[]);
    assert_eq!(name_kind_state(&runs), ["diagnose-m.scripted diagnosis finished"]);
    let headline = runs[0]["headline"].as_str().expect("a headline");
    assert_eq!(
        headline,
        "24 of 24 texts end in a loop: 100 % [86, 100]; cause: a temperature that is too high (L-TEMPERATURE-HIGH)"
    );
    fs::remove_file(bench.path().join("results/diagnose-m.scripted/diagnosis.json")).expect("it is there");
    assert_eq!(name_kind_state(&listed(&bench, &[])), ["diagnose-m.scripted diagnosis interrupted"]);
}

#[test]
fn what_cannot_be_read_is_a_row_that_says_why() {
    let bench = Bench::scripted("");
    bench.run("results/x", &[], 0);
    bench.write("results/x/plan.json", "{");
    let runs = listed(&bench, &[]);
    assert_eq!(name_kind_state(&runs), ["x sweep unreadable"]);
    assert!(runs[0]["why"].as_str().expect("a reason").contains("plan.json"), "{runs:?}");
}

#[test]
fn without_runs_it_says_where_they_would_come_from() {
    let bench = Bench::scripted("");
    assert_eq!(listed(&bench, &[]), [] as [Value; 0]);
    let said = bench.say(&["ls"]);
    assert_eq!((said.code, &*said.stdout), (Some(0), ""), "{said:#?}");
    said.says(&["no runs in results", "moe-sweep run"]);
    let said = bench.say(&["ls", "nowhere"]);
    assert_eq!(said.code, Some(96), "{said:#?}");
    said.says(&["cannot read the folder nowhere", "name the folder that the runs lie in"]);
}

#[test]
fn a_folder_too_high_is_answered_with_the_runs_in_it() {
    let bench = Bench::scripted("");
    bench.run("results/x", &[], 0);
    let said = bench.say(&["report", "results"]);
    assert_eq!(said.code, Some(96), "{said:#?}");
    said.says(&["results/x", "moe-sweep ls results"]);
}
