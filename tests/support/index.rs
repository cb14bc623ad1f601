//! A package index on this machine: pages as pypi.org has them (PEP 691, PEP 700), wheels on the hub's other host, which
//! breaks off where a test wants it to; and a proxy before it.

use std::io::{BufRead, BufReader, Cursor, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::hub::{Hub, sha256};

pub const JSON: &str = "application/vnd.pypi.simple.v1+json";

/// A wheel with these files in it.
pub fn wheel(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let describing: (&str, &[u8]) = ("p-1.0.dist-info/METADATA", b"Name: p\n");
    for (name, text) in files.iter().chain([&describing]) {
        archive.start_file(*name, SimpleFileOptions::default()).expect("a name");
        archive.write_all(text).expect("memory has room");
    }
    archive.finish().expect("an archive").into_inner()
}

/// What an index says of a file.
pub fn entry(hub: &Hub, name: &str, contents: &[u8]) -> Value {
    json!({
        "filename": name,
        "url": hub.address(contents),
        "hashes": { "sha256": sha256(contents) },
        "size": contents.len(),
        "yanked": false,
    })
}

/// Has the index list these files of a package.
pub fn list(hub: &Hub, package: &str, files: &[Value]) {
    let page = json!({ "meta": { "api-version": "1.1" }, "name": package, "files": files });
    hub.page(&format!("/simple/{package}/"), JSON, page.to_string());
}

/// Every setting of pip as the test wants it.
pub fn on_index(command: &mut Command, url: &str, bench: &super::Bench) {
    for name in ["PIP_CERT", "VIRTUAL_ENV"] {
        command.env_remove(name);
    }
    command.env("PIP_CONFIG_FILE", "/dev/null").env("PIP_INDEX_URL", url);
    command.env("MOE_SWEEP_CACHE", bench.path().join("cache"));
}

/// A proxy that says what it was asked for, and leads to `target` or answers in its place.
pub struct Proxy {
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// What a proxy does with a connection.
#[derive(Clone)]
pub enum Manner {
    /// Leads to this address, whatever it was asked for.
    LeadTo(String),
    /// Says this where a server should.
    Answer(&'static str),
}

impl Proxy {
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let proxy =
            Self { url: format!("http://{}", listener.local_addr().expect("it is bound")), asked: Arc::default() };
        let asked = Arc::clone(&proxy.asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (manner, asked) = (manner.clone(), Arc::clone(&asked));
                thread::spawn(move || serve(stream, &manner, &asked).ok());
            }
        });
        proxy
    }

    /// The heads of what it was asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no thread panicked").clone()
    }
}

fn head(stream: &TcpStream) -> std::io::Result<String> {
    let lines = BufReader::new(stream.try_clone()?).lines();
    Ok(lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"))
}

fn serve(mut stream: TcpStream, manner: &Manner, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    asked.lock().expect("no thread panicked").push(head(&stream)?);
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    match manner {
        Manner::Answer(text) => {
            head(&stream)?;
            stream.write_all(text.as_bytes())
        }
        Manner::LeadTo(address) => {
            let there = TcpStream::connect(address.trim_start_matches("http://"))?;
            let (mut up, mut down) = (there.try_clone()?, stream.try_clone()?);
            let (mut from, mut to) = (stream, there);
            thread::spawn(move || std::io::copy(&mut from, &mut to).ok());
            std::io::copy(&mut up, &mut down)?;
            down.shutdown(std::net::Shutdown::Both)
        }
    }
}
