//! The same experiment gives the same bytes at any batch width, any number of
//! threads and lanes, and with either samplers: `numerics = "invariant"` as a
//! property of whole sweeps.

use crate::support::{Bench, models};
use serde_json::Value;

/// Chains with and without draws, before and after the temperature, one of them
/// left to llama.cpp whatever is chosen.
fn bench() -> Bench {
    let path = models().join("deepseek-tiny.gguf");
    Bench::new(&format!(
        r#"
schema = 1
name = "x"

[generate]
max_tokens = 40
context = 256

[grid]
model = ["deepseek-tiny"]
chain = ["shimmy-1.7", "shimmy-1.7-fixed", "llama.cpp", "ollama-go", "vllm", "pure", "greedy", "typical"]
temperature = [0.3, 0.9]
seed = {{ from = 0, count = 4 }}

[prompts]
inline = ["The heart is", "Once upon a time there was", "Solar panels", "My neighbour told me that"]

[[model]]
id = "deepseek-tiny"
path = {path:?}

[[chain]]
id = "typical"
steps = [{{ typical = 0.9 }}, {{ temperature = "T" }}, "dist"]
"#
    ))
}

#[test]
fn batch_and_threads_change_no_byte() {
    let bench = bench();
    bench.run("alone", &["--batch", "1", "--threads", "1"], 0);
    let alone = bench.reproducible("alone");
    for (batch, threads, lanes) in
        [("2", "2", "1"), ("7", "1", "1"), ("8", "4", "4"), ("32", "4", "2"), ("128", "2", "1")]
    {
        let how = ["--batch", batch, "--threads", threads, "--lanes", lanes];
        let directory = format!("b{batch}t{threads}l{lanes}");
        bench.run(&directory, &how, 0);
        assert!(bench.reproducible(&directory) == alone, "{how:?} differ from one at a time");
    }
}

#[test]
fn samplers_change_no_byte() {
    let bench = bench();
    let draws = |samplers: &str| {
        bench.run(samplers, &["--samplers", samplers], 0);
        let manifest: Value = serde_json::from_str(&bench.read(&format!("{samplers}/manifest.json"))).unwrap();
        let run = &manifest["runs"][0];
        assert_eq!(run["samplers"], samplers);
        [&run["fast_draws"], &run["llama_draws"]].map(|draws| draws.as_u64().unwrap())
    };
    let [[fast, left_to_llama], [none, all]] = [draws("fast"), draws("llama")];
    assert!(bench.reproducible("fast") == bench.reproducible("llama"), "the samplers chose different tokens");
    assert_eq!(none, 0);
    assert_eq!(fast + left_to_llama, all);
    // The chain that is not covered, and next to nothing else.
    assert!(left_to_llama > 0 && left_to_llama * 4 < all, "{left_to_llama} of {all} draws left to llama.cpp");
}

#[test]
fn sharing_changes_no_byte() {
    let bench = bench();
    let evaluated = |sharing: &str| {
        bench.run(sharing, &["--sharing", sharing], 0);
        let manifest: Value = serde_json::from_str(&bench.read(&format!("{sharing}/manifest.json"))).unwrap();
        manifest["runs"][0]["evaluated_tokens"].as_u64().unwrap()
    };
    let [none, prompt, trie] = ["none", "prompt", "trie"].map(evaluated);
    assert!(bench.reproducible("none") == bench.reproducible("trie"), "without sharing other tokens were chosen");
    assert!(bench.reproducible("prompt") == bench.reproducible("trie"), "with shared prompts other tokens were chosen");
    assert!(none > prompt && prompt > trie, "evaluated {none}, {prompt}, {trie}");
}

#[test]
fn how_a_file_is_loaded_changes_no_byte() {
    for numerics in ["invariant", "fast"] {
        let bench = bench();
        bench.edit("context = 256", &format!("context = 256\nnumerics = \"{numerics}\""));
        // Others in the same place, so that in fast numerics each text has the same company.
        let how = ["--lanes", "1", "--threads", "1"];
        for mode in ["auto", "mmap", "none"] {
            bench.run(mode, &[&how[..], &["--load-mode", mode]].concat(), 0);
            let manifest: Value = serde_json::from_str(&bench.read(&format!("{mode}/manifest.json"))).unwrap();
            let noted = manifest["runs"][0]["load_mode"].as_str();
            assert_eq!(noted.unwrap_or("auto"), mode);
            assert!(bench.reproducible(mode) == bench.reproducible("auto"), "{numerics}: {mode} differs from auto");
        }
    }
}
