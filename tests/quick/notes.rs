//! What `plan` says beside the plan, and every run keeps: samplers that are off.

use crate::support::{Bench, Said};
use serde_json::Value;

/// The words of `plan x.toml`, each note on one line.
fn plan(bench: &Bench) -> String {
    let said: Said = bench.say(&["plan", "x.toml"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    said.stdout
}

fn notes(bench: &Bench, directory: &str) -> Vec<String> {
    let manifest: Value = serde_json::from_str(&bench.result(directory, "manifest.json")).expect("it is JSON");
    serde_json::from_value(manifest["notes"].clone()).expect("notes are texts")
}

#[test]
fn a_faithful_chain_with_a_sampler_that_is_off_is_told_of_it() {
    let bench = Bench::scripted("");
    bench.edit("[\"pure\", \"greedy\"]", "[\"theirs\"]");
    let steps = "steps = [{ dry = { multiplier = 0.8, last_n = -1 } }, \
                 { temperature_ext = { t = \"T\", delta = 0.7 } }, \"dist\"]\n";
    bench.write("x.toml", bench.read("x.toml") + "\n[[chain]]\nid = \"theirs\"\nfaithful = true\n" + steps);
    bench.run("out", &[], 0);
    let dry = "chain theirs: dry's last_n = -1 switches the step off";
    let range = "chain theirs: temperature_ext's lower end 0.5 - 0.7 is below 0, so llama.cpp uses 0";
    let kept = notes(&bench, "out");
    for expected in [dry, range] {
        assert_eq!(kept.iter().filter(|note| note.starts_with(expected)).count(), 1, "{kept:?}");
        assert!(plan(&bench).contains(&format!("note     {expected}")), "{}", plan(&bench));
    }
    // At T 1 the range lies above 0.
    assert!(!kept.iter().any(|note| note.contains("1 - 0.7")), "{kept:?}");
    assert!(bench.result("out", "report.html").contains("switches the step off"));
}

#[test]
fn a_sampler_that_is_off_as_documented_is_no_note() {
    let bench = Bench::scripted("");
    bench.edit("[\"pure\", \"greedy\"]", "[\"llama.cpp\", \"vllm\"]");
    assert!(!plan(&bench).contains("chain llama.cpp:") && !plan(&bench).contains("chain vllm:"), "{}", plan(&bench));
}
