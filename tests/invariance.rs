//! The same experiment gives the same bytes at any batch width and any number
//! of threads and lanes: `numerics = "invariant"` as a property of whole sweeps.

mod support;

use support::{Bench, models};

#[test]
fn batch_and_threads_change_no_byte() {
    let path = models().join("deepseek-tiny.gguf");
    let bench = Bench::new(&format!(
        r#"
schema = 1
name = "x"

[generate]
max_tokens = 40
context = 256

[grid]
model = ["deepseek-tiny"]
chain = ["shimmy-1.7", "llama.cpp", "pure", "greedy"]
temperature = [0.3, 0.9]
seed = {{ from = 0, count = 4 }}

[prompts]
inline = ["The heart is", "Once upon a time there was", "Solar panels", "My neighbour told me that"]

[[model]]
id = "deepseek-tiny"
path = {path:?}
"#
    ));
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
