//! Kernels for quantised weights: all of moe-sweep's make the same texts, and none is used that does not work here.

use matmul::Kernels;
use serde_json::Value;

use crate::support::{Bench, Said, models};

/// Tests name kernels here that are to fail when they are tried.
const FAULTY: &str = "MOE_SWEEP_FAULTY_KERNELS";

/// A mixture of experts with weights of the types that have kernels, and others.
fn bench() -> Bench {
    let path = models().join("deepseek-tiny.gguf");
    Bench::new(&format!(
        r#"
schema = 1
name = "x"

[generate]
max_tokens = 20
context = 64

[grid]
model = ["tiny"]
chain = ["llama.cpp", "greedy"]
quant = ["q8_0", "q5_k_m", "q4_k_m"]
temperature = [0.9]
seed = {{ from = 0, count = 3 }}

[prompts]
inline = ["The heart is", "Once upon a time there was", "Solar panels"]

[[model]]
id = "tiny"
path = {path:?}
"#
    ))
}

/// Those of moe-sweep that this CPU has, from the slowest to the quickest.
fn ours() -> impl Iterator<Item = Kernels> {
    Kernels::ALL.into_iter().filter(|kernels| kernels.is_supported())
}

fn run(bench: &Bench, directory: &str, arguments: &[&str], faults: &str, code: i32) -> Said {
    let mut command = bench.command(&["run", "x.toml", "--cache", "cache", "--out", directory]);
    let said: Said = command.args(arguments).env(FAULTY, faults).output().expect("moe-sweep starts").into();
    assert_eq!(said.code, Some(code), "{said:#?}");
    said
}

/// What the manifest says of the first load.
fn used(bench: &Bench, directory: &str) -> (String, Vec<String>) {
    let manifest: Value = serde_json::from_str(&bench.read(&format!("{directory}/manifest.json"))).expect("JSON");
    let load = &manifest["runs"][0]["loads"][0];
    let broken = load["broken_kernels"].as_array().map_or(vec![], |broken| {
        broken.iter().map(|sentence| sentence.as_str().expect("a sentence").to_owned()).collect()
    });
    (load["kernels"].as_str().expect("kernels").to_owned(), broken)
}

#[test]
fn all_of_ours_make_the_same_texts_at_any_width() {
    let bench = bench();
    for kernels in ours() {
        for batch in ["1", "2", "7", "64"] {
            let directory = format!("{kernels}-{batch}");
            run(&bench, &directory, &["--kernels", kernels.name(), "--batch", batch], "", 0);
            assert_eq!(used(&bench, &directory), (kernels.name().to_owned(), vec![]));
            assert!(bench.reproducible(&directory) == bench.reproducible("portable-1"), "{directory} differs");
        }
    }
    run(&bench, "ggml", &["--kernels", "ggml"], "", 0);
    assert!(bench.reproducible("ggml") != bench.reproducible("portable-1"), "ggml's sums are the same");
}

#[test]
fn the_quickest_that_works_is_used_and_the_run_says_which_does_not() {
    let bench = bench();
    run(&bench, "sound", &[], "", 0);
    // The quickest as it was measured, while others had the cores.
    let (kernels, broken) = used(&bench, "sound");
    assert!(ours().any(|ours| ours.name() == kernels) && kernels != "portable", "{kernels}");
    assert_eq!(broken, Vec::<String>::new());

    let said = run(&bench, "faulty", &[], "avx512=crash,avx2=deviate", 0);
    let (kernels, broken) = used(&bench, "faulty");
    assert_eq!(kernels, "ggml");
    let found: Vec<_> = broken.iter().map(|sentence| sentence.split(':').next().expect("a kind")).collect();
    assert_eq!(found, ["the avx512 kernels are not used", "the avx2 kernels are not used"]);
    assert!(broken[0].contains("SIGABRT") && broken[1].contains("wrong products"), "{broken:?}");
    for sentence in &broken {
        assert!(said.stderr.contains(sentence.as_str()), "{sentence}\n{}", said.stderr);
    }

    run(&bench, "one", &[], "avx512=deviate", 0);
    assert_eq!(used(&bench, "one").0, "avx2");
    assert!(bench.reproducible("one") == bench.reproducible("sound"));
}

#[test]
fn kernels_that_were_asked_for_and_do_not_work_are_refused() {
    let bench = bench();
    let said = run(&bench, "out", &["--kernels", "avx2"], "avx2=crash", 96);
    assert!(said.stderr.contains("the avx2 kernels can't be used: they crash on this machine"), "{}", said.stderr);
    assert!(said.stderr.contains("remove --kernels"), "{}", said.stderr);
    assert!(!bench.exists("out"));
}
