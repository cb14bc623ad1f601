//! Servers as engines: what they get wrong, what becomes of it, and that
//! nothing is lost or given away.

mod addresses;
mod answers;
mod contexts;
mod defaults;
mod loops;
mod secrets;
mod times;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::Bench;
use crate::support::server::{Manners, Server};

/// `PROMPTS` and `SERVER` are to be replaced.
const EXPERIMENT: &str = r#"
schema = 1
name = "x"

[generate]
max_tokens = 12
context = 64

[grid]
model = ["m"]
chain = ["pure"]
temperature = [0.5, 1.0]
seed = { from = 0, count = 2 }

[prompts]
inline = [PROMPTS]

[[model]]
id = "m"
server = "s"
served_as = "tiny"

[[server]]
id = "s"
url = "SERVER"
api = "openai"
silence_s = 1
patience_s = 1

[[hypothesis]]
id = "rises"
trend = "temperature"
expect = "increasing"
"#;

const PROMPTS: [&str; 6] = ["one", "two", "three", "four", "five", "six"];

fn bench(url: &str, prompts: &[&str]) -> Bench {
    let prompts: Vec<_> = prompts.iter().map(|prompt| format!("{prompt:?}")).collect();
    Bench::new(&EXPERIMENT.replace("PROMPTS", &prompts.join(", ")).replace("SERVER", url))
}

/// Of the trials of a prompt (its id is p1, p2, …): how many are of each status and stop.
fn fates(bench: &Bench, prompt: usize) -> Vec<(String, String)> {
    let table = bench.result("out", "trials.csv");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let at = |name: &str| header.iter().position(|column| column == name).expect("a column");
    let id = format!("p{prompt}");
    let rows = reader.records().map(|row| row.expect("a row"));
    rows.filter(|row| row[at("prompt")] == id).map(|row| (row[at("status")].into(), row[at("stop")].into())).collect()
}

fn all(fates: &[(String, String)], status: &str, stop: &str) {
    assert!(!fates.is_empty() && fates.iter().all(|fate| (&*fate.0, &*fate.1) == (status, stop)), "{fates:?}");
}

#[test]
fn a_sweep_against_a_server_is_a_sweep() {
    let server = Server::start(Manners::default());
    let bench = bench(&server.url, &PROMPTS);
    let said = bench.run("out", &[], 0);
    assert!(said.stdout.contains("all 24 trials ok"), "{}", said.stdout);
    assert!(!said.stdout.contains("NOT honoured"), "{}", said.stdout);
    let honoured = ["server:  m, by s (openai), honours ", "seed (4 different texts of 4 seeds at T 1)"];
    assert!(honoured.iter().all(|part| said.stdout.contains(part)), "{}", said.stdout);
    all(&fates(&bench, 1), "ok", "max_tokens");
    // It is asked for nothing twice.
    let asked = server.asked("six");
    bench.run("out", &[], 0);
    assert_eq!(server.asked("six"), asked);
    let verbose = bench.run("again", &["-v"], 0);
    assert_eq!(bench.reproducible("out"), bench.reproducible("again"));
    // Of what happens in a server nothing is said as if it were known.
    for nonsense in ["tokens evaluated", "placement: ", "offload"] {
        assert!(!verbose.stdout.contains(nonsense), "{nonsense}: {}", verbose.stdout);
    }
    let plan = bench.say(&["plan", "x.toml"]);
    assert!(plan.stdout.contains("not known yet what the server honours"), "{}", plan.stdout);
}

#[test]
fn each_fault_becomes_what_it_should() {
    let server = Server::start(Manners::default());
    let prompts = [
        "well", "two", "three", "drops", "busy", "broken", "refused", "cut", "blinks", "stalls", "pings", "half",
        "lies", "endless",
    ];
    let bench = bench(&server.url, &prompts);
    let begun = Instant::now();
    let said = bench.run("out", &[], 3);
    assert!(begun.elapsed() < Duration::from_secs(120), "something hung");
    let fate = |name: &str| fates(&bench, 1 + prompts.iter().position(|prompt| *prompt == name).unwrap());
    for name in ["well", "drops", "busy", "blinks", "half", "lies"] {
        all(&fate(name), "ok", "max_tokens");
    }
    for name in ["broken", "refused", "endless"] {
        all(&fate(name), "failed", "");
    }
    // What it would have become is not known.
    for name in ["cut", "stalls", "pings"] {
        all(&fate(name), "censored", "cut");
    }
    let journal = bench.result("out", "trials.jsonl");
    for reason in [
        "out of memory",
        "I do not like",
        "response was dropped",
        "the server reports 1 tokens but sent 12 \
                                                                              pieces",
    ] {
        assert!(journal.contains(reason), "no {reason:?}");
    }
    assert!(journal.contains('\u{FFFD}'), "half a character is marked");
    assert!(said.stdout.contains("12 censored (cut by a server), 12 failed"), "{}", said.stdout);
    let verdicts = bench.result("out", "verdicts.json");
    assert!(verdicts.contains("12 of 56 texts were cut by a server"), "{verdicts}");
    // Repaired, the failed ones are had; the cut ones are an outcome.
    server.recover();
    bench.run("out", &["--retry-failed"], 3);
    all(&fate("broken"), "ok", "max_tokens");
    all(&fate("cut"), "censored", "cut");
}

#[test]
fn a_server_that_goes_away_ends_the_run_and_fails_no_trial() {
    let prompts: Vec<String> = (0..40).map(|n| format!("prompt {n}")).collect();
    let prompts: Vec<&str> = prompts.iter().map(String::as_str).collect();
    let server = Server::start(Manners::default());
    let bench = bench(&server.url, &prompts);
    // The probes see the first three.
    bench.edit("\"prompt 4\"", "\"stalls a while\", \"prompt 4\"");
    bench.run("whole", &[], 3);

    let address = server.address();
    let mut child = bench.start("out", &[]);
    bench.wait_for_trials("out", 1);
    server.stop();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let kept = bench.result("out", "trials.jsonl").lines().count();
    assert!(kept > 0 && !bench.result("out", "trials.jsonl").contains("\"failed\""));
    let said = bench.run("out", &[], 96);
    said.says(&["no server answers at", "is the server running"]);

    let _server = Server::start_at(Manners::default(), address);
    bench.run("out", &[], 3);
    assert!(bench.result("out", "trials.jsonl").lines().count() > kept);
    assert_eq!(bench.reproducible("out"), bench.reproducible("whole"));
}

#[test]
fn what_a_server_ignores_is_said_and_decides_nothing() {
    let manners = Manners { ignores_seed: true, ignores_temperature: true, ..Manners::default() };
    let server = Server::start(manners);
    let bench = bench(&server.url, &PROMPTS);
    let said = bench.run("out", &[], 0);
    for warning in [
        "m: seed: NOT honoured (1 different texts of 4 seeds at T 1, with each of 3 prompts)",
        "m: temperature: NOT honoured",
    ] {
        assert!(said.stdout.contains(warning), "{}", said.stdout);
        assert!(bench.result("out", "manifest.json").contains(warning));
    }
    assert!(bench.result("out", "report.html").contains("NOT honoured"));
    let verdicts = bench.result("out", "verdicts.json");
    assert!(verdicts.contains("inconclusive") && verdicts.contains("does not honour temperature"), "{verdicts}");
}

#[test]
fn a_guard_against_loops_is_found() {
    let server = Server::start(Manners { cuts_loops: true, ..Manners::default() });
    let bench = bench(&server.url, &PROMPTS);
    let said = bench.run("out", &[], 0);
    assert!(said.stdout.contains("a text that repeats itself: NOT honoured"), "{}", said.stdout);
    assert!(bench.result("out", "verdicts.json").contains("does not honour a text that repeats itself"));
}

#[test]
fn a_key_is_found_nowhere() {
    const KEY: &str = "sk-verysecret0123456789";
    let server = Server::start(Manners::default());
    let bench = bench(&server.url, &["one", "two", "three", "refused"]);
    bench.edit("api = \"openai\"", "api = \"openai\"\nkey_env = \"MOE_SWEEP_TEST_KEY\"");
    let said = bench.run("out", &[], 96);
    said.says(&["set the environment variable MOE_SWEEP_TEST_KEY"]);
    let output = bench.command(&["run", "x.toml", "--out", "out"]).env("MOE_SWEEP_TEST_KEY", KEY).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    // The server repeats it; it is blotted out.
    assert!(bench.result("out", "trials.jsonl").contains("I do not like Bearer [key]"));
    for text in [output.stdout, output.stderr] {
        assert!(!String::from_utf8(text).unwrap().contains(KEY));
    }
    assert_eq!(files_with(bench.path(), KEY.as_bytes()), Vec::<String>::new());
}

/// The files below a directory that hold these bytes.
fn files_with(directory: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, bytes));
        } else if fs::read(&path).unwrap().windows(bytes.len()).any(|window| window == bytes) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn what_an_api_cannot_say_is_an_error_of_the_set_up() {
    let server = Server::start(Manners::default());
    let bench = bench(&server.url, &PROMPTS);
    bench.edit("\"pure\"", "\"pure\", \"llama.cpp\"");
    let said = bench.run("out", &[], 96);
    said.says(&["chain llama.cpp can't be used with the model m", "top_k", "extensions", "[[grid.exclude]]"]);
    assert!(!bench.exists("out"), "nothing is written");
    bench.edit("\"pure\", \"llama.cpp\"", "\"pure\"");
    bench.edit("served_as = \"tiny\"", "served_as = \"huge\"");
    let said = bench.run("out", &[], 96);
    said.says(&["it has no model \"huge\"; set served_as to one of: tiny"]);
}

#[test]
fn a_server_on_the_command_line_takes_the_models_place() {
    let server = Server::start(Manners::default());
    let bench = Bench::scripted("");
    bench.edit("chain = [\"pure\", \"greedy\"]", "chain = [\"pure\"]");
    let arguments = ["--server", &server.url, "--api", "openai", "--served-as", "tiny"];
    bench.run("out", &arguments, 0);
    assert!(bench.result("out", "manifest.json").contains("it reports: owned_by tests"));
    let said = bench.run("out", &["--server", &server.url, "--api", "opnai"], 2);
    said.says(&["invalid value 'opnai'", "openai, llama-server, ollama, shimmy", "'openai'"]);
}

#[test]
fn a_server_is_described_rightly_or_every_fault_is_named() {
    let bench = bench("ftp://somewhere", &PROMPTS);
    bench.edit("silence_s = 1", "silence_s = 0\nanswer_s = 0\nconcurrency = 0\nkey_env = \"sk-verysecret\"");
    bench.edit("server = \"s\"", "server = \"t\"");
    let said = bench.run("out", &[], 96);
    said.says(&[
        "does not begin with http:// or https://",
        "silence_s can't be 0",
        "answer_s can't be 0",
        "concurrency can't be 0",
        "key_env does not name an environment variable",
        "unknown server \"t\"",
    ]);
    assert!(!said.stderr.contains("verysecret"), "{}", said.stderr);
}

#[test]
fn a_password_in_an_address_is_refused_and_not_shown() {
    let bench = bench("http://me:verysecret@somewhere", &PROMPTS);
    let said = bench.run("out", &[], 96);
    said.says(&["http://…@somewhere", "it contains a user name or password", "url = ***"]);
    assert!(!said.stderr.contains("verysecret"), "{}", said.stderr);
}
