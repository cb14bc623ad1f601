//! `diagnose --server` on servers whose fault is known, and on those that can't be diagnosed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::support::canned::{Canned, choices, prompt, whole};
use crate::support::defaults::{answers, number, settings, usual};
use crate::support::server::words;
use crate::support::{Bench, Said};

/// A llama-server with these defaults, which loops where its settings say so, and ignores a parameter of requests.
fn llama_server(defaults: Value, ignored: &'static str, loops: fn(&Map<String, Value>) -> bool) -> Canned {
    Canned::start(answers(defaults, ignored, loops))
}

fn diagnose(bench: &Bench, server: &Canned, more: &[&str]) -> Said {
    bench.say(&[&["diagnose", "--server", &server.url], more].concat())
}

#[test]
fn a_default_that_is_stated_and_faulty_is_found_by_the_address_alone() {
    let zero = json!({ "repeat_penalty": 0.0 });
    let defaults = Value::Object(settings(&usual(), &zero, ""));
    let server = llama_server(defaults, "", |settings| number(settings, "repeat_penalty") <= 0.0);
    let bench = Bench::new("");
    let said = diagnose(&bench, &server, &[]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    for line in [
        "CAUSE        a repeat penalty of 0 divides by zero (L-PENALTY-ZERO)",
        "CHANGE       repeat-penalty 0 → 1.0",
        "request      \"repeat_penalty\": 1.0",
        "llama-server --repeat-penalty 1.0",
    ] {
        assert!(said.stdout.contains(line), "{line}\n{}", said.stdout);
    }
    assert!(!said.stdout.contains("PARAMETER"), "words of another server:\n{}", said.stdout);
    // As it is run nothing is said; a switch says one parameter and no other.
    let bodies = server.bodies("/v1/chat/completions");
    let says =
        |body: &Value| usual().as_object().expect("an object").keys().filter(|key| body.get(&**key).is_some()).count();
    // What is tried first is shorter.
    let of_stage = |body: &&Value| body["max_tokens"] == 128;
    let n = bodies.iter().filter(of_stage).filter(|body| says(body) == 0).count();
    assert!(n >= 24, "{n} of {}", bodies.len());
    let repeat: Vec<_> = bodies.iter().filter(of_stage).filter(|body| body["repeat_penalty"] == 1.0).collect();
    assert!(repeat.iter().any(|body| says(body) == 1), "{repeat:?}");
    // The same command reads it all back.
    let again = diagnose(&bench, &server, &[]);
    assert_eq!((again.code, &again.stdout), (said.code, &said.stdout));
    for file in ["2-put-back.toml", "diagnosis.toml"] {
        let planned = bench.say(&["plan", &format!("results/diagnose-tiny/{file}")]);
        assert_eq!(planned.code, Some(0), "{file}: {planned:#?}");
    }
}

#[test]
fn what_the_person_says_is_sent_and_put_back() {
    let server = llama_server(usual(), "", |settings| number(settings, "temperature") > 1.0);
    let said = diagnose(&Bench::new(""), &server, &["--temperature", "1.3"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(
        said.stdout.contains("L-TEMPERATURE-HIGH") && said.stdout.contains("temperature 1.3 → 0.3"),
        "{}",
        said.stdout
    );
}

#[test]
fn a_healthy_server_is_clean() {
    let said = diagnose(&Bench::new(""), &llama_server(usual(), "", |_| false), &[]);
    assert_eq!(said.code, Some(10), "{said:#?}");
}

#[test]
fn a_parameter_that_changes_no_byte_is_said_to_be_ignored() {
    // It states a penalty of 1.3, and ignores the one that it is sent.
    let defaults = Value::Object(settings(&usual(), &json!({ "repeat_penalty": 1.3 }), ""));
    let server = llama_server(defaults, "repeat_penalty", |_| true);
    let said = diagnose(&Bench::new(""), &server, &[]);
    assert_eq!(said.code, Some(12), "{said:#?}");
    let line = "IGNORED      repeat-penalty 1.3 → 1.0: not one byte of";
    assert!(said.stdout.contains(line) && said.stdout.contains("L-SERVER-IGNORES"), "{}", said.stdout);
    let ignored =
        said.stdout.split("IGNORED").nth(1).and_then(|rest| rest.split("RULED OUT").next()).expect("it is there");
    assert!(!ignored.contains("temperature"), "{ignored}");
}

#[test]
fn a_text_of_dots_is_not_called_clean() {
    // As a real llama-server with a repeat penalty of 0 wrote it: 45 tokens, which are too few for a loop.
    let server = Canned::start(|request| match &*request.path {
        "/props" => {
            let defaults = Value::Object(settings(&usual(), &json!({ "repeat_penalty": 0.0 }), ""));
            let settings = json!({ "n_ctx": 1024, "params": defaults });
            whole(200, &json!({ "build_info": "b1", "default_generation_settings": settings }))
        }
        "/v1/models" => whole(200, &json!({ "data": [{ "id": "/models/tiny.gguf" }] })),
        "/v1/chat/completions" => {
            let is_mended = request.body["repeat_penalty"] == 1.0;
            let n = if is_mended { 40 } else { 5 };
            let words = words(&format!("{} {}", prompt(request), request.body["seed"]), n).concat();
            let text = if is_mended { words } else { format!("{}{words}", ".".repeat(45)) };
            choices(&[json!({ "delta": { "content": text }, "finish_reason": "stop" })], n)
        }
        _ => whole(404, &Value::Null),
    });
    let said = diagnose(&Bench::new(""), &server, &[]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    for line in ["IT REPEATS   48 of 48 texts repeat themselves", "(L-PENALTY-ZERO)", "repeat-penalty 0 → 1.0"] {
        assert!(said.stdout.contains(line), "{line}\n{}", said.stdout);
    }
}

/// A llama-server that loops in whatever it is asked for while it has so many requests at once, or more.
fn faulty_from(width: usize) -> Canned {
    let (sound, faulty) = (answers(usual(), "", |_| false), answers(usual(), "", |_| true));
    let at_once = AtomicUsize::new(0);
    Canned::start(move |request| {
        at_once.fetch_add(1, Ordering::SeqCst);
        // As long as it takes those that are asked for together to arrive.
        thread::sleep(Duration::from_millis(30));
        let is_faulty = at_once.load(Ordering::SeqCst) >= width;
        let answer = if is_faulty { faulty(request) } else { sound(request) };
        at_once.fetch_sub(1, Ordering::SeqCst);
        answer
    })
}

#[test]
fn a_server_that_fails_in_company_is_asked_for_one_text_at_a_time() {
    let said = diagnose(&Bench::new(""), &faulty_from(3), &[]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    for line in ["(L-WIDTH)", "CHANGE       parallel 4 → 1", "llama-server --parallel 1"] {
        assert!(said.stdout.contains(line), "{line}\n{}", said.stdout);
    }
}

#[test]
fn how_many_texts_a_server_is_asked_for_at_a_time_is_a_setting() {
    let bench = Bench::new("");
    let server = faulty_from(6);
    let said = diagnose(&bench, &server, &["--set", "width=8"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(said.stdout.contains("parallel 8 → 1"), "{}", said.stdout);
    assert_eq!(diagnose(&bench, &server, &[]).code, Some(10), "four at a time are sound");
}

#[test]
fn a_connection_that_is_lost_once_ends_nothing() {
    // In the request that asks for the order of the samplers, as a busy llama-server lost it.
    let asks_for_order = |body: &Value| body["samplers"].as_array().is_some_and(|samplers| samplers.len() > 1);
    let (sound, lost) = (answers(usual(), "", |_| false), AtomicUsize::new(0));
    let server = Canned::start(move |request| match asks_for_order(&request.body) {
        true if lost.fetch_add(1, Ordering::SeqCst) == 0 => vec![],
        _ => sound(request),
    });
    let said = diagnose(&Bench::new(""), &server, &[]);
    assert_eq!(said.code, Some(10), "{said:#?}");
    let asked = server.bodies("/v1/chat/completions").iter().filter(|body| asks_for_order(body)).count();
    assert!(asked > 1, "it was asked for again");
}

/// A server of which these pages are known, and no text.
fn pages(known: &'static [(&'static str, &'static str)]) -> Canned {
    Canned::start(move |request| match known.iter().find(|(path, _)| *path == request.path) {
        Some((_, body)) => whole(200, &serde_json::from_str(body).expect("JSON")),
        None => whole(404, &Value::Null),
    })
}

#[test]
fn what_can_not_be_diagnosed_is_refused_with_the_remedy() {
    const NONE: &[(&str, &str)] = &[("/v1/models", r#"{ "data": [] }"#)];
    const TWO: &[(&str, &str)] = &[
        ("/api/version", r#"{ "version": "0.9" }"#),
        ("/api/tags", r#"{ "models": [{ "name": "a:latest" }, { "name": "b:1b" }] }"#),
    ];
    let denied = || Canned::start(|_| whole(401, &json!({ "error": "invalid key" })));
    let loading = || Canned::start(|_| whole(503, &json!({ "error": "Loading model" })));
    for (server, more, code, says) in [
        (pages(&[]), &[][..], 96, &["none of the pages", "--api"][..]),
        (pages(NONE), &[], 96, &["has no model", "--model"]),
        (pages(TWO), &[], 96, &["several models", "--model NAME", "a:latest, b:1b"]),
        (pages(TWO), &["--model", "c"], 96, &["no model \"c\"", "a:latest, b:1b"]),
        (denied(), &[], 96, &["401", "--key-env"]),
        (denied(), &["--key-env", "NO_SUCH_KEY_HERE"], 96, &["NO_SUCH_KEY_HERE", "--key-env"]),
        (loading(), &[], 96, &["not ready", "503"]),
        (pages(TWO), &["--api", "opneai"], 2, &["opneai", "llama-server"]),
        (pages(TWO), &["--model", "a", "--temperature", "-1"], 2, &["from 0 up"]),
        (pages(NONE), &["--model", "a", "--top-k", "3"], 2, &["--top-k", "api openai"]),
        (pages(NONE), &["--model", "a", "--own-chain", "x"], 2, &["unknown chain \"x\"", "shimmy-1.7"]),
    ] {
        let bench = Bench::new("");
        let said = diagnose(&bench, &server, more);
        assert_eq!(said.code, Some(code), "{more:?} {said:#?}");
        for says in says {
            assert!(said.stderr.contains(says), "{more:?}: {says} in {}", said.stderr);
        }
        assert!(!bench.exists("results"), "{more:?}");
    }
    let bench = Bench::new("");
    for (url, code, says) in [("http://127.0.0.1:1", 96, "no server answers"), ("127.0.0.1:1", 2, "http://")] {
        let said = bench.say(&["diagnose", "--server", url]);
        assert_eq!(said.code, Some(code), "{said:#?}");
        assert!(said.stderr.contains(says), "{}", said.stderr);
    }
}
