//! `--json` prints one object on stdout, and nothing else, in every command that comes to something.

use serde_json::{Value, json};

use crate::support::{Bench, Said};

fn object(said: &Said) -> Value {
    serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:#?}"))
}

/// What the command prints, which must exit with `code`.
fn printed(bench: &Bench, arguments: &[&str], code: i32) -> Value {
    let said = bench.say(&[arguments, &["--json"]].concat());
    assert_eq!(said.code, Some(code), "{said:#?}");
    let object = object(&said);
    assert_eq!(object["schema"], 1, "{object}");
    object
}

#[test]
fn a_run_prints_its_answer_as_its_folder_keeps_it() {
    let bench = Bench::scripted("");
    let of_run = printed(&bench, &["run", "x.toml"], 0);
    let kept = || -> Value { serde_json::from_str(&bench.result("results/x", "answer.json")).expect("JSON") };
    assert_eq!(of_run, kept());
    assert_eq!(of_run["texts"]["scored"], 24);
    assert_eq!(printed(&bench, &["report", "x"], 0), kept());
    for shard in ["1/2", "2/2"] {
        printed(&bench, &["run", "x.toml", "--shard", shard], 0);
    }
    let merged = printed(&bench, &["merge", "x/shard-1-of-2", "x/shard-2-of-2", "--out", "merged"], 0);
    assert_eq!(merged, of_run);
}

#[test]
fn a_plan_says_what_would_run() {
    let bench = Bench::scripted("");
    let hypothesis = "[[hypothesis]]\nid = \"rises\"\ntrend = \"temperature\"\nexpect = \"increasing\"\n";
    bench.edit("[[model]]", &format!("{hypothesis}\n[[model]]"));
    let plan = printed(&bench, &["plan", "x.toml"], 0);
    let expected = json!({ "experiment": "x", "directory": "results/x", "cells": 4, "prompts": 3, "max_tokens": 20 });
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(&plan[key], value, "{key}: {plan}");
    }
    let left = plan["texts_left"].as_u64().expect("a number");
    assert_eq!(plan["texts"].as_u64(), Some(left));
    assert_eq!((&plan["hypotheses"][0]["id"], &plan["hypotheses"][0]["prompts"]), (&json!("rises"), &json!(3)));
    bench.run("results/x", &[], 0);
    assert_eq!(printed(&bench, &["plan", "x.toml"], 0)["texts_left"], 0);
}

#[test]
fn a_check_prints_its_outcome_and_says_where_the_file_went() {
    let bench = Bench::scripted("");
    bench.run("results/x", &[], 0);
    assert_eq!(bench.say(&["baseline", "save", "x"]).code, Some(0));
    let line = ["check", "x", "--baseline", "x"];
    let outcome = printed(&bench, &[&line[..], &["--margin", "1.5", "--json-out", "o.json"]].concat(), 0);
    assert_eq!(outcome["outcome"], "pass");
    let kept: Value = serde_json::from_str(&bench.read("o.json")).expect("JSON");
    assert_eq!(kept, outcome);
    assert!(!bench.exists("results/x/verdict.json"));
    // GitHub's annotations must not stand in the object.
    let mut command = bench.command(&[&line[..], &["--json", "--inconclusive", "pass"]].concat());
    let said: Said = command.env("GITHUB_ACTIONS", "true").output().expect("it starts").into();
    object(&said);
    // What the option was.
    let said = bench.say(&[&line[..], &["--json", "o.json"]].concat());
    assert_eq!(said.code, Some(2), "{said:#?}");
    said.says(&["--json prints", "--json-out o.json"]);
}

#[test]
fn verified_models_are_listed_with_what_was_found() {
    let bench = Bench::scripted("");
    let line = ["model", "verify", "scripted", "--experiment", "x.toml"];
    let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let verified = printed(&bench, &line, 0);
    let file = &verified["files"][0];
    assert_eq!(
        (&file["model"], &file["sha256"], &file["finding"]),
        (&json!("scripted"), &json!(of_nothing), &json!("unstated"))
    );
    let zeros = "0".repeat(64);
    bench.edit("path = \"m.scripted.toml\"", &format!("path = \"m.scripted.toml\"\nsha256 = \"{zeros}\""));
    let wrong = &printed(&bench, &line, 96)["files"][0];
    assert_eq!((&wrong["finding"], &wrong["expected_sha256"]), (&json!("wrong"), &json!(zeros)));
}
