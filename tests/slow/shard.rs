//! Many machines, one sweep: shards, and what `merge` makes of them.

use std::collections::BTreeSet;
use std::fs;

use crate::support::{Bench, Said, sealed_anew};

const SHARDS: [&str; 4] = ["1/4", "2/4", "3/4", "4/4"];

/// More prompts than shards.
fn bench() -> Bench {
    let bench = Bench::scripted("");
    let prompts: Vec<_> = (0..9).map(|n| format!("\"prompt number {n}\"")).collect();
    let old = r#"inline = ["first prompt", "second prompt", "third prompt"]"#;
    bench.edit(old, &format!("inline = [{}]", prompts.join(", ")));
    bench.write(
        "x.toml",
        bench.read("x.toml") + "[[hypothesis]]\nid = \"h\"\ntrend = \"temperature\"\nexpect = \"increasing\"\n",
    );
    bench
}

fn run_shards(bench: &Bench, shards: &[&str]) {
    for (index, shard) in shards.iter().enumerate() {
        bench.run(&format!("s{}", index + 1), &["--shard", shard], 0);
    }
}

fn merge(bench: &Bench, directories: &[&str], code: i32) -> Said {
    let said = bench.say(&[&["merge"], directories, &["--out", "merged"]].concat());
    assert_eq!(said.code, Some(code), "{said:#?}");
    said
}

fn ids(bench: &Bench, directory: &str) -> Vec<String> {
    let table = bench.result(directory, "trials.csv");
    table.lines().skip(1).map(|line| line.split(',').next().expect("an id").to_owned()).collect()
}

#[test]
fn merged_shards_are_the_single_run() {
    let bench = bench();
    bench.run("whole", &[], 0);
    run_shards(&bench, &SHARDS);
    merge(&bench, &["s1", "s2", "s3", "s4"], 0);
    assert_eq!(bench.reproducible("merged"), bench.reproducible("whole"));
    // In any order, again, and with one of them twice.
    merge(&bench, &["s3", "s1", "s4", "s2", "s1"], 0);
    assert_eq!(bench.reproducible("merged"), bench.reproducible("whole"));
    // The whole is a run like any other: nothing is left to do, and its report can be made.
    let said = bench.run("merged", &[], 0);
    assert!(!said.stderr.contains("loading "), "{}", said.stderr);
    assert!(!said.stdout.contains("shard 1 of 4"), "the whole is no shard: {}", said.stdout);
    assert_eq!(bench.say(&["report", "merged"]).code, Some(0));
}

#[test]
fn shards_divide_the_trials_evenly_and_keep_prompts_whole() {
    let bench = bench();
    bench.run("whole", &[], 0);
    let all = ids(&bench, "whole");
    for count in [1, 2, 3, 5, 9] {
        let mut together = Vec::new();
        for index in 1..=count {
            let directory = format!("s{index}of{count}");
            bench.run(&directory, &["--shard", &format!("{index}/{count}")], 0);
            let own = ids(&bench, &directory);
            assert!(own.len().abs_diff(all.len() / count) <= all.len() / 9, "{index} of {count}: {}", own.len());
            together.extend(own);
        }
        assert_eq!(together, all, "in the plan's order, every trial once");
    }
    let said = bench.run("none", &["--shard", "7/200"], 4);
    said.says(&["shard 7 of 200 has no trials", "more shards than prompts"]);
}

#[test]
fn a_shard_decides_nothing_and_says_what_it_is() {
    let bench = bench();
    let said = bench.run("s", &["--shard", "2/4"], 0);
    assert!(said.stdout.contains("shard 2 of 4: ") && said.stdout.contains("moe-sweep merge"), "{}", said.stdout);
    assert!(!bench.result("s", "verdicts.json").contains("\"outcome\""));
    bench.say(&["run", "x.toml", "--shard", "2/4"]);
    assert!(bench.exists("results/x/shard-2-of-4/trials.csv"));
    for (shard, why) in [("0/4", "numbered from 1"), ("5/4", "no shard 5 of 4"), ("two", "write K/N")] {
        bench.run("never", &["--shard", shard], 2).says(&[why]);
    }
}

#[test]
fn a_shard_that_was_killed_goes_on() {
    let bench = bench();
    bench.run("whole", &[], 0);
    bench.write("m.scripted.toml", "delay_ms = 20");
    let slow = bench.read("m.scripted.toml");
    bench.run("slow", &[], 0);
    let mut child = bench.start("s1", &["--shard", "1/2"]);
    bench.wait_for_trials("s1", 1);
    child.kill().unwrap();
    child.wait().unwrap();
    // Killed, it had said where its texts were made.
    assert!(bench.result("s1", "manifest.json").contains("\"not ended\""));
    let manifest = bench.result("slow", "manifest.json");
    let line = manifest.lines().find(|line| line.contains("\"cpu\":")).expect("a CPU");
    bench.write("slow/manifest.json", sealed_anew(&manifest.replace(line, "\"cpu\": \"Another CPU\",")));
    merge(&bench, &["s1", "slow"], 96).says(&["Another CPU", "--allow hardware"]);
    bench.write("slow/manifest.json", manifest);
    assert!(!bench.exists("merged"), "nothing is written");
    let said = merge(&bench, &["s1"], 3);
    said.says(&["missing: ", "and ", "more: status \"missing\" in trials.csv"]);
    assert_eq!(bench.read("m.scripted.toml"), slow);
    bench.run("s1", &["--shard", "1/2"], 0);
    bench.run("s2", &["--shard", "2/2"], 0);
    // What was brought together already stays.
    merge(&bench, &["s1", "s2"], 0);
    assert_eq!(bench.reproducible("merged"), bench.reproducible("slow"));
}

#[test]
fn a_merge_that_broke_off_can_be_repeated() {
    let bench = bench();
    run_shards(&bench, &["1/2", "2/2"]);
    let experiment = bench.result("s1", "experiment.toml");
    fs::remove_file(bench.path().join("s1/experiment.toml")).unwrap();
    merge(&bench, &["s1", "s2"], 96).says(&["cannot read s1/experiment.toml", "copy the whole directory"]);
    bench.write("s1/experiment.toml", experiment);
    // Killed before its journal was there.
    fs::create_dir(bench.path().join("merged")).unwrap();
    bench.write("merged/manifest.json", bench.result("s1", "manifest.json"));
    merge(&bench, &["s1", "s2"], 0);
    // Killed in the middle of it.
    let journal = bench.result("merged", "trials.jsonl");
    bench.forge("merged", |number, _| number < 7);
    bench.write("merged/trials.jsonl", bench.result("merged", "trials.jsonl") + "{\"v\":2,\"id\":\"");
    merge(&bench, &["s1", "s2"], 0);
    assert_eq!(bench.result("merged", "trials.jsonl").lines().count(), journal.lines().count());
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let bench = bench();
    run_shards(&bench, &["1/2", "2/2"]);
    // Another text for the same trial.
    let journal = bench.result("s1", "trials.jsonl");
    fs::create_dir(bench.path().join("forged")).unwrap();
    for name in ["plan.json", "manifest.json", "experiment.toml"] {
        bench.write(&format!("forged/{name}"), bench.result("s1", name));
    }
    bench.write("forged/trials.jsonl", journal);
    bench.forge("forged", |_, record| {
        let text = &mut record["outcome"]["generated"]["text"];
        *text = text.as_str().expect("a text").replacen("wheel", "reel", 1).into();
        true
    });
    let said = merge(&bench, &["s1", "s2", "forged"], 96);
    said.says(&["has one text in s1/trials.jsonl and another in forged/trials.jsonl"]);
    // Another experiment.
    bench.edit("max_tokens = 20", "max_tokens = 21");
    bench.run("other", &["--shard", "2/2"], 0);
    merge(&bench, &["s1", "other"], 96).says(&["s1 and other do not belong to one plan: they differ in generate"]);
    // Another machine.
    let manifest = bench.result("s2", "manifest.json");
    let line = manifest.lines().find(|line| line.contains("\"cpu\":")).expect("a CPU");
    bench.write("s2/manifest.json", sealed_anew(&manifest.replace(line, "\"cpu\": \"Another CPU\",")));
    merge(&bench, &["s1", "s2"], 96).says(&["Another CPU", "--allow hardware"]);
    let said = bench.say(&["merge", "s1", "s2", "--out", "merged", "--allow", "hardware"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(said.stdout.contains("merged from runs on"), "{}", said.stdout);
    // Another GPU.
    let manifest = bench.result("s1", "manifest.json");
    bench.write(
        "s1/manifest.json",
        sealed_anew(&manifest.replace("\"accelerators\": []", "\"accelerators\": [\"H100\"]")),
    );
    merge(&bench, &["s1", "s2"], 96).says(&["with H100"]);
    // A part that is none.
    let plan = bench.result("s1", "plan.json");
    bench.write("s1/plan.json", sealed_anew(&plan.replace("\"end\":", "\"end\":9")));
    merge(&bench, &["s1", "s2"], 96).says(&["its shard is not part of its"]);
    merge(&bench, &["nowhere"], 96).says(&["cannot read nowhere/plan.json"]);
    // Nothing of all this went into the whole.
    let distinct: BTreeSet<_> = ids(&bench, "merged").into_iter().collect();
    assert!(!distinct.is_empty());
}

/// Every factor that decides how a model is loaded tells its entries apart.
#[test]
fn a_merged_manifest_has_each_load_of_the_single_run() {
    let bench = bench();
    bench.edit("[grid]", "[grid]\nop_offload = [true, false]");
    let loads = |directory: &str| {
        let manifest: serde_json::Value = serde_json::from_str(&bench.result(directory, "manifest.json")).unwrap();
        let of = |entry: &serde_json::Value| ["id", "quant", "offload", "op_offload"].map(|key| entry[key].to_string());
        manifest["models"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    bench.run("whole", &[], 0);
    run_shards(&bench, &SHARDS);
    merge(&bench, &["s1", "s2", "s3", "s4"], 0);
    assert_eq!(loads("whole").iter().collect::<BTreeSet<_>>().len(), 2, "{:?}", loads("whole"));
    assert_eq!(loads("merged"), loads("whole"));
}
