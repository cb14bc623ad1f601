//! Mutates what servers send: streams and whole answers of every API, half characters, headers.

use super::answer::Answer;
use super::client::seconds_until;
use super::halves::{joined, with_stand_ins};
use super::lines::Lines;
use super::retry::pause;
use crate::experiment::Api;
use crate::fuzz::{Kind, Read, fuzz};

/// As `Client::read_stream` reads it, without the clock.
fn stream(api: Api, bytes: &[u8]) -> Read {
    let (mut lines, mut line, mut answer) = (Lines::new(bytes), Vec::new(), Answer::default());
    let mut read = Read::Accepted;
    while lines.read(&mut line).expect("memory can be read") {
        if answer.take_line(api, &String::from_utf8_lossy(&line)).is_err() {
            read = Read::Refused;
            break;
        }
    }
    answer.end_stream(api);
    if !answer.is_complete() {
        read = Read::Refused;
    }
    kept(answer, api, bytes);
    read
}

fn whole(api: Api, bytes: &[u8]) -> Read {
    let mut answer = Answer::default();
    let read = answer.take_whole(api, &String::from_utf8_lossy(bytes)).into();
    kept(answer, api, bytes);
    read
}

/// What came of the bytes is no longer than they are, but for marks of what could not be read.
fn kept(answer: Answer, api: Api, bytes: &[u8]) {
    let generation = answer.into_generation(api, 16);
    let thought = generation.thought.unwrap_or_default();
    assert!(generation.text.len() + thought.len() <= 4 * bytes.len() + 4096, "text came from nowhere");
    assert!(generation.doubt.unwrap_or_default().len() < 4096, "a doubt is short");
}

#[test]
fn openai() {
    fuzz("openai-stream", Kind::JsonLines, 2000, |bytes| stream(Api::Openai, bytes));
    fuzz("openai-whole", Kind::Json, 1000, |bytes| whole(Api::Openai, bytes));
}

#[test]
fn llama_server() {
    fuzz("llama-server-stream", Kind::JsonLines, 2000, |bytes| stream(Api::LlamaServer, bytes));
    fuzz("llama-server-whole", Kind::Json, 1000, |bytes| whole(Api::LlamaServer, bytes));
}

#[test]
fn ollama() {
    fuzz("ollama-stream", Kind::JsonLines, 2000, |bytes| stream(Api::Ollama, bytes));
    fuzz("ollama-whole", Kind::Json, 1000, |bytes| whole(Api::Ollama, bytes));
}

#[test]
fn shimmy() {
    fuzz("shimmy-stream", Kind::JsonLines, 2000, |bytes| stream(Api::Shimmy, bytes));
    fuzz("shimmy-whole", Kind::Json, 1000, |bytes| whole(Api::Shimmy, bytes));
}

#[test]
fn half_characters() {
    fuzz("halves", Kind::Json, 3000, |bytes| {
        let json = String::from_utf8_lossy(bytes);
        let whole = with_stand_ins(&json);
        let text = serde_json::from_str::<String>(&whole);
        // What JSON can be read without us must be the same with us.
        if let Ok(without) = serde_json::from_str::<String>(&json) {
            assert_eq!(text.as_ref().ok(), Some(&without));
        }
        match text {
            Ok(text) => {
                joined(&text);
                Read::Accepted
            }
            Err(_) => Read::Refused,
        }
    });
}

#[test]
fn retry_after() {
    fuzz("retry-after", Kind::Text, 5000, |bytes| {
        let value = String::from_utf8_lossy(bytes);
        let asked = seconds_until(&value);
        assert!(pause(1, asked).as_secs() <= 300, "{value:?}");
        if asked.is_some() { Read::Accepted } else { Read::Refused }
    });
}
