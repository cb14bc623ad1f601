//! Groups of prompts: a claim about one counts its prompts only, and no text depends on what a group is called.

use crate::support::Bench;

/// 24 prompts × 2 temperatures × 2 seeds; a claim of all prompts, and one of the untrained.
const SWEEP: &str = r#"
schema = 1
name = "x"

[generate]
max_tokens = 40
context = 64

[grid]
model = ["m"]
chain = ["pure"]
temperature = [0.1, 0.9]
seed = { from = 0, count = 2 }

[prompts]
file = "p.jsonl"

[[model]]
id = "m"
path = "m.scripted.toml"

[[hypothesis]]
id = "all"
trend = "temperature"
expect = "increasing"

[[hypothesis]]
id = "untrained"
trend = "temperature"
expect = "increasing"
where = { group = "untrained" }
"#;

/// A trained prompt ends its work with an error.
const SCRIPT: &str = "loops_from = 0.5\nerror_on = \"of trained number 4\"";

/// Every third prompt is untrained.
fn prompts(group: impl Fn(&str) -> String) -> String {
    let prompt = |n: usize| {
        let kind = if n.is_multiple_of(3) { "untrained" } else { "trained" };
        format!("{{\"id\": \"p{n}\", \"text\": \"of {kind} number {n}\"{}}}\n", group(kind))
    };
    (0..24).map(prompt).collect()
}

fn named(kind: &str) -> String {
    format!(", \"group\": \"{kind}\"")
}

fn bench() -> Bench {
    let bench = Bench::new(SWEEP);
    bench.write("m.scripted.toml", "loops_from = 0.5");
    bench.write("p.jsonl", prompts(named));
    bench
}

/// The prompts behind each verdict, by hypothesis.
fn n_prompts(bench: &Bench, directory: &str) -> Vec<(String, u64)> {
    let verdicts: serde_json::Value =
        serde_json::from_str(&bench.result(directory, "verdicts.json")).expect("it is JSON");
    let verdicts = verdicts["verdicts"].as_array().expect("verdicts");
    let of = |verdict: &serde_json::Value| {
        (verdict["id"].as_str().expect("an id").to_owned(), verdict["n_prompts"].as_u64().expect("a number"))
    };
    verdicts.iter().map(of).collect()
}

/// A column of `trials.csv`, if it has it.
fn column(bench: &Bench, directory: &str, name: &str) -> Option<Vec<String>> {
    let table = bench.result(directory, "trials.csv");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let place = reader.headers().expect("a header").iter().position(|header| header == name)?;
    Some(reader.records().map(|row| row.expect("a row")[place].to_owned()).collect())
}

#[test]
fn a_claim_of_a_group_counts_its_prompts_only() {
    let bench = bench();
    let said = bench.run("out", &[], 0);
    assert_eq!(n_prompts(&bench, "out"), [("all".to_owned(), 24), ("untrained".to_owned(), 8)]);
    assert_eq!(said.stdout.matches("SUPPORTED").count(), 2, "{}", said.stdout);
    let groups = column(&bench, "out", "group").expect("prompts have groups");
    let ids = column(&bench, "out", "prompt").expect("prompts have ids");
    for (id, group) in ids.iter().zip(&groups) {
        let n: usize = id[1..].parse().expect("a number");
        assert_eq!(group, if n.is_multiple_of(3) { "untrained" } else { "trained" });
    }
    assert!(bench.result("out", "report.html").contains("\"group\":\"untrained\""));
    // The folder alone says the same.
    let before = bench.reproducible("out");
    assert_eq!(bench.say(&["report", "out"]).code, Some(0));
    assert_eq!(bench.reproducible("out"), before);
}

#[test]
fn what_became_of_other_groups_is_nothing_to_a_claim() {
    let bench = bench();
    bench.write("m.scripted.toml", SCRIPT);
    let said = bench.run("out", &[], 3);
    let (all, untrained) = (said.stdout.find("all").expect("all"), said.stdout.find("untrained").expect("untrained"));
    assert!(said.stdout[all..].contains("failed") && untrained > 0, "{}", said.stdout);
    assert_eq!(n_prompts(&bench, "out"), [("all".to_owned(), 23), ("untrained".to_owned(), 8)]);
}

#[test]
fn the_name_of_a_group_changes_no_text() {
    let bench = bench();
    bench.run("named", &[], 0);
    bench.write("p.jsonl", prompts(|kind| named(kind).replace("untrained", "other").replace("trained", "untrained")));
    bench.run("renamed", &[], 0);
    bench.write("p.jsonl", prompts(|_| String::new()));
    bench.edit("where = { group = \"untrained\" }", "");
    bench.run("unnamed", &[], 0);
    let ids = |directory| column(&bench, directory, "trial_id").expect("trials have ids");
    assert_eq!(ids("named"), ids("renamed"));
    assert_eq!(ids("named"), ids("unnamed"));
    assert_eq!(column(&bench, "unnamed", "group"), None);
    assert_eq!(n_prompts(&bench, "renamed")[1].1, 16, "the others are called so now");
    let plan = bench.result("unnamed", "plan.json");
    assert!(!plan.contains("group"), "{plan}");
}

#[test]
fn a_group_can_be_left_out() {
    let bench = bench();
    bench.edit("[prompts]", "[[grid.exclude]]\ngroup = \"trained\"\ntemperature = 0.9\n\n[prompts]");
    bench.run("out", &[], 0);
    assert_eq!(column(&bench, "out", "trial_id").expect("ids").len(), 4 * 8 + 2 * 16);
    assert_eq!(n_prompts(&bench, "out"), [("all".to_owned(), 8), ("untrained".to_owned(), 8)]);
}

#[test]
fn a_group_that_no_prompt_is_of_is_refused() {
    let bench = bench();
    bench.edit("group = \"untrained\"", "group = \"untraned\"");
    bench.run("out", &[], 96).says(&["no prompt has the group \"untraned\"", "did you mean \"untrained\"?"]);
}
