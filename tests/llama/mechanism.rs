//! Divergence and routing experiments, from the file to the tables.

use std::collections::BTreeMap;
use std::fs;

use crate::support::{Bench, models};

fn bench(kind: &str, model: &str, grid: &str, arms: &str) -> Bench {
    let path = models().join(format!("{model}.gguf"));
    Bench::new(&format!(
        r#"
schema = 1
kind = "{kind}"
name = "x"

[generate]
max_tokens = 40
context = 128

[grid]
model = ["tiny"]
{grid}

[{kind}]
{arms}

[prompts]
inline = ["The heart is", "Once upon a time there was", "Solar panels", "My neighbour told me that"]

[[model]]
id = "tiny"
path = {path:?}
"#
    ))
}

fn divergence() -> Bench {
    let arms = r#"other = [{ quant = "q4_k_m" }, { width = 3 }, { offload = "none" }, { offload = "none", numerics = "fast" }]"#;
    bench("divergence", "deepseek-tiny", "", arms)
}

/// The rows of a table, by column.
fn rows(csv: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} in {row:?}"))
}

#[test]
fn a_divergence_is_measured_and_nothing_is_made_of_an_offload_that_moves_nothing() {
    let bench = divergence();
    let said = bench.run("out", &["--cache", "cache"], 0);
    let summary = rows(&bench.result("out", "divergence-summary.csv"));
    let value = |other: &str, metric: &str, statistic: &str| {
        let here =
            |row: &&BTreeMap<_, _>| row["other"] == other && row["metric"] == metric && row["statistic"] == statistic;
        number(summary.iter().find(here).expect("a row"), "value")
    };
    let kl = |statistic| value("quant=q4_k_m", "kl_nats", statistic);
    assert!(0.0 < kl("p50") && kl("p50") <= kl("p90") && kl("p90") <= kl("p99") && kl("p99") <= kl("max"));
    assert!(value("quant=q4_k_m", "largest_logit_difference", "max") > 0.01);
    assert_eq!(value("width=3", "largest_logit_difference", "max"), 0.0);
    assert_eq!(value("width=3", "kl_nats", "max"), 0.0);
    assert_eq!(value("width=3", "parted", "share"), 0.0);

    let same: Vec<_> = summary.iter().filter(|row| row["status"] == "same_placement").collect();
    assert_eq!(same.len(), 1, "{same:?}");
    assert!(same[0]["other"] == "offload=none" && same[0]["value"].is_empty(), "{same:?}");
    for words in [
        "same placement as base: there is no GPU",
        "no conclusion about offload",
        "note: offload has no effect",
        "every logit is the same",
    ] {
        assert!(said.stdout.contains(words), "no {words:?} in {}", said.stdout);
    }

    let positions = rows(&bench.result("out", "divergence.csv"));
    let of = |other: &str| positions.iter().filter(|row| row["other"] == other).count();
    assert!((5..=4 * 40).contains(&of("quant=q4_k_m")) && of("quant=q4_k_m") == of("width=3"));
    assert_eq!(of("offload=none"), 0);
    for name in ["plots/divergence.svg", "plots/divergence.png", "mechanism.json", "experiment.toml"] {
        assert!(bench.exists(&format!("out/{name}")), "{name}");
    }
    assert!(!bench.exists("out/.scratch"));
}

#[test]
fn a_rerun_writes_the_same_and_a_failure_leaves_what_was_there() {
    let bench = divergence();
    bench.run("out", &["--cache", "cache"], 0);
    let tables = ["divergence.csv", "divergence-summary.csv", "plots/divergence.svg"];
    let first = tables.map(|name| bench.result("out", name));
    // What a killed run leaves in the way.
    fs::create_dir_all(bench.path().join("out/.scratch/base")).expect("the bench is writable");
    bench.write("out/.scratch/base/0.logits", "torn");
    bench.run("out", &["--cache", "cache"], 0);
    assert_eq!(first, tables.map(|name| bench.result("out", name)));
    // A run that fails on its way: its quantised file can't be kept.
    assert_eq!(bench.run("out", &["--cache", "x.toml"], 96).stdout, "");
    assert_eq!(first, tables.map(|name| bench.result("out", name)));
}

#[test]
fn routing_is_counted_and_compared() {
    let grid = "chain = [\"shimmy-1.7\"]\ntemperature = [0.9]";
    let arms = "other = [{ width = 4 }, { quant = \"q4_k_m\" }, { offload = \"none\" }]";
    let bench = bench("routing", "phi-moe-tiny", grid, arms);
    let said = bench.run("out", &["--cache", "cache"], 0);
    assert!(said.stdout.contains("2 of 8 experts selected per layer"), "{}", said.stdout);

    let mut shares: BTreeMap<(String, String), f64> = BTreeMap::new();
    for row in rows(&bench.result("out", "routing.csv")) {
        // Each position selects two experts.
        assert!(number(&row, "selections") <= number(&row, "n_positions"));
        *shares.entry((row["phase"].clone(), row["layer"].clone())).or_default() += number(&row, "share");
    }
    assert!(shares.len() >= 3 && shares.values().all(|sum| (sum - 1.0).abs() < 1e-9), "{shares:?}");
    for row in rows(&bench.result("out", "routing-layers.csv")) {
        assert!((0.0..=1.0 + 1e-9).contains(&number(&row, "load_evenness")), "{row:?}");
        assert!((0.0..=8f64.ln() + 1e-6).contains(&number(&row, "router_entropy_nats")), "{row:?}");
    }
    let agreements = rows(&bench.result("out", "routing-agreement.csv"));
    let of = |other: &str| {
        let of_arm: Vec<_> = agreements.iter().filter(|row| row["other"] == other).collect();
        of_arm.into_iter()
    };
    assert!(of("width=4").all(|row| number(row, "overlap") == 1.0 && number(row, "exact") == 1.0));
    let all = of("quant=q4_k_m").find(|row| row["layer"] == "all").expect("all layers together");
    let (overlap, exact) = (number(all, "overlap"), number(all, "exact"));
    assert!(exact < overlap && overlap < 1.0 && exact > 0.5, "{all:?}");
    assert_eq!(of("offload=none").map(|row| row["status"].as_str()).collect::<Vec<_>>(), ["same_placement"]);
    for name in ["routing-load", "routing-agreement"] {
        assert!(bench.exists(&format!("out/plots/{name}.svg")) && bench.exists(&format!("out/plots/{name}.png")));
    }
}

#[test]
fn what_cannot_be_looked_into_is_refused_before_anything_is_written() {
    let grid = "chain = [\"shimmy-1.7\"]\ntemperature = [0.9]";
    let dense = bench("routing", "dense-tiny", grid, "other = { width = 2 }");
    let said = dense.run("out", &[], 96);
    assert!(said.stderr.contains("dense") && said.stderr.contains("it has no experts"), "{}", said.stderr);
    assert!(!dense.exists("out"));

    let scripted = Bench::scripted("");
    scripted.edit("schema = 1", "schema = 1\nkind = \"divergence\"");
    scripted.edit("chain = [\"pure\", \"greedy\"]\ntemperature = [0.5, 1.0]\nseed = { from = 0, count = 3 }\n", "");
    scripted.edit("[prompts]", "[divergence]\nother = { width = 2 }\n\n[prompts]");
    let said = scripted.run("out", &[], 96);
    assert!(said.stderr.contains("does not show its logits and experts"), "{}", said.stderr);

    let elsewhere = divergence();
    let options = [("--shard", &["--shard", "1/2"][..]), ("--server", &["--server", "http://x", "--api", "openai"])];
    for (option, arguments) in options {
        let said = elsewhere.run("out", arguments, 2);
        assert!(said.stderr.contains(option) && said.stderr.contains("is for sweeps"), "{}", said.stderr);
    }

    let sweep = divergence();
    fs::create_dir(sweep.path().join("out")).expect("the bench is writable");
    sweep.write("out/trials.jsonl", "");
    let said = sweep.run("out", &[], 96);
    assert!(said.stderr.contains("holds the results of a sweep"), "{}", said.stderr);
}

#[test]
fn a_plan_tells_the_arms_and_which_are_the_same_here() {
    let said = divergence().say(&["plan", "x.toml"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    for words in ["kind     divergence", "other    quant=q4_k_m"] {
        assert!(said.stdout.contains(words), "no {words:?} in {}", said.stdout);
    }
    assert!(said.stdout.contains("offload=none: there is no GPU"), "{}", said.stdout);
}
