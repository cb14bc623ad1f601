//! Want of memory is nobody's failure: it is waited for, with fewer texts together, and what was not tried stays open.

use std::fs;
use std::io::Read as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Bench, Said, wait_until};

fn assert_no_failure(bench: &Bench) {
    let journal = bench.result("out", "trials.jsonl");
    assert!(!journal.contains("\"failed\""), "{journal}");
}

#[test]
fn fewer_texts_together_are_made_where_there_is_no_room_for_more() {
    let bench = Bench::scripted("room = 8");
    let options = ["--lanes", "1", "--batch", "8"];
    bench.run("enough", &options, 0);
    let said = bench.run("out", &["--lanes", "1", "--batch", "16"], 0);
    said.says(&[
        "memory is short",
        "memory allocation of",
        "reloading the model in 1 s, with 1 lane",
        "up to 8 texts together",
    ]);
    assert_eq!(bench.reproducible("out"), bench.reproducible("enough"));
    assert_no_failure(&bench);
    let manifest: serde_json::Value = serde_json::from_str(&bench.result("out", "manifest.json")).expect("JSON");
    assert_eq!(manifest["runs"][0]["loads"][0]["strategy"]["rows"], 8, "{manifest:#}");
}

#[test]
fn a_run_that_waits_in_vain_is_incomplete_and_the_same_command_goes_on() {
    let bench = Bench::scripted("killed_beside = 'others'");
    bench.write("others", "at work");
    let said = bench.run("out", &["--wait-for-memory", "1"], 3);
    said.says(&[
        "memory is short: in 1 s the worker died 2 times",
        "SIGKILL",
        "--batch",
        "run the same command to continue",
    ]);
    assert_eq!(bench.result("out", "trials.jsonl"), "");
    fs::remove_file(bench.path().join("others")).expect("removed");
    bench.run("out", &[], 0);
    assert_no_failure(&bench);
}

#[test]
fn memory_that_comes_back_is_waited_for() {
    let bench = Bench::scripted("killed_beside = 'others'");
    bench.write("others", "at work");
    let mut command = bench.command(&["run", "x.toml", "--out", "out"]);
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("moe-sweep starts");
    wait_until("the run begins", || bench.exists("out/trials.jsonl"));
    std::thread::sleep(Duration::from_millis(700));
    fs::remove_file(bench.path().join("others")).expect("removed");
    let said = Said::from(run.wait_with_output().expect("it ends"));
    assert_eq!(said.code, Some(0), "{said:#?}");
    said.says(&["memory is short"]);
    assert_no_failure(&bench);
}

#[cfg(unix)]
#[test]
fn an_interruption_ends_the_waiting() {
    let bench = Bench::scripted("killed_beside = 'others'");
    bench.write("others", "at work");
    let mut command = bench.command(&["run", "x.toml", "--out", "out"]);
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("moe-sweep starts");
    wait_until("the run begins", || bench.exists("out/trials.jsonl"));
    // In the second pause, of 5 s.
    std::thread::sleep(Duration::from_secs(2));
    let begun = Instant::now();
    let id = nix::unistd::Pid::from_raw(run.id() as i32);
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT).expect("the signal can be sent");
    assert_eq!(run.wait().expect("it ends").code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(1), "only after {:?}", begun.elapsed());
    let mut said = String::new();
    run.stderr.take().expect("a pipe").read_to_string(&mut said).expect("UTF-8");
    assert!(said.contains("reloading the model in 5 s") && said.contains("interrupted"), "{said}");
}
