//! A hub on this machine: it answers as huggingface.co does, sends its
//! readers to another host for the contents, writes down what it was asked,
//! and breaks off where a test wants it to.
//!
//! On sockets and not on a server library, for those keep their connections
//! and let none be cut.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};

pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

pub struct Hub {
    shared: Arc<Shared>,
    pub endpoint: String,
}

struct Shared {
    /// By repository and name.
    files: BTreeMap<(String, String), Vec<u8>>,
    /// By path, with their kind: what a package index has beside files.
    pages: Mutex<BTreeMap<String, (&'static str, String)>>,
    state: Mutex<State>,
    cdn: String,
}

#[derive(Default)]
struct State {
    log: Vec<Seen>,
    endpoint_faults: VecDeque<Fault>,
    cdn_faults: VecDeque<Fault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    Endpoint,
    Cdn,
}

/// What goes wrong with one answer.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// So many bytes of the body, then the connection is closed.
    CutAfter(u64),
    /// So many bytes, then silence.
    StallAfter(u64),
    /// The body begins a little later.
    Slow(Duration),
    /// Right in length, wrong in content.
    WrongContent,
    /// The whole file, whatever part was asked for.
    IgnoreRange,
    /// An error, with the hub's code for its reason.
    Status(u16, Option<&'static str>),
    /// This head, with the token that was shown in the place of `KEY`.
    Says(&'static str),
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub site: Site,
    pub method: String,
    pub path: String,
    pub range: Option<String>,
    pub authorization: Option<String>,
}

impl Hub {
    /// Serves files, each with its repository and name.
    pub fn serve(files: &[(&str, &str, &[u8])]) -> Self {
        let listen = || TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let (endpoint, cdn) = (listen(), listen());
        let address = |listener: &TcpListener| format!("http://{}", listener.local_addr().expect("it is bound"));
        let files = files.iter().map(|(repo, name, text)| ((repo.to_string(), name.to_string()), text.to_vec()));
        let shared =
            Shared { files: files.collect(), pages: Mutex::default(), state: Mutex::default(), cdn: address(&cdn) };
        let hub = Self { shared: Arc::new(shared), endpoint: address(&endpoint) };
        for (listener, site) in [(endpoint, Site::Endpoint), (cdn, Site::Cdn)] {
            let shared = Arc::clone(&hub.shared);
            thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let shared = Arc::clone(&shared);
                    // A client that goes away is no fault of the test.
                    thread::spawn(move || shared.answer(site, stream).ok());
                }
            });
        }
        hub
    }

    /// Answers this path of the endpoint with a page.
    pub fn page(&self, path: &str, kind: &'static str, text: String) {
        self.shared.pages.lock().expect("no thread panicked").insert(path.to_owned(), (kind, text));
    }

    /// Where the contents of a file are.
    pub fn address(&self, text: &[u8]) -> String {
        format!("{}/{}?Signature=secret", self.shared.cdn, sha256(text))
    }

    /// Spoils the next answers of a site, one each.
    pub fn spoil(&self, site: Site, faults: &[Fault]) {
        let mut state = self.shared.state.lock().expect("no thread panicked");
        match site {
            Site::Endpoint => state.endpoint_faults.extend(faults),
            Site::Cdn => state.cdn_faults.extend(faults),
        }
    }

    /// What a site was asked so far, oldest first.
    pub fn seen(&self, site: Site) -> Vec<Seen> {
        let state = self.shared.state.lock().expect("no thread panicked");
        state.log.iter().filter(|seen| seen.site == site).cloned().collect()
    }

    /// The ranges of all requests for contents.
    pub fn ranges(&self) -> Vec<Option<String>> {
        self.seen(Site::Cdn).into_iter().map(|seen| seen.range).collect()
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string grows");
        text
    })
}

impl Shared {
    /// One request a connection.
    fn answer(&self, site: Site, mut stream: TcpStream) -> io::Result<()> {
        let Some(seen) = read_request(site, &mut stream)? else { return Ok(()) };
        let fault = {
            let mut state = self.state.lock().expect("no thread panicked");
            state.log.push(seen.clone());
            match site {
                Site::Endpoint => state.endpoint_faults.pop_front(),
                Site::Cdn => state.cdn_faults.pop_front(),
            }
        };
        let (head, body) = match (fault, site) {
            (Some(Fault::Status(status, code)), _) => failure(status, code),
            (Some(Fault::Says(head)), _) => {
                let shown = seen.authorization.as_deref().unwrap_or_default();
                (head.replace("KEY", shown.trim_start_matches("Bearer ")), vec![])
            }
            (_, Site::Endpoint) => self.page(&seen.path).unwrap_or_else(|| self.redirect(&seen.path)),
            (fault, Site::Cdn) => self.contents(&seen, fault),
        };
        stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes())?;
        let body = if seen.method == "HEAD" { &[][..] } else { &body };
        match fault {
            Some(Fault::CutAfter(bytes)) => stream.write_all(&body[..bytes as usize])?,
            Some(Fault::StallAfter(bytes)) => {
                stream.write_all(&body[..bytes as usize])?;
                thread::sleep(Duration::from_secs(60));
            }
            Some(Fault::Slow(pause)) => {
                thread::sleep(pause);
                stream.write_all(body)?;
            }
            _ => stream.write_all(body)?,
        }
        stream.shutdown(Shutdown::Both)
    }

    fn page(&self, path: &str) -> Option<(String, Vec<u8>)> {
        let (kind, text) = self.pages.lock().expect("no thread panicked").get(path)?.clone();
        let length = text.len();
        Some((format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n"), text.into_bytes()))
    }

    /// `/{owner}/{name}/resolve/{revision}/{file}` says what the file is and sends to the contents.
    fn redirect(&self, path: &str) -> (String, Vec<u8>) {
        let Some((repo, rest)) = path[1..].split_once("/resolve/") else { return failure(404, None) };
        let Some((revision, name)) = rest.split_once('/') else { return failure(404, None) };
        if !self.files.keys().any(|(known, _)| known == repo) {
            return failure(401, Some("RepoNotFound"));
        }
        if !["main", COMMIT].contains(&revision) {
            return failure(404, Some("RevisionNotFound"));
        }
        let Some(text) = self.files.get(&(repo.to_owned(), name.to_owned())) else {
            return failure(404, Some("EntryNotFound"));
        };
        let (sha256, size, cdn) = (sha256(text), text.len(), &self.cdn);
        let head = format!(
            "HTTP/1.1 302 Found\r\nlocation: {cdn}/{sha256}?Signature=secret\r\nx-repo-commit: {COMMIT}\r\n\
             x-linked-etag: \"{sha256}\"\r\nx-linked-size: {size}\r\netag: \"of-the-redirect\"\r\ncontent-length: 0\r\n"
        );
        (head, vec![])
    }

    fn contents(&self, seen: &Seen, fault: Option<Fault>) -> (String, Vec<u8>) {
        let named = |text: &&Vec<u8>| seen.path.starts_with(&format!("/{}?", sha256(text)));
        let Some(mut text) = self.files.values().find(named).cloned() else { return failure(404, None) };
        if let Some(Fault::WrongContent) = fault {
            text[0] ^= 1;
        }
        let from = seen.range.as_deref().filter(|_| !matches!(fault, Some(Fault::IgnoreRange)));
        let from = from.map(|range| range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-')));
        let size = text.len();
        let head = match from.map(|from| from.expect("an open range").parse::<usize>().expect("a number")) {
            None => format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\netag: \"of-the-cdn\"\r\n"),
            Some(from) => {
                text = text.split_off(from);
                let (last, length) = (size - 1, text.len());
                format!(
                    "HTTP/1.1 206 Partial Content\r\ncontent-length: {length}\r\ncontent-range: bytes {from}-{last}/{size}\r\n"
                )
            }
        };
        (format!("{head}accept-ranges: bytes\r\n"), text)
    }
}

fn failure(status: u16, code: Option<&str>) -> (String, Vec<u8>) {
    let code = code.map_or_else(String::new, |code| format!("x-error-code: {code}\r\n"));
    (format!("HTTP/1.1 {status} Failure\r\n{code}content-length: 0\r\n"), vec![])
}

fn read_request(site: Site, stream: &mut TcpStream) -> io::Result<Option<Seen>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    request.parse(&head).map_err(io::Error::other)?;
    let (method, path) = (request.method.unwrap_or("").to_owned(), request.path.unwrap_or("").to_owned());
    let header = |name: &str| {
        let found = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(found.value).into_owned())
    };
    Ok(Some(Seen { site, method, path, range: header("range"), authorization: header("authorization") }))
}

/// Every setting of the hub's clients as the test wants it.
pub fn on_hub(command: &mut Command, endpoint: &str, bench: &super::Bench) {
    for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"] {
        command.env_remove(name);
    }
    command.env_remove("HF_HUB_OFFLINE");
    command.env("HF_ENDPOINT", endpoint).env("HF_HOME", bench.path().join("hf"));
}

/// Bytes that look random, the same in every run.
pub fn contents(length: usize) -> Vec<u8> {
    let mut numbers = super::Numbers(length as u64);
    (0..length).map(|_| numbers.below(256) as u8).collect()
}

/// Names and contents of all files.
pub fn everything_below(directory: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        found.push(path.display().to_string());
        match path.is_dir() {
            true => everything_below(&path, found),
            false => found.push(String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned()),
        }
    }
}
