//! The shapes in which servers answer: what becomes of each.

use serde_json::{Value, json};

use super::{all, bench, fates};
use crate::support::Bench;
use crate::support::canned::{Canned, choices, prompt, stream, text, whole};
use crate::support::server::Request;

/// The generations in a run's journal.
fn generations(bench: &Bench) -> Vec<Value> {
    let journal = bench.result("out", "trials.jsonl");
    let records = journal.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    records.map(|record| record["outcome"]["generated"].clone()).filter(|generation| !generation.is_null()).collect()
}

fn n_starting(generations: &[Value], key: &str, start: &str) -> usize {
    generations.iter().filter(|generation| generation[key].as_str().is_some_and(|text| text.starts_with(start))).count()
}

#[test]
fn a_thought_is_kept_however_it_comes() {
    for delivery in ["stream", "whole"] {
        let server = Canned::openai(move |request| {
            let words = text(request);
            let n = words.len();
            let thought = |words: &str| match prompt(request).split(' ').next().unwrap_or_default() {
                "reasoning" => json!({ "role": "assistant", "content": null, "reasoning": words }),
                "content" => json!({ "content": null, "reasoning_content": words }),
                "parts" => {
                    json!({ "content": [{ "type": "thinking", "thinking": [{ "type": "text", "text": words }] }] })
                }
                _ => json!({ "content": "", "thinking": words }),
            };
            if delivery == "whole" {
                let message = thought(&words.concat());
                let choice = json!({ "message": message, "finish_reason": "length" });
                return whole(200, &json!({ "choices": [choice], "usage": { "completion_tokens": n } }));
            }
            let pieces = words.iter().map(|word| json!({ "delta": thought(word), "finish_reason": null }));
            let end = json!({ "delta": { "content": null }, "finish_reason": "length" });
            choices(&pieces.chain([end]).collect::<Vec<_>>(), n)
        });
        let bench = bench(&server.url, &["reasoning a", "content b", "parts c", "thinking d"]);
        bench.edit("chain = [\"pure\"]", "chain = [\"pure\"]\ntemplate = [\"chat\"]");
        bench.edit("silence_s = 1", &format!("silence_s = 1\ndelivery = \"{delivery}\""));
        let said = bench.run("out", &[], 0);
        // It thinks, and its thoughts depend on the seed and the temperature.
        assert!(!said.stdout.contains("NOT honoured"), "{}", said.stdout);
        assert!(!said.stdout.contains("doubtful"), "{}", said.stdout);
        let generations = generations(&bench);
        assert_eq!(generations.len(), 16);
        for generation in &generations {
            let thought = generation["thought"].as_str().expect("a thought");
            assert_eq!(thought.split_whitespace().count(), 12, "{generation}");
            assert_eq!((&generation["text"], &generation["n_stated_tokens"]), (&json!(""), &json!(12)));
        }
        if delivery == "stream" {
            assert!(
                bench.result("out", "trials.jsonl").contains("first_token_seconds"),
                "the thought has a first piece"
            );
        }
    }
}

#[test]
fn a_thought_that_loops_whatever_the_seed_is_not_held_against_the_server() {
    let server = Canned::openai(|request| {
        let n = request.body["max_tokens"].as_u64().expect("a number") as usize;
        let loops = prompt(request).starts_with("loops");
        let words = if loops { vec![" wait".to_owned(); n] } else { text(request) };
        let key = if loops { "reasoning_content" } else { "content" };
        let pieces = words.iter().map(|word| json!({ "delta": { key: word }, "finish_reason": null }));
        choices(&pieces.chain([json!({ "delta": {}, "finish_reason": "length" })]).collect::<Vec<_>>(), n)
    });
    let bench = bench(&server.url, &["loops", "two", "three"]);
    bench.edit("chain = [\"pure\"]", "chain = [\"pure\"]\ntemplate = [\"chat\"]");
    let said = bench.run("out", &[], 0);
    assert!(!said.stdout.contains("NOT honoured"), "{}", said.stdout);
    assert_eq!(n_starting(&generations(&bench), "thought", " wait wait wait"), 4);
}

#[test]
fn a_text_that_is_called_full_and_is_not_is_censored_and_said() {
    let server = Canned::openai(|request| {
        let words = text(request);
        let n = if prompt(request).starts_with("short") { words.len() / 2 } else { words.len() };
        let pieces = words[..n].iter().map(|word| json!({ "text": word, "finish_reason": null }));
        choices(&pieces.chain([json!({ "text": "", "finish_reason": "length" })]).collect::<Vec<_>>(), n)
    });
    let bench = bench(&server.url, &["one", "two", "three", "short four"]);
    let said = bench.run("out", &[], 3);
    all(&fates(&bench, 1), "ok", "max_tokens");
    all(&fates(&bench, 4), "censored", "cut");
    let stdout = said.stdout.replace("\n      ", " ");
    assert!(stdout.contains("4 of 16 texts are doubtful"), "{stdout}");
    assert!(stdout.contains("it has only 6 of 12 tokens: the context may have been too small"), "{stdout}");
    assert!(bench.result("out", "report.html").contains("it has only 6 of 12 tokens"));
}

#[test]
fn what_is_not_understood_is_said_in_the_summary() {
    let server = Canned::openai(|request| {
        let words = text(request);
        let pieces = words.iter().map(|word| json!({ "text": word, "ponderings": "hm", "finish_reason": null }));
        choices(&pieces.chain([json!({ "text": "", "finish_reason": "length" })]).collect::<Vec<_>>(), words.len())
    });
    let bench = bench(&server.url, &["one", "two", "three"]);
    let stdout = bench.run("out", &[], 0).stdout.replace("\n      ", " ");
    assert!(stdout.contains("12 of 12 texts are doubtful"), "{stdout}");
    assert!(stdout.contains("does not know and has not kept: ponderings"), "{stdout}");
}

/// Ollama, which ends loops: those that it is asked for, and the texts of the prompts `ends` (after
/// some of the text) and `refuses` (before any of it).
fn ollama(request: &Request) -> Vec<u8> {
    const ERROR: &str = "prediction aborted, token repeat limit reached";
    let (prompt, words) = (prompt(request), text(request));
    let piece = |word: &String| json!({ "response": word, "done": false }).to_string() + "\n";
    if prompt.starts_with("refuses") {
        return whole(500, &json!({ "error": ERROR }));
    }
    if prompt.starts_with("ends") || prompt.starts_with("to be able") {
        let pieces: String = words.iter().take(31).map(piece).collect();
        return stream(&(pieces + &json!({ "error": ERROR }).to_string() + "\n"));
    }
    let end = json!({ "response": "", "done": true, "done_reason": "length", "prompt_eval_count": 3, "eval_count": words.len() });
    stream(&(words.iter().map(piece).collect::<String>() + &end.to_string() + "\n"))
}

#[test]
fn a_text_that_a_server_ends_for_its_repetition_is_a_loop_and_no_failure() {
    let server = Canned::ollama(json!({ "llama.context_length": 4096 }), ollama);
    let bench = bench(&server.url, &["one", "two", "three", "ends early", "refuses all"]);
    bench.edit("api = \"openai\"", "api = \"ollama\"");
    bench.edit("context = 64", "context = 256");
    let said = bench.run("out", &[], 0);
    all(&fates(&bench, 1), "ok", "max_tokens");
    all(&fates(&bench, 4), "ok", "repetition");
    all(&fates(&bench, 5), "ok", "repetition");
    // What came of it is kept, and nothing is asked for five times.
    let of = |start: &str| {
        let asked = server.bodies("/api/generate");
        asked.iter().filter(|body| body["prompt"].as_str().is_some_and(|prompt| prompt.starts_with(start))).count()
    };
    // 2 temperatures, 2 seeds, and what the determinism probe asks for again.
    assert!(of("refuses") <= 4 + 3, "{} times", of("refuses"));
    let kept = generations(&bench);
    assert_eq!(kept.iter().filter(|g| g["stop"] == "repetition" && g["text"] != "").count(), 4);
    let stdout = said.stdout.replace("\n      ", " ");
    assert!(
        stdout.contains("a text that repeats itself: the server stopped it after 31 words and gives the reason"),
        "{stdout}"
    );
    assert!(stdout.contains("sent none of it"), "{stdout}");
    // It forbids no verdict.
    let verdicts = bench.result("out", "verdicts.json");
    assert!(!verdicts.contains("does not honour"), "{verdicts}");
}

#[test]
fn streams_are_read_as_the_standard_says() {
    let server = Canned::openai(|request| {
        let words = text(request);
        let choice =
            |text: &str, reason: Value| json!({ "choices": [{ "finish_reason": reason, "text": text }] }).to_string();
        let n = words.len();
        let usage = json!({ "choices": [], "usage": { "completion_tokens": n } }).to_string();
        let mut events: Vec<_> = words.iter().map(|word| choice(word, Value::Null)).collect();
        events.extend([choice("", json!("length")), usage, "[DONE]".to_owned()]);
        match prompt(request).split(' ').next().unwrap_or_default() {
            "cr" => stream(&events.iter().map(|event| format!("data: {event}\r\r")).collect::<String>()),
            "lines" => stream(
                &events
                    .iter()
                    .map(|event| format!("data: {}\n\n", event.replace("\"text\"", "\ndata: \"text\"")))
                    .collect::<String>(),
            ),
            "halves" => stream(
                "\u{FEFF}data: {\"choices\":[{\"text\":\" smile \\ud83d\",\"finish_reason\":null}]}\n\n\
                 data: {\"choices\":[{\"text\":\"\\ude00 done \\ud83d\",\"finish_reason\":\"length\"}]}\n\n\
                 data: [DONE]\n\n",
            ),
            "noreason" => {
                let events = words.iter().map(|word| choice(word, json!(""))).chain(["[DONE]".to_owned()]);
                stream(&events.map(|event| format!("data: {event}\n\n")).collect::<String>())
            }
            _ => stream(&events.iter().map(|event| format!("data: {event}\n\n")).collect::<String>()),
        }
    });
    let bench = bench(&server.url, &["one", "two", "three", "cr a", "lines b", "halves c", "noreason d"]);
    bench.run("out", &[], 0);
    for prompt in [1, 4, 5, 6] {
        all(&fates(&bench, prompt), "ok", "max_tokens");
    }
    all(&fates(&bench, 7), "ok", "unknown");
    assert_eq!(n_starting(&generations(&bench), "text", " smile 😀 done \u{FFFD}"), 4);
}
