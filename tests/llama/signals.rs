//! What signals do to a command, and that no worker outlives it.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Bench, GGUF, PROGRAM, gguf, hear_signals, models, wait_until, without_the_callers_variables};
use moe_sweep::domain::{LoadKey, Numerics, Offload, OpOffload, Quant};
use moe_sweep::engine::{LoadMode, LoadSettings, Quantisation, Samplers, Sharing, Strategy};
use moe_sweep::experiment::{Api, Served, Server};
use moe_sweep::worker::protocol::Request;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc;
use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::unistd::Pid;

/// How soon a signal is heeded, and a worker follows its parent.
const SOON: Duration = Duration::from_secs(1);
/// Until whatever was started is at work.
const AT_WORK: Duration = Duration::from_millis(700);
/// More than is hashed in that time.
const BIG: u64 = 14 << 30;

fn send(process: u32, signal: Signal) {
    kill(Pid::from_raw(process as i32), signal).expect("the signal can be sent");
}

/// Processes that this one has started: their ids.
fn children(of: u32) -> Vec<u32> {
    let ids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    ids.filter(|&id: &u32| stat(id).is_some_and(|(_, parent)| parent == of)).collect()
}

/// A process's state and parent; None where there is no such process.
fn stat(id: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Whether a process has ended; that nobody asked how does not matter.
fn is_gone(id: u32) -> bool {
    stat(id).is_none_or(|(state, _)| state == 'Z')
}

fn assert_soon(begun: Instant) {
    assert!(begun.elapsed() < SOON, "only after {:?}", begun.elapsed());
}

fn assert_soon_gone(ids: &[u32]) {
    assert!(!ids.is_empty(), "there is no worker");
    let begun = Instant::now();
    wait_until("the worker is gone", || ids.iter().all(|&id| is_gone(id)));
    assert_soon(begun);
}

/// A command that `sh` prepares: `$1` is the program, what follows are its arguments.
fn shell(bench: &Bench, script: &str, arguments: &[&str]) -> Command {
    let mut command = without_the_callers_variables("sh");
    command.args(["-c", script, "sh", PROGRAM]).args(arguments);
    command.current_dir(bench.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    hear_signals(&mut command);
    command
}

const RUN: [&str; 4] = ["run", "x.toml", "--out", "out"];

/// A model file that takes long to hash, of which only the beginning lies on the disk.
fn big_model(bench: &Bench) -> PathBuf {
    let path = bench.path().join("m.gguf");
    fs::copy(models().join("dense-tiny.gguf"), &path).expect("copied");
    File::options().write(true).open(&path).and_then(|file| file.set_len(BIG)).expect("a sparse file");
    path
}

/// A model of F32 weights that takes long to quantise: zeros, of which none lie on the disk.
fn wide_model(bench: &Bench) -> PathBuf {
    const ROWS: u64 = 1 << 20;
    let head = gguf::Builder::new()
        .text("general.architecture", "llama")
        .u32("llama.block_count", 1)
        .u32("llama.context_length", 128)
        .u32("llama.embedding_length", 256)
        .u32("llama.feed_forward_length", 256)
        .u32("llama.attention.head_count", 4)
        .key("llama.attention.layer_norm_rms_epsilon", 6, &1e-5_f32.to_le_bytes())
        .text("tokenizer.ggml.model", "none")
        .u32("llama.vocab_size", ROWS as u32)
        .tensor("token_embd.weight", &[256, ROWS], gguf::F32, 4 * 256 * ROWS)
        .tensor("output.weight", &[256, ROWS], gguf::F32, 4 * 256 * ROWS);
    let path = bench.path().join("wide.gguf");
    fs::write(&path, head.header()).expect("written");
    File::options().write(true).open(&path).and_then(|file| file.set_len(head.file_bytes())).expect("a sparse file");
    path
}

/// A server that takes connections and says nothing.
fn silent_server() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    (listener, url)
}

/// An experiment on a server.
fn of_server(url: &str) -> Bench {
    let bench = Bench::new(GGUF);
    bench.edit(
        "path = \"m.gguf\"",
        &format!("server = \"s\"\n\n[[server]]\nid = \"s\"\nurl = {url:?}\napi = \"openai\""),
    );
    bench
}

#[test]
fn what_is_inherited_as_ignored_ends_nothing() {
    for (name, signal) in [("HUP", Signal::SIGHUP), ("INT", Signal::SIGINT), ("TERM", Signal::SIGTERM)] {
        let bench = Bench::scripted("delay_ms = 20");
        let mut run = shell(&bench, &format!("trap '' {name}; exec \"$@\""), &RUN).spawn().expect("sh starts");
        bench.wait_for_trials("out", 2);
        send(run.id(), signal);
        assert_eq!(run.wait().unwrap().code(), Some(0), "{name}");
        assert_eq!(bench.result("out", "trials.jsonl").lines().count(), 21, "{name}");
    }
}

/// Its terminal is closed, which ends the `tee` that reads it, too.
#[test]
fn under_nohup_a_run_outlives_its_terminal() {
    let bench = Bench::scripted("delay_ms = 100");
    let terminal = nix::pty::openpty(None, None).expect("a terminal");
    // Nobody else may hold it open.
    fcntl(&terminal.master, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).expect("its own descriptor");
    let end = || Stdio::from(terminal.slave.try_clone().expect("a descriptor"));
    let mut session = shell(&bench, "nohup \"$@\" 2>&1 | tee log & wait", &RUN);
    session.stdin(end()).stdout(end()).stderr(end());
    // SAFETY: both are calls of the system that allocate nothing.
    unsafe {
        session.pre_exec(|| {
            nix::unistd::setsid()?;
            nix::errno::Errno::result(libc::ioctl(0, libc::TIOCSCTTY, 0))?;
            Ok(())
        });
    }
    let mut shell = session.spawn().expect("sh starts");
    bench.wait_for_trials("out", 2);
    drop(terminal);
    assert_eq!(shell.wait().unwrap().signal(), Some(Signal::SIGHUP as i32), "the shell goes with its terminal");
    assert!(bench.result("out", "trials.jsonl").lines().count() < 21, "the run was over before");
    wait_until("the run is complete", || {
        bench.exists("out/manifest.json") && bench.result("out", "manifest.json").contains("\"complete\"")
    });
    assert_eq!(bench.result("out", "trials.jsonl").lines().count(), 21);
}

#[test]
fn children_are_waited_for_where_the_parent_ignored_its_own() {
    let bench = Bench::scripted("abort_on = 'second'");
    let mut command = shell(&bench, "exec \"$@\"", &RUN);
    // By hand, for not every shell lets `trap '' CHLD` through.
    // SAFETY: a call of the system that allocates nothing.
    unsafe {
        command.pre_exec(|| {
            signal(Signal::SIGCHLD, SigHandler::SigIgn)?;
            Ok(())
        });
    }
    let status = command.status().expect("sh starts");
    assert_eq!(status.code(), Some(3));
    assert!(bench.result("out", "trials.jsonl").contains("SIGABRT"));
}

#[test]
fn a_signal_to_every_process_of_a_run_fails_no_text() {
    let bench = Bench::scripted("delay_ms = 50\ntogether = 3");
    let run = bench.start("out", &[]);
    bench.wait_for_trials("out", 3);
    let workers = children(run.id());
    workers.iter().for_each(|&worker| send(worker, Signal::SIGTERM));
    thread::sleep(Duration::from_millis(100));
    assert!(!workers.is_empty() && workers.iter().all(|&worker| !is_gone(worker)), "the worker has left its parent");
    send(run.id(), Signal::SIGTERM);
    assert_eq!(run.wait_with_output().unwrap().status.code(), Some(130));
    assert_soon_gone(&workers);
    assert!(!bench.result("out", "trials.jsonl").contains("failed"));
}

/// Ends a run in its set-up, and returns what it said.
fn end_in_set_up(bench: &Bench, arguments: &[&str], signal: Signal) -> String {
    let mut command = bench.command(arguments);
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("moe-sweep starts");
    thread::sleep(AT_WORK);
    assert!(run.try_wait().unwrap().is_none(), "it ended by itself");
    let workers = children(run.id());
    let begun = Instant::now();
    send(run.id(), signal);
    assert_eq!(run.wait().unwrap().code(), Some(130));
    wait_until("no worker is left", || workers.iter().all(|&id| is_gone(id)));
    assert_soon(begun);
    let mut said = String::new();
    run.stderr.take().expect("a pipe").read_to_string(&mut said).expect("UTF-8");
    said
}

#[test]
fn the_set_up_ends_soon_while_a_file_is_hashed() {
    let bench = Bench::new(GGUF);
    big_model(&bench);
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let said = end_in_set_up(&bench, &RUN, signal);
        assert!(said.contains("nothing was computed yet"), "{said}");
    }
    assert!(!bench.exists("out"), "nothing was begun");
}

#[test]
fn the_set_up_ends_soon_while_a_server_is_silent() {
    let (_listener, url) = silent_server();
    let said = end_in_set_up(&of_server(&url), &RUN, Signal::SIGINT);
    assert!(said.contains("nothing was computed yet"), "{said}");
}

#[test]
fn a_command_without_an_end_of_its_own_ends_by_the_signal_and_leaves_no_worker() {
    let (_listener, url) = silent_server();
    let bench = of_server(&url);
    let mut plan = bench.command(&["plan", "x.toml"]);
    let mut plan = plan.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("moe-sweep starts");
    wait_until("it has a worker", || !children(plan.id()).is_empty());
    let workers = children(plan.id());
    let begun = Instant::now();
    send(plan.id(), Signal::SIGINT);
    assert!(!plan.wait().unwrap().success());
    assert_soon(begun);
    assert_soon_gone(&workers);
}

/// What a worker may wait for when its parent goes.
fn occupations(bench: &Bench) -> Vec<(&'static str, Request)> {
    let (listener, url) = silent_server();
    // For as long as this process lives.
    std::mem::forget(listener);
    let server = Server::new("s".to_owned(), url, Api::Openai);
    let settings = LoadSettings {
        path: big_model(bench),
        blake3: String::new(),
        levels: LoadKey::usual("model").with(Offload::None).with(OpOffload::Off),
        numerics: Numerics::Invariant,
        context: 32,
        strategy: Strategy { lanes: 1, threads: 1, batch: 1 },
        samplers: Samplers::Fast,
        sharing: Sharing::None,
        load_mode: LoadMode::Auto,
    };
    let (source, target) = (wide_model(bench), bench.path().join("quantised.gguf"));
    vec![
        ("a silent server", Request::InspectServer { served: Served { server, name: "m".to_owned() }, context: 32 }),
        ("hashing", Request::Load(settings)),
        ("quantising", Request::Quantise(Quantisation { source, target, quant: Quant::Q4_K_M, threads: 1 })),
    ]
}

/// Reads requests from a pipe that this process holds open: of its parent's end it hears from the system alone.
fn worker_of_a_shell(bench: &Bench, request: &Request) -> (Child, u32, File) {
    let pipe = bench.path().join("requests");
    let _ = fs::remove_file(&pipe);
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let mut requests = File::options().read(true).write(true).open(&pipe).expect("opened");
    let parent = shell(bench, "\"$1\" worker < requests > replies 2> said & wait", &[]).spawn().expect("sh starts");
    writeln!(requests, "{}", serde_json::to_string(request).expect("plain data")).expect("written");
    wait_until("the worker runs", || children(parent.id()).iter().any(|&id| is_worker(id)));
    let worker = children(parent.id())[0];
    (parent, worker, requests)
}

fn is_worker(id: u32) -> bool {
    // The target folder may be a link.
    let program = fs::canonicalize(PROGRAM).expect("it is there");
    fs::read_link(format!("/proc/{id}/exe")).is_ok_and(|path| path == program)
}

fn assert_at_work(bench: &Bench, worker: u32, what: &str) {
    thread::sleep(AT_WORK);
    let said = fs::read_to_string(bench.path().join("said")).unwrap_or_default();
    assert!(!is_gone(worker), "{what}: the worker ended by itself: {said}");
}

#[test]
fn a_worker_goes_with_its_parent_whatever_it_waits_for() {
    let bench = Bench::new("");
    for (what, request) in occupations(&bench) {
        for stop in [false, true] {
            let (mut parent, worker, _requests) = worker_of_a_shell(&bench, &request);
            assert_at_work(&bench, worker, what);
            if stop {
                send(worker, Signal::SIGSTOP);
            }
            send(parent.id(), Signal::SIGKILL);
            parent.wait().unwrap();
            assert_soon_gone(&[worker]);
        }
    }
}

#[test]
fn a_worker_goes_with_its_requests_whatever_it_waits_for() {
    let bench = Bench::new("");
    for (what, request) in occupations(&bench) {
        let mut command = bench.command(&["worker"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut worker = command.spawn().expect("a worker starts");
        let mut requests = worker.stdin.take().expect("a pipe");
        writeln!(requests, "{}", serde_json::to_string(&request).expect("plain data")).expect("written");
        assert_at_work(&bench, worker.id(), what);
        let begun = Instant::now();
        drop(requests);
        assert!(worker.wait().unwrap().success(), "{what}");
        assert_soon(begun);
    }
}

#[test]
fn a_run_that_is_killed_takes_its_worker_along() {
    let (_listener, url) = silent_server();
    let bench = of_server(&url);
    let mut run = bench.start("out", &[]);
    wait_until("it has a worker", || !children(run.id()).is_empty());
    let workers = children(run.id());
    thread::sleep(AT_WORK);
    run.kill().unwrap();
    run.wait().unwrap();
    assert_soon_gone(&workers);
}
