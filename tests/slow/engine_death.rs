//! An engine that dies whatever it is asked is found in a few deaths, and no text is recorded as failed for it.

use std::time::{Duration, Instant};

use crate::support::{Bench, Said};

/// All prompts kill, while there is a file beside the script: with other kernels, as it were, they don't.
const CRASHES: &str = "abort_on = ''\nabort_beside = 'crashing'\n";

/// 24 prompts, 8 texts each, of one model.
fn bench_of_192(script: &str) -> Bench {
    let bench = Bench::scripted(script);
    bench.write("crashing", "");
    let prompts: Vec<_> = (0..24).map(|n| format!("\"prompt number {n} of many\"")).collect();
    bench.edit("\"first prompt\", \"second prompt\", \"third prompt\"", &prompts.join(", "));
    bench.edit("chain = [\"pure\", \"greedy\"]", "chain = [\"pure\"]");
    bench.edit("count = 3", "count = 4");
    bench
}

fn add_a_good_model(bench: &Bench) {
    bench.write("good.scripted.toml", "");
    bench.edit("model = [\"scripted\"]", "model = [\"scripted\", \"good\"]");
    bench.edit("[[model]]", "[[model]]\nid = \"good\"\npath = \"good.scripted.toml\"\n\n[[model]]");
}

/// How often the first model was loaded: once more than its worker died, or as often.
fn loads(said: &Said) -> usize {
    said.stderr.matches("loading scripted").count()
}

fn records(bench: &Bench) -> usize {
    bench.result("out", "trials.jsonl").lines().count()
}

fn failures(bench: &Bench) -> usize {
    bench.result("out", "trials.jsonl").matches("\"failed\"").count()
}

#[cfg(unix)]
#[test]
fn an_engine_that_crashes_on_every_text_is_found_in_a_few_deaths() {
    for (signal, together) in [("SIGSEGV", 1), ("SIGILL", 64), ("SIGSEGV", 192)] {
        let bench = bench_of_192(&format!("{CRASHES}abort_by = '{signal}'\ntogether = {together}\n"));
        let begun = Instant::now();
        let said = bench.run("out", &[], 3);
        let (loads, took) = (loads(&said), begun.elapsed());
        assert!(loads <= 4, "{signal} {together}: {loads} loads, {} failures, {took:?}", failures(&bench));
        assert!(took < Duration::from_secs(20), "{took:?}");
        said.says(&[
            "scripted",
            signal,
            "abort on this prompt",
            "3 texts were tried alone",
            "none got past its first step",
            "192 texts remain",
            "--kernels ggml",
            "target-cpu=native",
            "run the same command to retry",
        ]);
        assert_eq!(records(&bench), 0);

        std::fs::remove_file(bench.path().join("crashing")).expect("removed");
        bench.run("out", &[], 0);
        assert_eq!((records(&bench), failures(&bench)), (192, 0));
    }
}

#[test]
fn the_other_models_are_swept_and_their_results_are_written() {
    let bench = Bench::scripted(CRASHES);
    bench.write("crashing", "");
    add_a_good_model(&bench);
    let said = bench.run("out", &[], 3);
    said.says(&["SIGABRT", "--kernels ggml", "21 texts remain"]);
    assert_eq!((records(&bench), failures(&bench)), (21, 0));
    let table = bench.result("out", "trials.csv");
    for line in table.lines().skip(1) {
        let expected = if line.contains(",good,") { ",ok," } else { ",missing," };
        assert!(line.contains(expected), "{line}");
    }
    let manifest: serde_json::Value = serde_json::from_str(&bench.result("out", "manifest.json")).expect("JSON");
    assert_eq!(manifest["runs"][0]["ended"], "engine crashed", "{manifest:#}");
}

#[test]
fn texts_that_crash_after_their_first_step_are_to_blame_themselves() {
    let bench = Bench::scripted("abort_on = ''\ntokens_before = 2");
    let said = bench.run("out", &[], 3);
    assert_eq!((records(&bench), failures(&bench)), (21, 21));
    assert!(!said.stderr.contains("--kernels"), "{said:#?}");
}

#[test]
fn a_text_that_kills_before_any_other_was_begun_is_to_blame_itself() {
    for together in [1, 192] {
        let bench = bench_of_192(&format!("abort_on = 'number 0 of'\ntogether = {together}\n"));
        let said = bench.run("out", &[], 3);
        assert_eq!((records(&bench), failures(&bench)), (192, 8), "{said:#?}");
        assert!(!said.stderr.contains("--kernels"), "{said:#?}");
    }
}

#[test]
fn what_earlier_runs_have_made_speaks_for_the_engine() {
    let bench = Bench::scripted("abort_on = 'second'");
    bench.run("out", &[], 3);
    let before = records(&bench);
    bench.run("out", &["--retry-failed"], 3);
    assert_eq!(records(&bench), before + 7);
}

#[test]
fn an_engine_that_hangs_on_every_text_is_found_as_well() {
    let bench = Bench::scripted("hang_on = ''");
    let said = bench.run("out", &["--stall-timeout", "1"], 3);
    assert!(loads(&said) <= 4, "{said:#?}");
    said.says(&["no progress for 1 s", "none got past its first step", "--stall-timeout"]);
    assert!(!said.stderr.contains("--kernels"), "{said:#?}");
    assert_eq!(records(&bench), 0);
}

#[test]
fn an_engine_that_refuses_every_text_is_found_as_well() {
    let bench = Bench::scripted("error_on = ''");
    let said = bench.run("out", &[], 3);
    assert!(loads(&said) <= 4, "{said:#?}");
    said.says(&["decoding failed: the script says so", "none got past its first step"]);
    assert!(!said.stderr.contains("--kernels"), "{said:#?}");
    assert_eq!(records(&bench), 0);
}

#[cfg(unix)]
#[test]
fn an_engine_that_crashes_while_it_loads_leaves_its_texts_open() {
    let bench = Bench::scripted("abort_load = true\nabort_beside = 'crashing'\nabort_by = 'SIGILL'");
    bench.write("crashing", "");
    let said = bench.run("out", &[], 3);
    assert_eq!(loads(&said), 2, "{said:#?}");
    said.says(&["SIGILL", "before it began any text", "--kernels ggml", "21 texts remain"]);
    assert_eq!(records(&bench), 0);
    std::fs::remove_file(bench.path().join("crashing")).expect("removed");
    bench.run("out", &[], 0);

    // Nor does it fail those that are new where others were made.
    bench.write("crashing", "");
    bench.edit("count = 3", "count = 5");
    bench.run("out", &[], 3).says(&["12 texts remain"]);
    assert_eq!((records(&bench), failures(&bench)), (21, 0));
}
