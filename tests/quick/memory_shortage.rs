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
        "loaded again in 1 s, with 1 lane",
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
    said.says(&["memory is short: in 1 s the worker died 2 times", "SIGKILL", "--batch", "the same command goes on"]);
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

/// As systems without the kernel's hand have it: llama.cpp itself says that it got none.
#[cfg(target_os = "linux")]
#[test]
fn a_model_of_llama_cpp_serves_or_says_that_memory_is_short() {
    use std::os::unix::fs::PermissionsExt as _;

    use moe_sweep::engine::{Group, Job, LoadSettings, Samplers, Sharing, Strategy, Work};
    use moe_sweep::experiment::{Bos, Numerics, Offload, OpOffload, ResolvedChain, Seed, Step, Temperature, Template};
    use moe_sweep::worker::protocol::{Reply, Request};
    use moe_sweep::worker::{Cause, Silence, Worker};

    let bench = Bench::new("");
    let path = crate::support::models().join("deepseek-tiny.gguf");
    let settings = LoadSettings {
        blake3: moe_sweep::model::blake3_of(&path).expect("the model is there"),
        path,
        offload: Offload::None,
        op_offload: OpOffload::Off,
        numerics: Numerics::Invariant,
        context: 256,
        strategy: Strategy { lanes: 2, threads: 1, rows: 64 },
        samplers: Samplers::Fast,
        sharing: Sharing::Trie,
    };
    let t = Temperature::new(0.9).expect("a temperature");
    let chain = ResolvedChain(vec![Step::Temperature { t }, Step::Dist]);
    let job = |ticket| Job { ticket, chain: chain.clone(), seed: Seed::new(ticket) };
    let group = |prompt: &str, from| Group {
        prompt: prompt.to_owned(),
        template: Template::Raw,
        jobs: (from..from + 32).map(job).collect(),
    };
    let groups = vec![group("Once upon a time", 0), group("The sun is", 32)];
    let work = Work { max_tokens: 8, bos: Bos::Model, groups, hash_logits: false };

    let (mut served, mut short) = (0, 0);
    for megabytes in [60, 120, 180, 240, 300, 400, 600, 900, 4000] {
        let limited = bench.path().join("limited");
        let program = env!("CARGO_BIN_EXE_moe-sweep");
        bench.write("limited", format!("#!/bin/sh\nulimit -v {}\nexec {program:?} \"$@\"\n", megabytes * 1000));
        fs::set_permissions(&limited, fs::Permissions::from_mode(0o755)).expect("its own file");
        let mut worker = Worker::start(&limited, Numerics::Invariant).expect("a worker");
        worker.send(&Request::Load(settings.clone()));
        worker.send(&Request::Generate(work.clone()));
        loop {
            match worker.receive(Duration::from_secs(60)) {
                Ok(Reply::Idle) => {
                    served += 1;
                    break;
                }
                Ok(_) => {}
                Err(Silence::Died(death)) => {
                    assert_eq!(death.cause, Cause::Memory, "{megabytes} MB: {death}");
                    short += 1;
                    break;
                }
                Err(Silence::TimedOut) => panic!("{megabytes} MB: the worker hangs"),
            }
        }
    }
    assert!(served > 0 && short > 0, "{served} served, {short} did not");
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
    assert!(said.contains("loaded again in 5 s") && said.contains("interrupted"), "{said}");
}
