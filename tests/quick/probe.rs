//! The determinism probe says whether texts depend on what is beside them.

use crate::support::Bench;
use serde_json::Value;

fn probe(bench: &Bench) -> Value {
    let manifest: Value = serde_json::from_str(&bench.result("out", "manifest.json")).expect("JSON");
    manifest["runs"][0]["loads"][0]["probe"].clone()
}

#[test]
fn texts_that_depend_on_nothing_else_agree() {
    let bench = Bench::scripted("together = 8");
    let said = bench.run("out", &[], 0);
    assert_eq!(probe(&bench)["repeated"], 3);
    assert_eq!(probe(&bench)["agreed"], 3);
    assert!(!said.stdout.contains("determinism"), "{}", said.stdout);
}

#[test]
fn texts_that_depend_on_their_company_are_found_out() {
    let bench = Bench::scripted("together = 8\nsociable = true");
    let said = bench.run("out", &[], 0);
    assert_eq!(probe(&bench)["repeated"], 3);
    assert_eq!(probe(&bench)["agreed"], 0);
    assert!(said.stdout.contains("determinism probe: of 3 texts generated again alone, 0 agreed"), "{}", said.stdout);
    assert!(said.stderr.contains("determinism probe"), "{}", said.stderr);
}
