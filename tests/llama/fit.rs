//! What a run needs of memory: said by `plan`, and refused where it is too much.

use std::fs::{self, File};

use crate::support::{Bench, GGUF, models};

/// The bundled model, its last tensor made so large that the file has 4 TB, more
/// than machines have memory; they are all there and take no space.
fn bundled_and_huge(bench: &Bench) {
    let path = models().join("deepseek-tiny.gguf");
    let gguf = moe_sweep::model::gguf::Gguf::read(&path).expect("the bundled model");
    let last = gguf.tensors.last().expect("it has tensors");
    let mut bytes = fs::read(&path).expect("the bundled model");
    let name = last.name.as_bytes();
    // In the table a name stands behind its length, and its dimensions' number behind it.
    let marked = [&(name.len() as u64).to_le_bytes(), name, &(last.dims.len() as u32).to_le_bytes()].concat();
    let at = bytes.windows(marked.len()).position(|window| window == marked).expect("the table has it");
    let slowest = at + marked.len() + 8 * (last.dims.len() - 1);
    let times = 4_000_000_000_000 / last.bytes;
    let dim = last.dims.last().expect("it has dimensions") * times;
    bytes[slowest..slowest + 8].copy_from_slice(&dim.to_le_bytes());
    let length = bytes.len() as u64 + (times - 1) * last.bytes;
    bench.write("m.gguf", bytes);
    let file = File::options().write(true).open(bench.path().join("m.gguf")).expect("written just now");
    file.set_len(length).expect("a sparse file");
}

#[test]
fn a_model_that_cannot_fit_is_refused_before_it_is_hashed_or_loaded() {
    let bench = Bench::new(GGUF);
    bundled_and_huge(&bench);
    let begun = std::time::Instant::now();
    let said = bench.run("out", &[], 96);
    let seconds = begun.elapsed().as_secs();
    assert!(seconds < 30, "hashing takes longer than {seconds} s");
    let words = said.stderr.replace('│', " ");
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "the model m, ",
        "does not fit in memory: it needs about 4.0 TB (weights 4.0 TB,",
        "cache 2.4 MB for 3 sequences of 32 tokens",
        "GB are free",
        "help: ",
    ] {
        assert!(words.contains(part), "no {part:?} in\n{}", said.stderr);
    }
    assert_eq!(said.stdout, "");
    assert!(!bench.exists("out"), "something was written");
}

fn plan(bench: &Bench) -> String {
    let said = bench.say(&["plan", "x.toml"]);
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{said:#?}");
    said.stdout
}

#[test]
fn a_plan_says_what_memory_the_run_takes() {
    let bench = Bench::new(GGUF);
    bench.write("m.gguf", fs::read(models().join("deepseek-tiny.gguf")).expect("the bundled model"));
    let said = plan(&bench);
    assert!(said.contains("of memory: weights 10.9 MB, cache "), "{said}");
    // A scripted model has no header to estimate it from.
    let said = plan(&Bench::scripted(""));
    assert!(!said.contains("of memory"), "{said}");
}
