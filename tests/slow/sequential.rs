//! An experiment that stops as soon as its hypotheses are decided: at the same prompt, however it is run.

use crate::support::{Bench, Numbers};

/// 24 prompts × 2 temperatures × 2 seeds.
const SWEEP: &str = r#"
schema = 1
name = "x"

[generate]
max_tokens = 40
context = 64

[grid]
model = ["a"]
chain = ["pure"]
temperature = [0.1, 0.9]
seed = { from = 0, count = 2 }

[prompts]
inline = [PROMPTS]

[[model]]
id = "a"
path = "a.scripted.toml"

[[model]]
id = "b"
path = "b.scripted.toml"

[sequential]

[[hypothesis]]
id = "hot-repeats"
contrast = { base = { temperature = 0.1 }, other = { temperature = 0.9 } }
expect = "increasing"
"#;

const FILES: [&str; 4] = ["sequential.csv", "trials.csv", "cells.csv", "verdicts.json"];

/// Two models, whose scripts say from where they loop.
fn bench(a: &str, b: &str) -> Bench {
    let prompts: Vec<_> = (0..24).map(|n| format!("\"prompt number {n}\"")).collect();
    let bench = Bench::new(&SWEEP.replace("PROMPTS", &prompts.join(", ")));
    bench.write("a.scripted.toml", a);
    bench.write("b.scripted.toml", b);
    bench
}

fn files(bench: &Bench, directory: &str) -> [String; 4] {
    FILES.map(|name| bench.result(directory, name))
}

fn made(bench: &Bench, directory: &str) -> usize {
    bench.result(directory, "trials.jsonl").lines().count()
}

/// The prompts that were looked at, and the state after the last one.
fn looked(bench: &Bench, directory: &str) -> (usize, String) {
    let table = bench.result(directory, "sequential.csv");
    let last = table.lines().last().expect("a row");
    let fields: Vec<_> = last.split(',').collect();
    (fields[0].parse().expect("a number"), fields[5].to_owned())
}

#[test]
fn a_clear_effect_stops_the_run_and_makes_no_text_beyond() {
    let bench = bench("loops_from = 0.5", "");
    let said = bench.run("out", &[], 0);
    let (t, state) = looked(&bench, "out");
    assert!((6..=8).contains(&t) && state == "supported", "{t} {state}");
    assert_eq!(made(&bench, "out"), 4 * t);
    assert_eq!(bench.result("out", "trials.csv").lines().count(), 1 + 4 * t);
    let expected = format!("decided after {t} of 24 prompts, {} of 96 texts", 4 * t);
    assert!(said.stdout.contains(&expected), "{}", said.stdout);
    assert!(said.stdout.contains("SUPPORTED"), "{}", said.stdout);
    assert!(bench.exists("out/plots/evidence.svg") && bench.exists("out/plots/evidence.png"));
    assert!(bench.result("out", "report.html").contains("Evidence after each prompt"));

    // Again, it makes nothing; and the folder alone says the same.
    let before = files(&bench, "out");
    let again = bench.run("out", &[], 0);
    assert!(again.stdout.contains(&expected) && !again.stderr.contains("loading"), "{again:#?}");
    bench.write("a.scripted.toml", "refuse_load = true");
    let said = bench.say(&["report", "out"]);
    assert!(said.code == Some(0) && said.stdout.contains(&expected), "{said:#?}");
    assert_eq!(files(&bench, "out"), before);
}

#[test]
fn it_stops_at_the_same_prompt_however_it_is_run() {
    let bench = bench("loops_from = 0.5\ndelay_ms = 4", "");
    bench.run("undisturbed", &[], 0);
    let undisturbed = files(&bench, "undisturbed");
    for (directory, arguments) in
        [("one", ["--threads", "1", "--lanes", "1"]), ("two", ["--threads", "2", "--batch", "3"])]
    {
        bench.run(directory, &arguments, 0);
        assert_eq!(files(&bench, directory), undisturbed, "{arguments:?}");
    }
    // Killed while it makes one text or another.
    let mut numbers = Numbers(3);
    for kill in 0..4 {
        let directory = format!("killed-{kill}");
        let mut child = bench.start(&directory, &[]);
        bench.wait_for_trials(&directory, 1 + numbers.below(20) as usize);
        child.kill().expect("SIGKILL can be sent");
        child.wait().expect("the child can be waited for");
        bench.run(&directory, &[], 0);
        assert_eq!(files(&bench, &directory), undisturbed, "{directory}");
        assert_eq!(made(&bench, &directory), made(&bench, "undisturbed"));
    }
    // A run of the fixed design has all texts: those beyond are not used, and said.
    bench.edit("[sequential]\n", "");
    bench.run("fixed", &[], 0);
    assert_eq!(made(&bench, "fixed"), 96);
    bench.edit("[[hypothesis]]", "[sequential]\n\n[[hypothesis]]");
    let said = bench.run("fixed", &[], 0);
    assert_eq!(files(&bench, "fixed"), undisturbed);
    let (t, _) = looked(&bench, "fixed");
    assert!(said.stdout.contains(&format!("{} texts of later prompts were generated", 96 - 4 * t)), "{}", said.stdout);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_goes_on_to_the_same_prompt() {
    let bench = bench("loops_from = 0.5\ndelay_ms = 30", "");
    bench.run("undisturbed", &[], 0);
    let mut child = bench.start("out", &[]);
    bench.wait_for_trials("out", 9);
    let pid = nix::unistd::Pid::from_raw(child.id() as i32);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("SIGINT can be sent");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    // What is there so far decides nothing, and the report says so.
    let said = bench.say(&["report", "out"]);
    assert!(said.code == Some(3) && said.stdout.contains("INCONCLUSIVE"), "{said:#?}");
    assert!(said.stdout.contains("do not decide it: continue the run"), "{}", said.stdout);
    bench.run("out", &[], 0);
    assert_eq!(files(&bench, "out"), files(&bench, "undisturbed"));
}

#[test]
fn chance_alone_takes_all_prompts_and_decides_nothing() {
    let bench = bench("", "");
    bench.edit("expect = \"increasing\"", "expect = \"increasing\"\nmetric = \"seq_rep_2_words\"");
    let said = bench.run("out", &[], 0);
    assert_eq!(looked(&bench, "out"), (24, "open".to_owned()));
    assert_eq!(made(&bench, "out"), 96);
    assert!(said.stdout.contains("INCONCLUSIVE"), "{}", said.stdout);
    assert!(said.stdout.contains("all 24 prompts were used"), "{}", said.stdout);
    // It is no look at nothing: scores differ.
    let evidence: Vec<_> = bench.result("out", "sequential.csv").lines().skip(1).map(str::to_owned).collect();
    assert!(evidence.iter().any(|row| row.split(',').nth(3) != Some("1")), "{evidence:?}");
}

#[test]
fn two_models_stop_early_and_are_loaded_a_few_times_only() {
    let bench = bench("loops_from = 0.5", "loops_from = 0.8");
    bench.edit("model = [\"a\"]", "model = [\"a\", \"b\"]");
    bench.edit("expect = \"increasing\"", "expect = \"increasing\"\neach = \"model\"");
    let said = bench.run("out", &[], 0);
    let (t, state) = looked(&bench, "out");
    assert!((6..=10).contains(&t) && state == "supported", "{t} {state}");
    // Parts of 6, 2, 2 prompts: what is made beyond the last one needed is not used.
    assert!(made(&bench, "out") <= 8 * 10, "{}", made(&bench, "out"));
    assert_eq!(bench.result("out", "trials.csv").lines().count(), 1 + 8 * t);
    assert!(said.stderr.matches("loading ").count() <= 2 * 3, "{}", said.stderr);
    let undisturbed = files(&bench, "out");
    let mut child = bench.start("killed", &[]);
    bench.wait_for_trials("killed", 30);
    child.kill().expect("SIGKILL can be sent");
    child.wait().expect("the child can be waited for");
    bench.run("killed", &[], 0);
    assert_eq!(files(&bench, "killed"), undisturbed);
    assert_eq!(made(&bench, "killed"), made(&bench, "out"));
}

#[test]
fn a_prompt_that_kills_the_model_counts_against_the_claim() {
    let bench = bench("loops_from = 0.5", "");
    bench.run("clean", &[], 0);
    let (clean, _) = looked(&bench, "clean");
    // Of those looked at, one whose text holds no other's number.
    let table = bench.result("clean", "sequential.csv");
    let ids = table.lines().skip(1).map(|row| row.split(',').nth(1).expect("a prompt").trim_start_matches('p'));
    let mut ids = ids.map(|id| id.parse::<usize>().expect("a number"));
    let killer = ids.find(|&id| id > 10).map(|id| id - 1).expect("most of 24 have two digits");
    bench.write("a.scripted.toml", format!("loops_from = 0.5\nabort_on = \"number {killer}\""));
    let said = bench.run("out", &[], 3);
    let (t, state) = looked(&bench, "out");
    assert!(t > clean && state == "supported", "{t} {state}");
    assert!(said.stdout.contains("4 texts without a score"), "{}", said.stdout);
}

#[test]
fn an_engine_that_dies_whatever_it_is_asked_ends_the_looks_and_the_same_command_goes_on() {
    let bench = bench("loops_from = 0.5", "loops_from = 0.5\nabort_on = ''\nabort_beside = 'crashing'");
    bench.edit("model = [\"a\"]", "model = [\"a\", \"b\"]");
    bench.run("clean", &[], 0);
    bench.write("crashing", "");
    let said = bench.run("out", &[], 3);
    said.says(&["b, offload all: the engine always dies on this machine", "--kernels ggml"]);
    assert!(made(&bench, "out") < made(&bench, "clean"));
    assert!(!bench.result("out", "trials.jsonl").contains("\"failed\""));
    std::fs::remove_file(bench.path().join("crashing")).expect("removed");
    bench.run("out", &[], 0);
    assert_eq!(files(&bench, "out"), files(&bench, "clean"));
}

#[test]
fn a_shard_of_it_is_refused() {
    let bench = bench("loops_from = 0.5", "");
    let said = bench.run("out", &["--shard", "1/2"], 96);
    said.says(&["shard 1 of 2 can't be run", "[sequential]", "without --shard"]);
}

#[test]
fn the_plan_says_when_it_looks() {
    let bench = bench("", "");
    bench.edit(
        "expect = \"increasing\"",
        "expect = \"increasing\"\n\n[[hypothesis]]\nid = \"same\"\nmargin = 0.05\n\
        equivalence = { base = { temperature = 0.1 }, other = { temperature = 0.9 } }",
    );
    let said = bench.say(&["plan", "x.toml"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(said.stdout.contains("after every prompt, in the order of seed 0"), "{}", said.stdout);
    assert!(said.stdout.contains("same can't be supported by 24 prompts: it needs at least 62"), "{}", said.stdout);
}
