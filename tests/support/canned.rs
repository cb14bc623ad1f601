//! A server whose every answer is a test's own, byte by byte: for the shapes in which servers
//! answer, and for what they say of themselves.

use std::io::Write;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use super::server::{Request, words};

pub struct Canned {
    pub url: String,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Canned {
    /// Answers what `answer` gives: status line, headers and body.
    pub fn start(answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&asked));
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                thread::spawn(move || {
                    // A client that goes away is no fault of the test.
                    let Ok(Some(request)) = Request::read(&stream) else { return };
                    log.lock().expect("no thread panicked").push(request.clone());
                    let _ = stream.write_all(&answer(&request));
                });
            }
        });
        Self { url, asked }
    }

    /// One that speaks OpenAI's API; `complete` answers what asks for a text.
    pub fn openai(complete: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start(move |request| match &*request.path {
            "/v1/models" => whole(200, &json!({ "data": [{ "id": "tiny" }] })),
            "/v1/completions" | "/v1/chat/completions" => complete(request),
            _ => whole(404, &json!({ "error": { "message": "no such page" } })),
        })
    }

    /// One that speaks Ollama's API, and shows `model_info`.
    pub fn ollama(model_info: Value, generate: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start(move |request| match &*request.path {
            "/api/version" => whole(200, &json!({ "version": "0.9" })),
            "/api/tags" => whole(200, &json!({ "models": [{ "name": "tiny:latest", "digest": "abc" }] })),
            "/api/show" => whole(200, &json!({ "details": {}, "model_info": model_info })),
            "/api/generate" | "/api/chat" => generate(request),
            _ => whole(404, &json!({ "error": "no such page" })),
        })
    }

    /// The bodies of the requests for this path.
    pub fn bodies(&self, path: &str) -> Vec<Value> {
        let asked = self.asked.lock().expect("no thread panicked");
        asked.iter().filter(|request| request.path == path).map(|request| request.body.clone()).collect()
    }
}

/// The prompt of a request, whatever the API.
pub fn prompt(request: &Request) -> &str {
    let body = &request.body;
    body["prompt"].as_str().or_else(|| body["messages"][0]["content"].as_str()).expect("a prompt")
}

/// Words that depend on prompt, seed and temperature, as many as were asked for; a loop where one is
/// asked for.
pub fn text(request: &Request) -> Vec<String> {
    let Request { body, .. } = request;
    let of = |key: &str| [&body[key], &body["options"][key]].into_iter().find(|value| !value.is_null()).cloned();
    let n = ["max_tokens", "num_predict", "n_predict"].iter().find_map(|key| of(key)?.as_u64()).expect("a number");
    let prompt = prompt(request);
    if prompt.starts_with("to be able") {
        return vec![" able".to_owned(); n as usize];
    }
    words(&format!("{prompt} {:?} {:?}", of("seed"), of("temperature")), n as usize)
}

/// A whole answer.
pub fn whole(status: u16, body: &Value) -> Vec<u8> {
    with_header(status, "X-Nothing: 0", body)
}

/// A whole answer with one more header.
pub fn with_header(status: u16, header: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!("HTTP/1.1 {status} Status\r\n{header}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

/// A stream that ends when it has said this.
pub fn stream(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n{body}").into_bytes()
}

/// Events of OpenAI's stream: these choices, the usage, the end.
pub fn choices(choices: &[Value], n_tokens: usize) -> Vec<u8> {
    let events = choices.iter().map(|choice| json!({ "choices": [choice] }));
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": 3, "completion_tokens": n_tokens } });
    let events: String = events.chain([usage]).map(|event| format!("data: {event}\n\n")).collect();
    stream(&(events + "data: [DONE]\n\n"))
}
