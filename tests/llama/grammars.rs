//! Grammars on a model: JSON that parses, texts that a grammar ends, and grammars that llama.cpp can't read.

use serde_json::Value;
use serde_json::error::Category;

use crate::support::{Bench, models};

/// `STEPS` and `EOS` are to be replaced.
const EXPERIMENT: &str = r#"
schema = 1
name = "x"

[generate]
max_tokens = 60
context = 128

[grid]
model = ["tiny"]
chain = ["mine"]
temperature = [0.7, 1.3]
seed = { from = 0, count = 4 }
eos = ["EOS"]

[prompts]
inline = ["The sea is", "In the beginning", "A list of three things:"]

[[model]]
id = "tiny"
path = "tiny.gguf"

[[chain]]
id = "mine"
steps = [STEPS, { temperature = "T" }, "dist"]
"#;

fn bench(steps: &str, eos: &str) -> Bench {
    let bench = Bench::new(&EXPERIMENT.replace("STEPS", steps).replace("EOS", eos));
    bench.write("tiny.gguf", std::fs::read(models().join("deepseek-tiny.gguf")).expect("the bundled model"));
    bench
}

/// (text, stop) of every trial.
fn texts(bench: &Bench) -> Vec<(String, String)> {
    let said = |value: &Value| value.as_str().expect("a text").to_owned();
    let journal = bench.result("out", "trials.jsonl");
    let records = journal.lines().map(|line| serde_json::from_str::<Value>(line).expect("a record"));
    let generated =
        records.map(|record| record["outcome"]["generated"].clone()).filter(|generated| !generated.is_null());
    generated.map(|generated| (said(&generated["text"]), said(&generated["stop"]))).collect()
}

#[test]
fn json_texts_are_json_or_the_beginning_of_it() {
    let bench = bench("\"json\"", "model");
    bench.run("out", &[], 0);
    let texts = texts(&bench);
    assert_eq!(texts.len(), 24);
    for (text, stop) in &texts {
        match (serde_json::from_str::<Value>(text), &**stop) {
            (Ok(value), _) => assert!(value.is_object(), "{text}"),
            // It was cut in the middle, not wrong.
            (Err(error), "max_tokens") => assert_eq!(error.classify(), Category::Eof, "{error}: {text:?}"),
            (Err(error), stop) => panic!("{error}, ended by {stop}: {text:?}"),
        }
    }
}

#[test]
fn a_text_that_its_grammar_completes_ends_there_whatever_ends_others() {
    let yes = r#"{ grammar = { grammar = "root ::= \"yes\" | \"no\"" } }"#;
    for (eos, stop) in [("model", "eos"), ("ignore", "grammar")] {
        let bench = bench(yes, eos);
        bench.run("out", &[], 0);
        for text in texts(&bench) {
            assert!(matches!(&*text.0, "yes" | "no") && text.1 == stop, "{text:?} with eos = {eos}");
        }
        assert!(bench.result("out", "trials.csv").contains(&format!(",{stop},")));
    }
}

#[test]
fn a_text_ends_where_the_steps_before_leave_nothing_that_the_grammar_allows() {
    // The most probable token alone, which is no emoji.
    let bench = bench(r#"{ top_k = 1 }, { grammar = { grammar = "root ::= \"\u2603\"+" } }"#, "model");
    bench.run("out", &[], 0);
    let texts = texts(&bench);
    assert!(!texts.is_empty() && texts.iter().all(|(text, stop)| text.is_empty() && stop == "grammar"), "{texts:?}");
}

#[test]
fn a_grammar_that_llama_cpp_cannot_read_is_refused_before_anything_runs() {
    for (grammar, why) in [
        ("root ::= ( [a]", "error parsing grammar"),
        ("root ::= other", "Undefined rule identifier 'other'"),
        ("start ::= [a]", "root"),
    ] {
        let bench = bench(&format!("{{ grammar = {{ grammar = {grammar:?} }} }}"), "model");
        let said = bench.run("out", &[], 96);
        said.says(&["cannot read the grammar of the chain mine for the model tiny", why, "correct it, in GBNF"]);
        assert!(!bench.exists("out"), "nothing is written");
    }
}
