//! What `plan` says of contexts beyond the training.

use std::fs;

use crate::support::{Bench, GGUF, models};

/// The words of `plan x.toml`.
fn plan(bench: &Bench) -> String {
    let said = bench.say(&["plan", "x.toml"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    said.stdout
}

#[test]
fn a_text_longer_than_the_training_is_told_with_both_numbers() {
    let bench = Bench::new(GGUF);
    bench.write("m.gguf", fs::read(models().join("deepseek-tiny.gguf")).expect("the bundled model"));
    bench.edit("context = 32", "context = 2048");
    assert!(!plan(&bench).contains("trained on"), "8 tokens of a context of 2048: {}", plan(&bench));
    bench.edit("max_tokens = 8", "max_tokens = 1500");
    let said = plan(&bench).split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = "the model m was trained on 1024 tokens, but a prompt of ";
    assert!(said.contains(expected) && said.contains(" with max_tokens = 1500 reaches 150"), "{said}");
    assert!(said.contains("its header has no rope scaling that extends it"), "{said}");
}
