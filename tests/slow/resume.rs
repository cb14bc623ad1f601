//! A finished trial survives anything: SIGKILL at random moments, a torn
//! line, a failure, an enlarged grid.

use std::fs::OpenOptions;
use std::io::Write;

use crate::support::kills::{kill_and_resume, kills, time_undisturbed};
use crate::support::{Bench, wait_until};

#[test]
fn sigkill_at_random_moments_loses_no_finished_trial() {
    let bench = Bench::scripted("delay_ms = 10");
    let undisturbed = time_undisturbed(&bench);
    kill_and_resume(&bench, kills(), undisturbed);
}

#[test]
fn a_finished_run_is_a_no_op() {
    let bench = Bench::scripted("");
    bench.run("out", &[], 0);
    let files =
        ["trials.csv", "cells.csv", "timings.csv", "manifest.json", "trials.jsonl", "plots/score-by-temperature.svg"];
    let before = files.map(|name| bench.result("out", name));
    bench.run("out", &[], 0);
    let after = files.map(|name| bench.result("out", name));
    assert_eq!(before, after);
}

#[test]
fn enlarging_the_grid_computes_only_what_is_new() {
    let bench = Bench::scripted("");
    bench.run("out", &[], 0);
    let before = bench.result("out", "trials.jsonl");
    // 3 prompts × (2 temperatures × 3 seeds + greedy, once for both temperatures)
    assert_eq!(before.lines().count(), 21);
    bench.edit("temperature = [0.5, 1.0]", "temperature = [0.5, 0.7, 1.0]");
    bench.run("out", &[], 0);
    let after = bench.result("out", "trials.jsonl");
    assert!(after.starts_with(&before), "the journal is only appended to");
    assert_eq!(after.lines().count(), 21 + 9);
    assert_eq!(bench.result("out", "trials.csv").lines().count(), 1 + 3 * 3 * (3 + 1));
}

#[test]
fn two_models_of_one_file_share_their_texts() {
    let bench = Bench::scripted("");
    bench.edit("model = [\"scripted\"]", "model = [\"scripted\", \"twin\"]");
    bench.write("x.toml", bench.read("x.toml") + "\n[[model]]\nid = \"twin\"\npath = \"m.scripted.toml\"\n");
    let said = bench.run("out", &[], 0);
    assert!(said.stderr.contains("21 of 21 texts to generate, 1 to load"), "{said:#?}");
    assert_eq!(bench.result("out", "trials.jsonl").lines().count(), 21);
    assert_eq!(bench.result("out", "trials.csv").matches(",ok,").count(), 2 * 24);
}

#[test]
fn a_torn_last_line_is_dropped_and_its_trial_runs_again() {
    let bench = Bench::scripted("");
    bench.run("out", &[], 0);
    let journal = bench.path().join("out/trials.jsonl");
    let whole = std::fs::read(&journal).unwrap();
    let clean = bench.reproducible("out");
    std::fs::write(&journal, &whole[..whole.len() - 40]).unwrap();
    let said = bench.run("out", &[], 0);
    assert!(said.stderr.contains("incomplete last line"), "{said:#?}");
    assert_eq!(bench.reproducible("out"), clean);
}

#[test]
fn a_damaged_line_in_the_middle_is_an_error_that_names_it() {
    let bench = Bench::scripted("");
    bench.run("out", &[], 0);
    let journal = bench.path().join("out/trials.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, text.replacen("\"v\":2", "\"v\":!", 1)).unwrap();
    let said = bench.run("out", &[], 96);
    assert!(said.stderr.contains("trials.jsonl:1"), "{said:#?}");
}

#[test]
fn a_newer_journal_is_refused() {
    let bench = Bench::scripted("");
    bench.run("out", &[], 0);
    let mut journal = OpenOptions::new().append(true).open(bench.path().join("out/trials.jsonl")).unwrap();
    journal.write_all(b"{\"v\":3,\"something\":\"else\"}\n").unwrap();
    let said = bench.run("out", &[], 96);
    assert!(said.stderr.contains("newer moe-sweep"), "{said:#?}");
}

#[test]
fn two_runs_do_not_share_a_directory() {
    let bench = Bench::scripted("delay_ms = 100");
    let mut first = bench.start("out", &[]);
    wait_until("the first run begins", || bench.exists("out/manifest.json"));
    let said = bench.run("out", &[], 96);
    assert!(said.stderr.contains("in use by another run"), "{said:#?}");
    assert!(first.wait().unwrap().success());
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_cleanly_and_the_same_command_resumes() {
    let bench = Bench::scripted("delay_ms = 50");
    bench.run("undisturbed", &[], 0);
    let mut child = bench.start("out", &[]);
    bench.wait_for_trials("out", 3);
    let pid = nix::unistd::Pid::from_raw(child.id() as i32);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(bench.result("out", "trials.jsonl").ends_with('\n'));
    bench.run("out", &[], 0);
    assert_eq!(bench.reproducible("out"), bench.reproducible("undisturbed"));
}

#[test]
fn what_a_killed_run_evaluated_is_unknown_and_not_zero() {
    let work = |bench: &Bench| {
        let table = bench.result("out", "timings.csv");
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let column = reader.headers().unwrap().iter().position(|name| name == "evaluated_tokens").unwrap();
        let rows = reader.records().map(|row| row.unwrap());
        rows.filter(|row| &row[0] == "work").map(|row| row[column].to_owned()).collect::<Vec<_>>()
    };
    let bench = Bench::scripted("delay_ms = 20");
    bench.run("out", &[], 0);
    assert_eq!(work(&bench).len(), 1);
    assert!(work(&bench)[0].parse::<u64>().is_ok_and(|tokens| tokens > 0));

    let bench = Bench::scripted("delay_ms = 20");
    let mut run = bench.start("out", &[]);
    bench.wait_for_trials("out", 1);
    run.kill().unwrap();
    run.wait().unwrap();
    let said = bench.run("out", &["-v"], 0);
    assert_eq!(work(&bench), [""]);
    assert!(said.stdout.contains("not known: a run was killed"), "{}", said.stdout);
}
