//! Grammars as steps of chains: in the file, in a file beside it, and JSON.

use serde_json::Value;

use crate::support::Bench;

/// A bench whose one chain has this step before the draw.
fn bench(step: &str) -> Bench {
    let bench = Bench::scripted("");
    bench.edit("[\"pure\", \"greedy\"]", "[\"mine\"]");
    let steps = format!("steps = [{step}, {{ temperature = \"T\" }}, \"dist\"]\n");
    bench.write("x.toml", bench.read("x.toml") + "\n[[chain]]\nid = \"mine\"\n" + &steps);
    bench
}

fn plan(bench: &Bench, directory: &str) -> Value {
    bench.run(directory, &[], 0);
    serde_json::from_str(&bench.result(directory, "plan.json")).expect("it is JSON")
}

#[test]
fn a_grammar_in_a_file_is_its_text() {
    let text = "root ::= \"yes\" | \"no\"\n";
    let within = bench(&format!("{{ grammar = {{ grammar = {text:?} }} }}"));
    let beside = bench("{ grammar = { file = \"answer.gbnf\" } }");
    beside.write("answer.gbnf", text);
    let (within, beside) = (plan(&within, "out"), plan(&beside, "out"));
    assert_eq!(within["trials"], beside["trials"], "a trial is known by the text, wherever it stands");
    assert_eq!(beside["chains"][0]["steps"][0]["grammar"]["grammar"], text);
}

#[test]
fn a_grammar_from_nowhere_or_from_two_places_is_refused_with_its_line() {
    let missing = bench("{ grammar = { file = \"answer.gbnf\" } }");
    missing.run("out", &[], 96).says(&[
        "cannot read answer.gbnf",
        "x.toml:",
        "the path is relative to the experiment file",
    ]);
    for step in ["{ grammar = {} }", "{ grammar = { grammar = \"root ::= [a]\", file = \"answer.gbnf\" } }"] {
        let bench = bench(step);
        bench.run("out", &[], 96).says(&["a grammar needs either grammar or file", "x.toml:", "give exactly one"]);
    }
}

#[test]
fn json_needs_no_grammar_and_a_late_one_is_noted() {
    let first = plan(&bench("\"json\""), "out");
    assert_eq!(first["chains"][0]["steps"][0], "json");
    assert!(!first["notes"].to_string().contains("grammar"), "{}", first["notes"]);
    let late = plan(&bench("{ top_k = 40 }, \"json\""), "out");
    assert!(late["notes"].to_string().contains("chain mine: its grammar comes after steps that remove tokens"));
}
