//! An OpenAI-style server on this machine whose "model" is a hash, and which
//! misbehaves where a prompt asks it to.
//!
//! On sockets and not on a server library, for those let no answer be cut.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

const WORDS: [&str; 8] = [" the", " wheel", " turns", " when", " water", " falls", " and", " then"];

/// What the server ignores.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manners {
    pub ignores_seed: bool,
    pub ignores_temperature: bool,
    /// Cuts a text off that repeats itself, as Ollama does.
    pub cuts_loops: bool,
}

pub struct Server {
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    manners: Manners,
    stopped: AtomicBool,
    /// How often each prompt was asked for.
    asked: Mutex<BTreeMap<String, u32>>,
    /// The faults are repaired.
    well: AtomicBool,
}

impl Server {
    pub fn start(manners: Manners) -> Self {
        Self::start_at(manners, "127.0.0.1:0".parse().expect("an address"))
    }

    pub fn start_at(manners: Manners, address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).expect("the port is free");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let (stopped, well) = (AtomicBool::new(false), AtomicBool::new(false));
        let shared = Arc::new(Shared { manners, stopped, well, asked: Mutex::default() });
        let server = Self { url, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.stopped.load(Ordering::Relaxed) {
                    // The listener goes, and its port is free.
                    return;
                }
                let shared = Arc::clone(&shared);
                // A client that goes away is no fault of the test.
                thread::spawn(move || shared.answer(stream).ok());
            }
        });
        server
    }

    pub fn address(&self) -> SocketAddr {
        self.url.strip_prefix("http://").expect("it begins so").parse().expect("an address")
    }

    /// Behaves from now on.
    pub fn recover(&self) {
        self.shared.well.store(true, Ordering::Relaxed);
    }

    /// Refuses connections from now on.
    pub fn stop(&self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // The listener waits for one more.
        let _ = TcpStream::connect(self.address());
        thread::sleep(Duration::from_millis(50));
    }

    /// How often texts were asked for, probes included.
    pub fn asked(&self, prompt: &str) -> u32 {
        self.shared.asked.lock().expect("no thread panicked").get(prompt).copied().unwrap_or(0)
    }
}

/// What a client asks.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    /// Null where there is none.
    pub body: Value,
    /// The header that has the key, empty where there is none.
    pub key: String,
}

impl Request {
    /// None where the client has gone.
    pub fn read(stream: &TcpStream) -> io::Result<Option<Self>> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            if line.trim().is_empty() {
                break;
            }
            head.push(line.trim().to_owned());
        }
        let header = |name: &str| {
            let lines = head.iter().skip(1).filter_map(|line| line.split_once(':'));
            lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned()).next()
        };
        let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body = if length == 0 { Value::Null } else { serde_json::from_slice(&body).expect("requests are JSON") };
        let path = head[0].split(' ').nth(1).unwrap_or_default().to_owned();
        Ok(Some(Self { path, body, key: header("authorization").unwrap_or_default() }))
    }
}

impl Shared {
    fn answer(&self, mut stream: TcpStream) -> io::Result<()> {
        let Some(request) = Request::read(&stream)? else { return Ok(()) };
        match &*request.path {
            "/v1/models" => whole(&mut stream, 200, &json!({ "data": [{ "id": "tiny", "owned_by": "tests" }] })),
            "/v1/completions" => self.complete(&mut stream, &request.body, &request.key),
            _ => whole(&mut stream, 404, &json!({ "error": { "message": "no such page" } })),
        }
    }

    fn complete(&self, stream: &mut TcpStream, request: &Value, key: &str) -> io::Result<()> {
        let prompt = request["prompt"].as_str().expect("a prompt").to_owned();
        let n_before = {
            let mut asked = self.asked.lock().expect("no thread panicked");
            let n = asked.entry(prompt.clone()).or_default();
            *n += 1;
            *n - 1
        };
        let well = self.well.load(Ordering::Relaxed);
        let pieces = self.text(request, &prompt);
        let fault = prompt.split(' ').next().filter(|_| !well).unwrap_or_default();
        match fault {
            "drops" if n_before == 0 => return Ok(()),
            "busy" if n_before == 0 => {
                let body = r#"{"error":{"message":"slow down"}}"#;
                let length = body.len();
                return write!(
                    stream,
                    "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: {length}\r\n\r\n{body}"
                );
            }
            "broken" => return whole(stream, 500, &json!({ "error": { "message": "out of memory" } })),
            "refused" => {
                return whole(stream, 400, &json!({ "error": { "message": format!("I do not like {key}") } }));
            }
            _ => {}
        }
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")?;
        let piece = |stream: &mut TcpStream, text: &str, reason: Option<&str>| {
            let choice = json!({ "choices": [{ "text": text, "finish_reason": reason }] });
            write!(stream, "data: {choice}\n\n")
        };
        for (index, text) in pieces.iter().enumerate() {
            match (fault, index) {
                ("cut", 3) => return Ok(()),
                ("blinks", 3) if n_before == 0 => return Ok(()),
                ("stalls", 3) => thread::sleep(Duration::from_secs(30)),
                // As a proxy does for a server that hangs.
                ("pings", 3) => loop {
                    stream.write_all(b": ping\n\n")?;
                    thread::sleep(Duration::from_millis(200));
                },
                ("half", 3) => stream.write_all(b"data: {\"choices\":[{\"text\":\" \xF0\x9F\"}]}\n\n")?,
                _ => {}
            }
            if self.manners.cuts_loops && index > 20 && pieces[index] == pieces[index - 1] {
                return Ok(());
            }
            piece(stream, text, None)?;
        }
        if fault == "endless" {
            loop {
                piece(stream, " and on", None)?;
            }
        }
        piece(stream, "", Some("length"))?;
        let stated = if fault == "lies" { 1 } else { pieces.len() };
        write!(
            stream,
            "data: {}\n\n",
            json!({ "choices": [], "usage": { "prompt_tokens": 3, "completion_tokens": stated } })
        )?;
        write!(stream, "data: [DONE]\n\n")
    }

    /// A piece a token, by a hash of what the server heeds.
    fn text(&self, request: &Value, prompt: &str) -> Vec<String> {
        let max_tokens = request["max_tokens"].as_u64().expect("max_tokens") as usize;
        if prompt.starts_with("to be able") {
            return vec![" able".to_owned(); max_tokens];
        }
        let mut heeded = prompt.to_owned();
        if !self.manners.ignores_seed {
            heeded += &request["seed"].to_string();
        }
        if !self.manners.ignores_temperature {
            heeded += &request["temperature"].to_string();
        }
        words(&heeded, max_tokens)
    }
}

/// Words that depend on what is heeded.
pub fn words(heeded: &str, n: usize) -> Vec<String> {
    let mut bytes = vec![0; n];
    blake3::Hasher::new().update(heeded.as_bytes()).finalize_xof().fill(&mut bytes);
    bytes.iter().map(|byte| WORDS[usize::from(byte % 8)].to_owned()).collect()
}

fn whole(stream: &mut TcpStream, status: u16, body: &Value) -> io::Result<()> {
    let body = body.to_string();
    write!(stream, "HTTP/1.1 {status} Status\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}
