//! A worker that dies, hangs or fails costs its own trial, not the sweep.

use crate::support::Bench;

fn statuses(bench: &Bench) -> Vec<(String, String)> {
    let table = bench.result("out", "trials.csv");
    let mut lines = table.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let column = |name: &str| header.iter().position(|field| field == name).unwrap();
    let (prompt, status) = (column("prompt"), column("status"));
    lines.map(|line| (line[prompt].clone(), line[status].clone())).collect()
}

fn assert_only_the_second_prompt_failed(bench: &Bench) {
    for (prompt, status) in statuses(bench) {
        assert_eq!(status, if prompt == "p2" { "failed" } else { "ok" }, "{prompt}");
    }
}

#[test]
fn an_abort_fails_its_own_trials_and_exits_3() {
    let bench = Bench::scripted("abort_on = 'second'");
    let said = bench.run("out", &[], 3);
    assert_only_the_second_prompt_failed(&bench);
    let journal = bench.result("out", "trials.jsonl");
    assert!(journal.contains("SIGABRT") && journal.contains("abort on this prompt"), "{journal}");
    assert!(said.stderr.contains("SIGABRT"), "{said:#?}");
}

#[test]
fn an_error_fails_its_own_trials_and_exits_3() {
    let bench = Bench::scripted("error_on = 'second'");
    bench.run("out", &[], 3);
    assert_only_the_second_prompt_failed(&bench);
}

#[test]
fn a_hang_is_ended_after_the_stall_timeout() {
    let bench = Bench::scripted("hang_on = 'second'");
    bench.edit("chain = [\"pure\", \"greedy\"]", "chain = [\"greedy\"]");
    bench.run("out", &["--stall-timeout", "1"], 3);
    assert_only_the_second_prompt_failed(&bench);
    assert!(bench.result("out", "trials.jsonl").contains("no progress for 1 s"));
}

#[test]
fn a_model_that_cannot_be_loaded_fails_its_trials_only() {
    let bench = Bench::scripted("refuse_load = true");
    bench.write("good.scripted.toml", "");
    bench.edit("model = [\"scripted\"]", "model = [\"scripted\", \"good\"]");
    bench.edit("[[model]]", "[[model]]\nid = \"good\"\npath = \"good.scripted.toml\"\n\n[[model]]");
    bench.run("out", &[], 3);
    let table = bench.result("out", "trials.csv");
    for line in table.lines().skip(1) {
        let expected = if line.contains(",good,") { ",ok," } else { ",failed," };
        assert!(line.contains(expected), "{line}");
    }
}

#[test]
fn a_model_file_that_is_replaced_during_the_run_is_not_mistaken_for_the_first() {
    // The abort makes the runner load the model again, and by then it is another.
    let bench = Bench::scripted("abort_on = 'second'\ndelay_ms = 200");
    let mut run = bench.start("out", &[]);
    bench.wait_for_trials("out", 1);
    bench.write("m.scripted.toml", "");
    assert_eq!(run.wait().unwrap().code(), Some(3));
    assert!(bench.result("out", "trials.jsonl").contains("has changed since the run began"));
}

#[test]
fn failures_are_kept_until_asked_to_retry() {
    let bench = Bench::scripted("error_on = 'second'");
    bench.run("out", &[], 3);
    bench.write("m.scripted.toml", "error_on = 'second'\ndelay_ms = 0");
    // Another script is another model: everything is new. Put it back.
    bench.write("m.scripted.toml", "error_on = 'second'");
    let before = bench.result("out", "trials.jsonl");
    bench.run("out", &[], 3);
    assert_eq!(bench.result("out", "trials.jsonl"), before);
    bench.run("out", &["--retry-failed"], 3);
    let after = bench.result("out", "trials.jsonl");
    assert_eq!(after.lines().count(), before.lines().count() + 7);
}

#[test]
fn the_text_that_kills_is_found_among_many_in_few_deaths() {
    let bench = Bench::scripted("together = 100\nabort_on = 'deadly'");
    let prompts: Vec<_> = (0..64).map(|n| format!("\"{} {n}\"", if n == 5 { "deadly" } else { "plain" })).collect();
    bench.edit("\"first prompt\", \"second prompt\", \"third prompt\"", &prompts.join(", "));
    bench.edit("chain = [\"pure\", \"greedy\"]", "chain = [\"greedy\"]");
    bench.edit("[0.5, 1.0]", "[1.0]");
    let said = bench.run("out", &[], 3);
    let failed: Vec<_> = statuses(&bench).into_iter().filter(|(_, status)| status != "ok").collect();
    assert_eq!(failed, [("p6".to_owned(), "failed".to_owned())]);
    let deaths = said.stderr.matches("the worker died").count();
    // 59 suspects, halved until one is alone; and the failure tells of the last once more.
    assert!((3..=8).contains(&deaths), "{deaths}: {said:#?}");
}
