//! A server that sends the key back, in every field that is read: no eight letters of it come out.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::bench;
use crate::support::Bench;
use crate::support::canned::{Canned, prompt, stream, text, whole, with_header};
use crate::support::server::Request;

const KEY: &str = "sk-Zx7Q2m9WkV4tB8wT3eRjY6uP";
const APIS: [&str; 4] = ["openai", "llama-server", "ollama", "shimmy"];
/// Each is another way in which the key comes back; the first word of a prompt asks for it. The first
/// three prompts are those that the probe asks for.
const WAYS: [&str; 14] = [
    "plain one",
    "plain two",
    "plain three",
    "whole",
    "split",
    "escaped",
    "thought",
    "names",
    "reason",
    "error",
    "refused",
    "cut",
    "moved",
    "foreign",
];

fn key_of(request: &Request) -> String {
    request.key.strip_prefix("Bearer ").expect("the key is shown").to_owned()
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |all, c| all + &format!("\\u{:04x}", u32::from(c)))
}

/// What a server of this API states of itself, and what else it is asked.
fn answer(api: &'static str, request: &Request) -> Vec<u8> {
    let key = key_of(request);
    match &*request.path {
        "/v1/models" => whole(200, &json!({ "data": [{ "id": "tiny", "owned_by": key, "x": key }, { "id": key }] })),
        "/api/tags" => whole(200, &json!({ "models": [{ "name": "tiny", "digest": key }, { "name": key }] })),
        "/api/models" => whole(200, &json!({ "models": [{ "name": "tiny", "size_bytes": key }] })),
        "/version" | "/api/version" | "/health" => whole(200, &json!({ "version": format!("1 {key}") })),
        // Escaped, for once.
        "/props" => body(&format!(r#"{{"build_info":"{0}","model_path":"{0}"}}"#, escaped(&key))),
        "/api/show" => whole(
            200,
            &json!({
                "details": { "quantization_level": key }, "parameters": format!("stop {key}"),
                "model_info": { key.clone(): key, "llama.context_length": 4096 },
            }),
        ),
        _ => complete(api, request, &key),
    }
}

/// An answer that is not made of JSON values.
fn body(text: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len()).into_bytes()
}

fn complete(api: &str, request: &Request, key: &str) -> Vec<u8> {
    let words = text(request);
    let n = words.len();
    let data = |value: &str| if api == "ollama" { format!("{value}\n") } else { format!("data: {value}\n\n") };
    let piece = |text: &str, more: Value| {
        let mut value = match api {
            "openai" => json!({ "choices": [{ "text": text, "finish_reason": null }], "model": key }),
            "llama-server" => json!({ "content": text, "tokens": [1], "stop": false, "model": key }),
            "ollama" => json!({ "response": text, "done": false, "model": key }),
            _ => return data(text),
        };
        let place = if api == "openai" { &mut value["choices"][0] } else { &mut value };
        place.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        data(&value.to_string())
    };
    let end = |reason: &str| match api {
        "openai" => {
            let last = json!({ "choices": [{ "text": "", "finish_reason": reason }] });
            let usage = json!({ "choices": [], "usage": { "prompt_tokens": 3, "completion_tokens": n } });
            [last.to_string(), usage.to_string(), "[DONE]".to_owned()].iter().map(|value| data(value)).collect()
        }
        "llama-server" => data(
            &json!({
                "content": "", "stop": true, "stop_type": reason, "tokens_predicted": n, "tokens_evaluated": 3,
                "generation_settings": { "samplers": ["top_k", key] },
            })
            .to_string(),
        ),
        "ollama" => data(&json!({ "response": "", "done": true, "done_reason": reason, "eval_count": n }).to_string()),
        _ => data("[DONE]"),
    };
    let all = |pieces: String| stream(&(pieces + &end("length")));
    let letters = || key.chars().map(String::from);
    match prompt(request).split(' ').next().unwrap_or_default() {
        "whole" => all(piece(&format!(" it is {key}, {key}"), Value::Null)),
        "split" => all(letters().map(|letter| piece(&letter, Value::Null)).collect()),
        "escaped" if api != "shimmy" => all(piece("XX", Value::Null).replace("XX", &escaped(key))),
        "thought" if api != "shimmy" => {
            let name = if api == "ollama" { "thinking" } else { "reasoning_content" };
            let thought = letters().map(|letter| piece("", json!({ name: letter }))).collect::<String>();
            all(thought + &words.iter().map(|word| piece(word, Value::Null)).collect::<String>())
        }
        // What is not understood is named.
        "names" => {
            all(piece(" a", json!({ key: "x", "ponderings": key, "reasoning": [{ "type": key, "text": "x" }] })))
        }
        "reason" => stream(&(piece(" a", Value::Null) + &end(key))),
        "error" if api != "shimmy" => stream(
            &(piece(" a", Value::Null) + &data(&json!({ "error": { "message": format!("no {key}") } }).to_string())),
        ),
        "refused" => whole(400, &json!({ "error": { "message": format!("I do not like {key}") } })),
        // Byte 400 falls within it; of a second key that follows, too.
        "cut" => {
            let before = "x".repeat(400 - key.len() + usize::from(prompt(request).len() as u8 % 3));
            let refusal = format!("{before}{key}{key}");
            format!("HTTP/1.1 401 {key}\r\nContent-Length: {}\r\n{key}: {key}\r\n\r\n{refusal}", refusal.len())
                .into_bytes()
        }
        "moved" => with_header(307, &format!("Location: http://me:{key}@h/{key}?{key}"), &json!({ "to": key })),
        "foreign" => stream(&data(&format!("<{}{key}{key}", "x".repeat(198 - key.len())))),
        _ => all(words.iter().map(|word| piece(word, Value::Null)).collect()),
    }
}

/// A bench with a server of an API that sends the key back.
fn echo(api: &'static str, delivery: &str) -> (Canned, Bench) {
    let server = Canned::start(move |request| answer(api, request));
    let bench = bench(&server.url, &WAYS);
    let own_chain = if api == "shimmy" { "own_chain = \"pure\"\n" } else { "" };
    let settings = format!("api = \"{api}\"\nkey_env = \"MOE_SWEEP_TEST_KEY\"\ndelivery = \"{delivery}\"\n{own_chain}");
    bench.edit("api = \"openai\"", &settings);
    (server, bench)
}

/// Runs it with the key; what it said, and every command line that was to be seen meanwhile.
fn run(bench: &Bench) -> (Option<i32>, Vec<u8>) {
    let mut command = bench.command(&["run", "x.toml", "--out", "out"]);
    command.env("MOE_SWEEP_TEST_KEY", KEY).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child: Child = command.spawn().expect("moe-sweep starts");
    let (mut stdout, mut stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let read = |pipe: &mut dyn Read| {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).map(|_| bytes).expect("it can be read")
    };
    let errors = thread::spawn(move || read(&mut stderr));
    let output = thread::spawn(move || read(&mut stdout));
    let mut seen = Vec::new();
    let code = loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            break status.code();
        }
        seen.extend(command_lines());
        thread::sleep(Duration::from_millis(100));
    };
    seen.extend(errors.join().expect("no panic"));
    seen.extend(output.join().expect("no panic"));
    (code, seen)
}

/// Those of all processes, where the system shows them.
fn command_lines() -> Vec<u8> {
    let Ok(processes) = fs::read_dir("/proc") else { return vec![] };
    let lines = processes.flatten().filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    lines
        .flat_map(|mut line| {
            line.push(b'\n');
            line
        })
        .collect()
}

/// Where eight letters of the key in a row are to be seen.
fn leaks(bytes: &[u8]) -> Vec<String> {
    let runs = bytes.windows(8).filter(|run| KEY.as_bytes().windows(8).any(|part| part == *run));
    runs.map(|run| String::from_utf8_lossy(run).into_owned()).collect()
}

/// The same in the files below a directory, and in their names.
fn leaks_below(directory: &Path) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        let mut bytes = name.clone().into_bytes();
        if path.is_dir() {
            found.extend(leaks_below(&path));
        } else {
            bytes.extend(fs::read(&path).unwrap());
        }
        found.push((name, leaks(&bytes)));
    }
    found.retain(|(_, leaks)| !leaks.is_empty());
    found
}

#[test]
fn the_test_sees_a_leak() {
    assert_eq!(leaks(b"it is sk-Zx7Q. 2m9WkV4"), Vec::<String>::new());
    assert_eq!(leaks(b"it is Q2m9WkV4."), ["Q2m9WkV4"]);
}

#[test]
fn a_key_that_comes_back_in_any_field_is_kept_nowhere() {
    for api in APIS {
        let (server, bench) = echo(api, "stream");
        let (code, seen) = run(&bench);
        assert_eq!(code, Some(3), "{api}: {}", String::from_utf8_lossy(&seen));
        assert_eq!(leaks(&seen), Vec::<String>::new(), "{api}: {}", String::from_utf8_lossy(&seen));
        assert_eq!(leaks_below(bench.path()), [], "{api}");
        // It was all there: the key was sent back, and each of the texts came to its end.
        let journal = bench.result("out", "trials.jsonl");
        assert_eq!(journal.lines().count(), 4 * WAYS.len(), "{api}");
        for said in [" it is [key], [key]", "I do not like [key]", "leads to http://h/[key]"] {
            assert!(journal.contains(said), "{api}: no {said:?} in {journal}");
        }
        assert!(bench.result("out", "manifest.json").contains("[key]"), "{api}");
        drop(server);
    }
}

#[test]
fn the_names_of_a_servers_models_are_shown_without_the_key() {
    let server = Canned::start(|request| {
        let name = format!("other-{}", key_of(request));
        let models = json!([{ "id": name, "name": name }]);
        whole(200, &json!({ "data": models, "models": models }))
    });
    for api in ["openai", "ollama", "shimmy"] {
        let bench = bench(&server.url, &WAYS[..3]);
        let own_chain = if api == "shimmy" { "own_chain = \"pure\"\n" } else { "" };
        bench.edit("api = \"openai\"", &format!("api = \"{api}\"\nkey_env = \"MOE_SWEEP_TEST_KEY\"\n{own_chain}"));
        let (code, seen) = run(&bench);
        let said = String::from_utf8_lossy(&seen);
        assert_eq!((code, leaks(&seen)), (Some(96), vec![]), "{api}: {said}");
        assert!(said.contains("other-[key]"), "{api}: {said}");
    }
}

#[test]
fn a_refusal_that_is_cut_within_the_key_shows_none_of_it() {
    for place in 0..=KEY.len() {
        let server = Canned::start(move |request| {
            let said = format!("{}{}", "x".repeat(400 - place), key_of(request));
            format!("HTTP/1.1 401 No\r\nContent-Length: {}\r\n\r\n{said}", said.len()).into_bytes()
        });
        let bench = bench(&server.url, &WAYS[..3]);
        bench.edit("api = \"openai\"", "api = \"openai\"\nkey_env = \"MOE_SWEEP_TEST_KEY\"");
        let (code, seen) = run(&bench);
        assert_eq!((code, leaks(&seen)), (Some(96), vec![]), "{place}: {}", String::from_utf8_lossy(&seen));
    }
}

#[test]
fn a_whole_answer_is_scrubbed_as_a_stream_is() {
    let server = Canned::openai(|request| {
        let key = key_of(request);
        let said = json!({ "text": format!("{} {key}", text(request).concat()), "finish_reason": "length" });
        whole(200, &json!({ "choices": [said], "model": key, "usage": { "completion_tokens": 12 } }))
    });
    let bench = bench(&server.url, &WAYS[..3]);
    bench.edit("api = \"openai\"", "api = \"openai\"\nkey_env = \"MOE_SWEEP_TEST_KEY\"\ndelivery = \"whole\"");
    let (_, seen) = run(&bench);
    assert_eq!((leaks(&seen), leaks_below(bench.path())), (vec![], vec![]));
    assert!(bench.result("out", "trials.jsonl").contains(" [key]\""));
}

#[test]
fn a_word_that_is_set_for_a_key_stays_a_word() {
    let server = Canned::openai(|request| {
        let pieces =
            json!({ "choices": [{ "text": format!(" none of it, {}", request.key), "finish_reason": "stop" }] });
        stream(&format!("data: {pieces}\n\ndata: [DONE]\n\n"))
    });
    let bench = bench(&server.url, &WAYS[..3]);
    bench.edit("api = \"openai\"", "api = \"openai\"\nkey_env = \"MOE_SWEEP_TEST_KEY\"");
    let run = bench.command(&["run", "x.toml", "--out", "out"]).env("MOE_SWEEP_TEST_KEY", "none").output().unwrap();
    assert_eq!(run.status.code(), Some(0));
    assert!(bench.result("out", "trials.jsonl").contains(" none of it, Bearer none"));
}

#[test]
fn a_password_in_an_address_is_refused_and_not_shown() {
    let bench = bench("http://me:hunter2secret@127.0.0.1:1", &WAYS[..3]);
    let said = bench.run("out", &[], 96);
    said.says(&["cannot use \"http://…@127.0.0.1:1\": it contains a user name or password"]);
    let bench = Bench::scripted("");
    let said = bench.run("out", &["--server", "http://me:hunter2secret@127.0.0.1:1", "--api", "openai"], 2);
    said.says(&["http://…@127.0.0.1:1"]);
    assert!(!said.stderr.contains("hunter2"), "{}", said.stderr);
}
