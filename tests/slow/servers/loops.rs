//! Models that loop where it is hard to see: in their thoughts, without spaces, with long units,
//! without token ids. None of them is called clean.

use serde_json::json;

use super::bench;
use crate::support::Bench;
use crate::support::canned::{Canned, choices, prompt, text};
use crate::support::server::Request;

const PROMPTS: usize = 24;

/// An experiment over 24 prompts; `kind` is the first word of each.
fn many(url: &str, kind: &str) -> Bench {
    let prompts: Vec<String> = (0..PROMPTS).map(|i| format!("{kind} {i}")).collect();
    bench(url, &prompts.iter().map(String::as_str).collect::<Vec<_>>())
}

fn is_hot(request: &Request) -> bool {
    request.body["temperature"].as_f64().expect("a number") >= 0.9
}

/// So many pieces of an answer in OpenAI's language, under a key of the delta.
fn pieces(key: &str, words: &[String]) -> Vec<u8> {
    let piece = |word: &String| json!({ "delta": { key: word }, "finish_reason": null });
    let end = json!({ "delta": {}, "finish_reason": "length" });
    choices(&words.iter().map(piece).chain([end]).collect::<Vec<_>>(), words.len())
}

fn completion(words: &[String]) -> Vec<u8> {
    let piece = |word: &String| json!({ "text": word, "finish_reason": null });
    let end = json!({ "text": "", "finish_reason": "length" });
    choices(&words.iter().map(piece).chain([end]).collect::<Vec<_>>(), words.len())
}

fn cycle(words: &[&str], n: usize) -> Vec<String> {
    words.iter().cycle().take(n).map(|word| (*word).to_owned()).collect()
}

fn n_asked(request: &Request) -> usize {
    let n = request.body["max_tokens"].as_u64().or_else(|| request.body["n_predict"].as_u64());
    n.expect("a number") as usize
}

/// The column of a table, of the rows at a temperature.
fn column(bench: &Bench, table: &str, name: &str, temperature: &str) -> Vec<String> {
    let table = bench.result("out", table);
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let at = |name: &str| header.iter().position(|column| column == name).expect("a column");
    let rows = reader.records().map(|row| row.expect("a row"));
    rows.filter(|row| &row[at("temperature")] == temperature).map(|row| row[at(name)].to_owned()).collect()
}

/// Hot, the whole budget goes into a thought that loops, and the answer is empty.
fn thinks_itself_dizzy(request: &Request) -> Vec<u8> {
    let n = n_asked(request);
    if is_hot(request) {
        return pieces("reasoning_content", &cycle(&[" wait,", " let", " me", " think", " again"], n));
    }
    pieces("content", &text(request))
}

#[test]
fn a_loop_in_a_thought_is_scored_and_no_empty_answer_is_clean() {
    let server = Canned::openai(thinks_itself_dizzy);
    let bench = many(&server.url, "hot");
    bench.edit("max_tokens = 12", "max_tokens = 60");
    bench.edit("context = 64", "context = 256");
    bench.edit("chain = [\"pure\"]", "chain = [\"pure\"]\ntemplate = [\"chat\"]");
    bench.edit("expect = \"increasing\"", "expect = \"decreasing\"");
    let said = bench.run("out", &[], 0);
    let hot = |name| column(&bench, "trials.csv", name, "1");
    assert!(hot("repetition_score").iter().all(|score| score.parse::<f64>().is_ok_and(|score| score > 0.8)));
    assert!(hot("loop").iter().all(|loops| loops == "1") && hot("empty_answer").iter().all(|empty| empty == "1"));
    assert!(column(&bench, "cells.csv", "n_empty", "1").iter().all(|n| n == "48"));
    // Thought and answer stand apart, and the answer has no score.
    let parts = bench.result("out", "parts.csv");
    assert_eq!(parts.lines().filter(|line| line.contains(",thought,")).count(), 48);
    assert!(bench.result("out", "report.html").contains("\"thought\":\" wait, let me think again"));
    assert!(said.stdout.contains("48 answers are empty"), "{}", said.stdout);
    // "Hotter repeats less" was supported once, with p = 0.001.
    assert!(said.stdout.contains("REFUTED"), "{}", said.stdout);
}

#[test]
fn answers_without_a_word_decide_nothing() {
    // Hot, the model says nothing, and the server counts a token.
    let server = Canned::openai(|request| {
        if is_hot(request) {
            return choices(&[json!({ "text": "", "finish_reason": "stop" })], 1);
        }
        completion(&text(request))
    });
    let bench = many(&server.url, "silent");
    bench.edit("expect = \"increasing\"", "expect = \"decreasing\"");
    let said = bench.run("out", &[], 0);
    assert!(column(&bench, "trials.csv", "repetition_score", "1").iter().all(String::is_empty));
    let stdout = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(stdout.contains("all 96 trials ok, 48 of them without a word; 48 answers are empty"), "{stdout}");
    assert!(stdout.contains("INCONCLUSIVE") && stdout.contains("can't see whether 48 of 96 texts"), "{stdout}");
}

/// One Chinese sentence again and again, or characters that hang on the request.
fn chinese(request: &Request, loops: bool) -> Vec<u8> {
    let n = n_asked(request);
    let key: String = text(request).concat() + prompt(request);
    let character = |i: usize| {
        let place = if loops { i % 7 } else { i };
        let hash = key.bytes().fold((place as u32).wrapping_mul(2_654_435_761).wrapping_add(7), |hash, byte| {
            hash.rotate_left(5).wrapping_mul(31).wrapping_add(u32::from(byte))
        });
        char::from_u32(0x4e00 + hash % 6000).expect("a Han character").to_string()
    };
    completion(&(0..n).map(character).collect::<Vec<_>>())
}

#[test]
fn a_gate_does_not_pass_loops_without_spaces() {
    let clean = Canned::openai(|request| chinese(request, false));
    let bench = many(&clean.url, "zh");
    bench.edit("max_tokens = 12", "max_tokens = 150");
    bench.edit("context = 64", "context = 256");
    let said = bench.run("out", &[], 0);
    assert!(said.stdout.contains("can't see whether 96 of 96 texts"), "{}", said.stdout);
    let saved = bench.say(&["baseline", "save", "clean.json", "--from", "out"]);
    assert_eq!(saved.code, Some(0), "{saved:#?}");
    // It is clean by the metric that sees it.
    let same = bench.say(&["check", "out", "--baseline", "clean.json", "--metric", "covered_20_chars"]);
    assert_eq!(same.code, Some(0), "{same:#?}");
    let server = Canned::openai(|request| chinese(request, true));
    bench.edit(&clean.url, &server.url);
    bench.run("looping", &[], 0);
    for (metric, code) in [("repetition_score", 5), ("loop", 100), ("covered_20_chars", 100)] {
        let said = bench.say(&["check", "looping", "--baseline", "clean.json", "--metric", metric]);
        assert_eq!(said.code, Some(code), "{metric}: {said:#?}");
        assert!(code == 100 || said.stdout.contains("covered_20_chars can"), "{}", said.stdout);
    }
    for metric in ["repetition_score", "covered_20_chars"] {
        let advice = bench.say(&["recommend", "looping", "--metric", metric]);
        assert!(advice.stdout.contains("over at every temperature measured"), "{}", advice.stdout);
    }
    // And the clean one is open, with the metric that would tell.
    let advice = bench.say(&["recommend", "out"]);
    assert!(advice.stdout.contains("more prompts would not show one"), "{}", advice.stdout);
    // So many prompts, 24, can't show a mean under 0.1.
    let advice = bench.say(&["recommend", "out", "--metric", "covered_20_chars", "--max-score", "0.2"]);
    assert!(advice.stdout.contains("is shown to stay under (95 % each)"), "{}", advice.stdout);
}

/// llama-server with token ids: a cycle of 80 tokens five times, in every text.
fn long_cycle(request: &Request) -> Vec<u8> {
    let n = n_asked(request);
    let mut lines: String = (0..n)
        .map(|i| {
            let piece = json!({ "content": format!(" w{}", i % 80), "tokens": [i % 80], "stop": false });
            format!("data: {piece}\n\n")
        })
        .collect();
    let order = &request.body["samplers"];
    let end = json!({
        "content": "", "tokens": [], "stop": true, "stop_type": "limit", "tokens_evaluated": 3,
        "tokens_predicted": n, "generation_settings": { "samplers": order },
    });
    lines += &format!("data: {end}\n\n");
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    (head.to_owned() + &lines).into_bytes()
}

#[test]
fn a_loop_of_eighty_tokens_is_a_loop() {
    let server = Canned::start(|request| match &*request.path {
        "/completion" => long_cycle(request),
        _ => crate::support::canned::whole(200, &json!({ "default_generation_settings": { "n_ctx": 4096 } })),
    });
    let bench = many(&server.url, "p");
    bench.edit("api = \"openai\"", "api = \"llama-server\"");
    bench.edit("max_tokens = 12", "max_tokens = 400");
    bench.edit("context = 64", "context = 1024");
    bench.run("out", &[], 0);
    assert!(column(&bench, "trials.csv", "loop", "0.5").iter().all(|loops| loops == "1"));
    let cells = bench.result("out", "cells.csv");
    assert!(cells.lines().filter(|line| line.contains(",p_loop,")).all(|line| line.contains(",p_loop,48,0,1,")));
    assert!(bench.result("out", "onset.csv").lines().count() > 1);
    let advice = bench.say(&["recommend", "out"]);
    assert!(advice.stdout.contains("over at every temperature measured"), "{}", advice.stdout);
}

#[test]
fn a_server_without_token_ids_has_a_p_loop() {
    let server = Canned::openai(|request| completion(&text(request)));
    let bench = many(&server.url, "clean");
    bench.run("out", &[], 0);
    let cells = bench.result("out", "cells.csv");
    assert!(cells.lines().filter(|line| line.contains(",p_loop,")).all(|line| line.contains(",p_loop,48,0,0,0,")));
    let advice = bench.say(&["recommend", "out", "--max-score", "0.1"]);
    assert!(advice.stdout.contains("24 prompts can't show a mean"), "{}", advice.stdout);
    let advice = bench.say(&["recommend", "out"]);
    assert!(advice.stdout.contains("is shown to stay under (95 % each)"), "{}", advice.stdout);
}
