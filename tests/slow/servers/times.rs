//! Answers that have no end, and servers that nobody need wait for.

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{all, bench, fates};
use crate::support::canned::prompt;
use crate::support::server::{Request, words};
use crate::support::{Bench, Said, wait_until};

/// A server that keeps its connections, and counts them. `misbehave` is asked for all but the first three
/// prompts, which the probe asks for, and says whether it did.
struct Keeping {
    url: String,
    connections: Arc<AtomicUsize>,
}

type Misbehave = fn(&mut TcpStream, &Request) -> io::Result<()>;

const HEAD: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

impl Keeping {
    fn start(misbehave: Misbehave) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                // A client that goes away is no fault of the test.
                thread::spawn(move || answer_all(stream, misbehave).ok());
            }
        });
        Self { url, connections }
    }
}

fn answer_all(mut stream: TcpStream, misbehave: Misbehave) -> io::Result<()> {
    stream.set_nodelay(true)?;
    while let Some(request) = Request::read(&stream)? {
        match &*request.path {
            "/v1/models" => whole(&mut stream, "200 OK", &json!({ "data": [{ "id": "tiny" }] }).to_string())?,
            "/v1/completions" => misbehave(&mut stream, &request)?,
            _ => whole(&mut stream, "404 Not Found", "")?,
        }
    }
    Ok(())
}

fn whole(stream: &mut TcpStream, status: &str, body: &str) -> io::Result<()> {
    stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
}

fn chunk(stream: &mut TcpStream, text: &str) -> io::Result<()> {
    stream.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes())
}

fn piece(stream: &mut TcpStream, text: &str) -> io::Result<()> {
    chunk(stream, &format!("data: {}\n\n", json!({ "choices": [{ "text": text, "finish_reason": null }] })))
}

/// A text and its end, but not the end of the body.
fn text(stream: &mut TcpStream, request: &Request) -> io::Result<()> {
    let n = request.body["max_tokens"].as_u64().expect("a number") as usize;
    let heeded = format!("{} {} {}", prompt(request), request.body["seed"], request.body["temperature"]);
    let words = if heeded.starts_with("to be able") { vec![" able".to_owned(); n] } else { words(&heeded, n) };
    stream.write_all(HEAD.as_bytes())?;
    words.iter().try_for_each(|word| piece(stream, word))?;
    let end = json!({ "choices": [{ "text": "", "finish_reason": "length" }] });
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": 3, "completion_tokens": n } });
    chunk(stream, &format!("data: {end}\n\ndata: {usage}\n\ndata: [DONE]\n\n"))
}

fn well(stream: &mut TcpStream, request: &Request) -> io::Result<()> {
    text(stream, request)?;
    stream.write_all(b"0\r\n\r\n")
}

/// Sends a part every 0.2 s.
fn drip(stream: &mut TcpStream, part: &str) -> io::Result<()> {
    loop {
        chunk(stream, part)?;
        thread::sleep(Duration::from_millis(200));
    }
}

/// Prompts that are answered well, which the probe asks for, and one that is not.
fn after_the_probe(url: &str, wrong: &str) -> Bench {
    let bench = bench(url, &["one", "two", "three", wrong]);
    bench.edit("temperature = [0.5, 1.0]", "temperature = [0.5]");
    bench.edit("count = 2", "count = 1");
    let experiment = bench.read("x.toml");
    bench.write("x.toml", experiment.split("[[hypothesis]]").next().unwrap());
    bench
}

/// The run's output, and how long it took.
fn timed(bench: &Bench, code: i32) -> (Said, Duration) {
    let begun = Instant::now();
    (bench.run("out", &[], code), begun.elapsed())
}

#[test]
fn bytes_that_are_no_whole_line_are_silence() {
    let server = Keeping::start(|stream, request| match prompt(request) {
        "drips" => {
            stream.write_all(HEAD.as_bytes())?;
            piece(stream, " the")?;
            chunk(stream, "data: ")?;
            drip(stream, "x")
        }
        "drips at once" => {
            stream.write_all(HEAD.as_bytes())?;
            drip(stream, ":")
        }
        _ => well(stream, request),
    });
    for wrong in ["drips", "drips at once"] {
        let bench = after_the_probe(&server.url, wrong);
        let (_, seconds) = timed(&bench, 3);
        // Asked for twice, for silence_s = 1 each.
        assert!(seconds < Duration::from_secs(8), "{wrong}: {seconds:?}");
        all(&fates(&bench, 1), "ok", "max_tokens");
        all(&fates(&bench, 4), "censored", "cut");
    }
}

#[test]
fn an_answer_has_an_end_whatever_its_server_does() {
    let server = Keeping::start(|stream, request| match prompt(request) {
        "words" => {
            stream.write_all(HEAD.as_bytes())?;
            loop {
                piece(stream, " on")?;
                thread::sleep(Duration::from_millis(200));
            }
        }
        "nothing" => {
            stream.write_all(HEAD.as_bytes())?;
            drip(stream, &format!("data: {}\n\n", json!({ "choices": [] })))
        }
        _ => well(stream, request),
    });
    for (wrong, status, stop) in [("words", "censored", "cut"), ("nothing", "failed", "")] {
        let bench = after_the_probe(&server.url, wrong);
        bench.edit("silence_s = 1", "silence_s = 1\nanswer_s = 2");
        let (_, seconds) = timed(&bench, 3);
        // It is asked for once.
        assert!(seconds < Duration::from_secs(8), "{wrong}: {seconds:?}");
        all(&fates(&bench, 4), status, stop);
        assert!(bench.result("out", "trials.jsonl").contains("answer_s = 2 s"), "{wrong}");
        // It is an outcome, and not asked for again.
        let (_, seconds) = timed(&bench, 3);
        assert!(seconds < Duration::from_secs(4), "{wrong}: {seconds:?}");
    }
}

#[test]
fn a_server_that_is_too_slow_for_the_probe_is_refused() {
    let server = Keeping::start(|stream, _| {
        stream.write_all(HEAD.as_bytes())?;
        loop {
            piece(stream, " on")?;
            thread::sleep(Duration::from_millis(200));
        }
    });
    let bench = after_the_probe(&server.url, "four");
    bench.edit("silence_s = 1", "silence_s = 1\nanswer_s = 2");
    let (said, seconds) = timed(&bench, 96);
    assert!(seconds < Duration::from_secs(8), "{seconds:?}");
    said.says(&["a text of 24 tokens took longer than answer_s = 2 s"]);
}

#[test]
fn a_whole_answer_a_head_and_a_refusal_have_an_end_too() {
    let server = Keeping::start(|stream, request| match prompt(request) {
        "head" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nX-A: ")?;
            loop {
                stream.write_all(b"x")?;
                thread::sleep(Duration::from_millis(200));
            }
        }
        "body" => {
            stream.write_all(HEAD.as_bytes())?;
            drip(stream, " ")
        }
        "refusal" => {
            stream.write_all(b"HTTP/1.1 400 No\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            drip(stream, "because ")
        }
        _ => {
            let n = request.body["max_tokens"].as_u64().expect("a number") as usize;
            let heeded = format!("{} {} {}", prompt(request), request.body["seed"], request.body["temperature"]);
            let choice = json!({ "text": words(&heeded, n).concat(), "finish_reason": "length" });
            whole(stream, "200 OK", &json!({ "choices": [choice], "usage": { "completion_tokens": n } }).to_string())
        }
    });
    for (wrong, reason) in [("head", "no answer"), ("body", "answer_s = 3 s"), ("refusal", "400 Bad Request: because")]
    {
        let bench = after_the_probe(&server.url, wrong);
        bench.edit("silence_s = 1", "silence_s = 1\nanswer_s = 3\ndelivery = \"whole\"");
        let (_, seconds) = timed(&bench, 3);
        // A head is waited for five times.
        assert!(seconds < Duration::from_secs(20), "{wrong}: {seconds:?}");
        all(&fates(&bench, 4), "failed", "");
        assert!(bench.result("out", "trials.jsonl").contains(reason), "{wrong}");
    }
}

#[test]
fn what_a_server_is_is_not_waited_for_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let dripping = thread::spawn(move || -> io::Result<()> {
                Request::read(&stream)?;
                stream.write_all(HEAD.as_bytes())?;
                drip(&mut stream, " ")
            });
            drop(dripping);
        }
    });
    let bench = after_the_probe(&url, "four");
    bench.edit("silence_s = 1", "silence_s = 1\nanswer_s = 2");
    let (said, seconds) = timed(&bench, 96);
    assert!(seconds < Duration::from_secs(6), "{seconds:?}");
    said.says(&["the server refuses /v1/models"]);
}

#[test]
fn what_comes_after_the_end_is_not_waited_for() {
    let server = Keeping::start(|stream, request| {
        text(stream, request)?;
        // The end of the body does not come.
        thread::sleep(Duration::from_secs(120));
        Ok(())
    });
    let bench = bench(&server.url, &["one", "two", "three"]);
    bench.edit("silence_s = 1", "silence_s = 60");
    let (_, seconds) = timed(&bench, 0);
    assert!(seconds < Duration::from_secs(20), "{seconds:?}");
    all(&fates(&bench, 1), "ok", "max_tokens");
}

#[test]
fn a_connection_is_used_again_where_the_answer_did_end() {
    let server = Keeping::start(|stream, request| {
        text(stream, request)?;
        // As a server does whose writes are its own packets.
        thread::sleep(Duration::from_millis(5));
        stream.write_all(b"0\r\n\r\n")
    });
    let bench = bench(&server.url, &["one", "two", "three", "four"]);
    bench.edit("silence_s = 1", "silence_s = 1\nconcurrency = 2");
    bench.run("out", &[], 0);
    let connections = server.connections.load(Ordering::Relaxed);
    // One for the probe, and one for each request at a time; some thirty-five texts were asked for.
    assert!(connections <= 4, "{connections} connections");
}

/// The processes that this run started, as Linux shows them.
#[cfg(target_os = "linux")]
fn workers(mark: &str) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let marked = |environment: Vec<u8>| environment.windows(mark.len()).any(|window| window == mark.as_bytes());
    processes.filter(|process| std::fs::read(process.path().join("environ")).is_ok_and(marked)).count()
}

#[test]
#[cfg(target_os = "linux")]
fn a_worker_does_not_outlive_a_run_that_is_killed() {
    let server = Keeping::start(|stream, request| match prompt(request) {
        "stalls" => {
            stream.write_all(HEAD.as_bytes())?;
            thread::sleep(Duration::from_secs(120));
            Ok(())
        }
        _ => well(stream, request),
    });
    let bench = after_the_probe(&server.url, "stalls");
    bench.edit("silence_s = 1", "silence_s = 100");
    let mark = format!("MOE_SWEEP_TEST_MARK={}", bench.path().display());
    let (name, value) = mark.split_once('=').unwrap();
    let mut command = bench.command(&["run", "x.toml", "--out", "out"]);
    let mut run = command.env(name, value).spawn().expect("moe-sweep starts");
    bench.wait_for_trials("out", 3);
    assert_eq!(workers(&mark), 2);
    run.kill().unwrap();
    run.wait().unwrap();
    let begun = Instant::now();
    wait_until("the worker ends", || workers(&mark) == 0);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[test]
fn a_run_does_not_wait_for_the_texts_of_a_server_that_is_gone() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let gone = Arc::new(AtomicUsize::new(0));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if gone.load(Ordering::Relaxed) > 0 {
                // The listener goes, and its port is nobody's.
                return;
            }
            let gone = Arc::clone(&gone);
            thread::spawn(move || {
                let misbehave: Misbehave = |stream, request| match prompt(request) {
                    "stalls" => {
                        stream.write_all(HEAD.as_bytes())?;
                        thread::sleep(Duration::from_secs(120));
                        Ok(())
                    }
                    "goes" => Err(io::ErrorKind::ConnectionReset.into()),
                    _ => well(stream, request),
                };
                if answer_all(stream, misbehave).is_err() {
                    gone.store(1, Ordering::Relaxed);
                }
            });
        }
    });
    let bench = after_the_probe(&url, "stalls");
    bench.edit("\"stalls\"", "\"stalls\", \"goes\"");
    bench.edit("silence_s = 1", "silence_s = 100");
    let (said, seconds) = timed(&bench, 3);
    assert!(seconds < Duration::from_secs(20), "{seconds:?}");
    said.says(&["cannot reach"]);
}
