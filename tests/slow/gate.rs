//! Baselines, checks and comparisons, with runs of the scripted engine whose
//! texts are changed in the journal.

use std::fs;

use crate::support::{Bench, SCRIPTED, Said};
use serde_json::{Value, json};

/// The scripted experiment over 24 prompts, run to `now`, saved as a baseline.
fn bench() -> Bench {
    let bench = Bench::scripted("");
    let prompts: Vec<String> = (0..24).map(|i| format!("\"prompt number {i}\"")).collect();
    let inline = r#"inline = ["first prompt", "second prompt", "third prompt"]"#;
    bench.write("x.toml", SCRIPTED.replace(inline, &format!("inline = [{}]", prompts.join(", "))));
    bench.run("now", &[], 0);
    let saved = bench.say(&["baseline", "save", "base.json", "--from", "now"]);
    assert_eq!(saved.code, Some(0), "{saved:#?}");
    bench
}

/// Gives texts of `now`, those that `choose` picks by their number, another text.
fn rewrite(bench: &Bench, text: &str, choose: impl Fn(usize) -> bool) {
    bench.forge("now", |number, record| {
        if choose(number) {
            let generation = &mut record["outcome"]["generated"];
            generation["text"] = json!(text);
            generation["tokens"] = json!((0..text.split(' ').count()).map(|place| 100 + place % 2).collect::<Vec<_>>());
        }
        true
    });
}

fn check(bench: &Bench, arguments: &[&str], code: i32) -> Said {
    let said = bench.say(&[&["check", "now", "--baseline", "base.json"], arguments].concat());
    assert_eq!(said.code, Some(code), "{said:#?}");
    said
}

const LOOP: &str = "so it so it so it so it so it so it so it so it so it so it";

#[test]
fn the_same_run_passes() {
    let bench = bench();
    let said = check(&bench, &[], 0);
    assert!(said.stdout.starts_with("PASS"), "{}", said.stdout);
    let verdict: Value = serde_json::from_str(&bench.result("now", "verdict.json")).expect("it is JSON");
    assert_eq!((&verdict["outcome"], &verdict["margin"]), (&json!("pass"), &json!(0.05)));
    // Two arms, and the two temperatures of each.
    assert_eq!(verdict["verdicts"].as_array().map(Vec::len), Some(6));
    check(&bench, &["--by", "arm"], 0);
    let verdict: Value = serde_json::from_str(&bench.result("now", "verdict.json")).expect("it is JSON");
    assert_eq!(verdict["verdicts"].as_array().map(Vec::len), Some(2));
    // Each cell by itself, and another metric.
    check(&bench, &["--by", "cell", "--metric", "vllm_loop"], 0);
    let verdict: Value = serde_json::from_str(&bench.result("now", "verdict.json")).expect("it is JSON");
    assert_eq!(verdict["verdicts"].as_array().map(Vec::len), Some(4));
}

#[test]
fn a_worse_run_fails_whatever_is_done_about_inconclusive_ones() {
    let bench = bench();
    rewrite(&bench, LOOP, |_| true);
    for arguments in [&[][..], &["--inconclusive", "pass"], &["--by", "cell"]] {
        let said = check(&bench, arguments, 100);
        assert!(said.stdout.contains("FAIL"), "{}", said.stdout);
    }
    // A margin as wide as the scale forgives everything.
    check(&bench, &["--margin", "1.5"], 0);
}

#[test]
fn what_cannot_be_told_is_inconclusive_and_handled_as_asked() {
    let bench = bench();
    // A few texts in a few prompts.
    rewrite(&bench, LOOP, |number| number % 37 == 0);
    for (mode, code) in [("code", 5), ("pass", 0), ("warn", 0), ("fail", 100)] {
        let said = check(&bench, &["--inconclusive", mode, "--margin", "0.02"], code);
        assert!(said.stdout.contains("INCONCLUSIVE"), "{}", said.stdout);
        assert_eq!(said.stderr.contains("warning"), mode == "warn", "{}", said.stderr);
    }
}

#[test]
fn an_inconclusive_gate_runs_fresh_seeds() {
    let bench = bench();
    rewrite(&bench, LOOP, |number| number % 37 == 0);
    let said = bench.say(&["check", "now", "--baseline", "base.json", "--margin", "0.02", "--confirm", "x.toml"]);
    assert!(said.stdout.contains("fresh seeds were run") && said.stdout.contains("alpha 0.025"), "{said:#?}");
    let trials = bench.result("now", "confirm/trials.csv");
    // Seeds 3 to 5, after 0 to 2.
    assert!(trials.contains(",3,ok") && trials.contains(",5,ok") && !trials.contains(",0,ok"), "{trials}");
}

#[test]
fn files_for_other_readers_are_written() {
    let bench = bench();
    rewrite(&bench, LOOP, |_| true);
    let mut command =
        bench.command(&["check", "now", "--baseline", "base.json", "--junit", "junit.xml", "--json-out", "o.json"]);
    let summary = bench.path().join("summary.md");
    let output = command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary).output();
    let said: Said = output.expect("moe-sweep starts").into();
    assert_eq!(said.code, Some(100));
    assert!(said.stdout.contains("::error title=moe-sweep check::"), "{}", said.stdout);
    assert!(bench.read("junit.xml").contains("failures=\"6\""));
    assert!(bench.read("summary.md").contains("| fail |"));
    assert!(!bench.exists("now/verdict.json") && bench.exists("o.json"));
}

#[test]
fn what_is_not_the_baselines_is_listed() {
    let bench = bench();
    // A grid with other levels, run elsewhere.
    bench.edit("temperature = [0.5, 1.0]", "temperature = [0.5, 1.5]");
    bench.edit("chain = [\"pure\", \"greedy\"]", "chain = [\"pure\", \"vllm\"]");
    bench.run("now", &[], 0);
    let said = check(&bench, &[], 96);
    said.says(&[
        "the chain greedy is missing from the run",
        "the chain vllm is not in the baseline",
        "the cell scripted · pure · offload all · source · raw · T 1 is missing from the run",
        "the cell scripted · pure · offload all · source · raw · T 1.5 is not in the baseline",
        "save a new baseline if the change is intended",
    ]);
}

#[test]
fn a_run_with_gaps_is_refused() {
    let bench = bench();
    bench.forge("now", |number, _| number < 100);
    check(&bench, &[], 96).says(&["is missing from the run", "prompts p"]);
    let said = bench.say(&["baseline", "save", "other", "--from", "now"]);
    assert_eq!(said.code, Some(96));
    said.says(&["failed or are missing", "run its experiment to the end first"]);
}

#[test]
fn a_changed_model_or_setting_is_another_run() {
    let bench = bench();
    fs::remove_dir_all(bench.path().join("now")).expect("it was there");
    bench.write("m.scripted.toml", "delay_ms = 0");
    bench.edit("max_tokens = 20", "max_tokens = 21");
    bench.run("now", &[], 0);
    check(&bench, &[], 96)
        .says(&["the model scripted differs from the baseline's", "[generate] differs from the baseline's"]);
}

#[test]
fn a_baseline_that_is_none_is_refused() {
    let bench = bench();
    let sound = bench.read("base.json");
    let edited = sound.replacen("\"repetition_score\":{\"p1\":[", "\"repetition_score\":{\"p1\":[1", 1);
    assert_ne!(edited, sound);
    let cut = &sound[..sound.len() / 2];
    let newer = sound.replacen("\"v\": 1", "\"v\": 2", 1);
    for (contents, expected) in [
        (&*edited, "the file was edited or damaged"),
        (cut, "not a baseline"),
        (&newer, "has version 2"),
        ("[]", "not a baseline"),
    ] {
        bench.write("base.json", contents);
        check(&bench, &[], 96).says(&["base.json", expected, "moe-sweep baseline save"]);
    }
    fs::remove_file(bench.path().join("base.json")).expect("it was there");
    check(&bench, &[], 96).says(&["cannot read base.json", "moe-sweep baseline save"]);
    bench.write("base.json", sound);
    check(&bench, &["--metric", "mtld_words"], 2).says(&["invalid value 'mtld_words'", "repetition_score"]);
}

#[test]
fn a_baseline_has_a_line_a_cell() {
    let bench = bench();
    let baseline = bench.read("base.json");
    assert_eq!(baseline.lines().filter(|line| line.starts_with("{\"model\"")).count(), 4);
}

#[test]
fn two_runs_are_compared_text_by_text() {
    let bench = bench();
    bench.run("then", &[], 0);
    rewrite(&bench, LOOP, |number| number % 2 == 0);
    let said = bench.say(&["compare", "then", "now"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(said.stdout.contains("of 72 texts identical, "), "{}", said.stdout);
    // The scripted engine's tokens are words, and none of its texts begins as LOOP does.
    assert!(said.stdout.contains(" part after 0 tokens (0 to 0)"), "{}", said.stdout);
    let json = bench.say(&["compare", "then", "then", "--json"]);
    let answer: Value = serde_json::from_str(&json.stdout).expect("it is JSON");
    let row = &answer["rows"][0];
    assert_eq!((&row["n_identical"], &row["difference"]["estimate"]), (&row["n_paired"], &json!(0.0)));
    assert_eq!(row["parted"], json!([]));
}

#[test]
fn a_longer_run_parts_where_the_shorter_one_ends() {
    let bench = Bench::scripted("");
    bench.edit("max_tokens = 20", "max_tokens = 12");
    bench.run("short", &[], 0);
    bench.edit("max_tokens = 12", "max_tokens = 20");
    bench.run("long", &[], 0);
    let said = bench.say(&["compare", "short", "long", "--allow", "settings"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    let expected = "0 of 9 texts identical, 9 part after 12 tokens (12 to 12)";
    assert!(said.stdout.contains(expected), "{}", said.stdout);
    let json = bench.say(&["compare", "short", "long", "--allow", "settings", "--json"]);
    let answer: Value = serde_json::from_str(&json.stdout).expect("it is JSON");
    let parted = json!([{ "unit": "tokens", "n": 9, "median": 12.0, "least": 12, "most": 12 }]);
    assert_eq!(answer["rows"][0]["parted"], parted);
}

#[test]
fn texts_of_which_no_tokens_are_known_are_compared_as_texts() {
    let bench = bench();
    bench.run("then", &[], 0);
    // As a server leaves them that gives text only: every other one differs in its last character.
    let untokenised = |directory: &str, change: bool| {
        bench.forge(directory, |number, record| {
            let generation = &mut record["outcome"]["generated"];
            generation["tokens"] = Value::Null;
            let last = if change && number % 2 == 0 { "!" } else { "." };
            generation["text"] = json!(format!("word {last}"));
            true
        });
    };
    untokenised("then", false);
    untokenised("now", true);
    let said = bench.say(&["compare", "then", "now"]);
    assert!(said.stdout.contains(" part after 5 characters (5 to 5)"), "{}", said.stdout);
    assert!(!said.stdout.contains("72 of 72 texts identical"), "{}", said.stdout);
    let said = bench.say(&["compare", "then", "then"]);
    assert!(said.stdout.contains("72 of 72 texts identical\n"), "{}", said.stdout);
}

#[test]
fn runs_of_different_settings_are_not_compared_in_silence() {
    let bench = bench();
    bench.edit("max_tokens = 20", "max_tokens = 21");
    bench.run("longer", &[], 0);
    let said = bench.say(&["compare", "now", "longer"]);
    assert_eq!(said.code, Some(96), "{said:#?}");
    said.says(&["[generate], numerics included", "--allow settings"]);
    let said = bench.say(&["compare", "now", "longer", "--allow", "settings"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(said.stdout.contains("note: differs: [generate]"), "{}", said.stdout);
}
