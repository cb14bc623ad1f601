//! The way to a server: its address, proxies, keys, redirects, and being made to wait.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

use serde_json::json;

use super::{PROMPTS, bench};
use crate::support::canned::{Canned, with_header};
use crate::support::server::{Manners, Server};
use crate::support::{Bench, Said};

/// Every variable that a proxy could stand in.
const PROXIES: [&str; 8] =
    ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"];

fn run_with(bench: &Bench, variables: &[(&str, &str)]) -> Said {
    let mut command = bench.command(&["run", "x.toml", "--out", "out"]);
    for name in PROXIES {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied()).output().expect("moe-sweep starts").into()
}

#[test]
fn this_machine_is_asked_without_the_proxy_of_the_environment() {
    let server = Server::start(Manners::default());
    let bench = bench(&server.url, &PROMPTS[..3]);
    for name in ["http_proxy", "ALL_PROXY", "HTTPS_PROXY"] {
        let said = run_with(&bench, &[(name, "http://127.0.0.1:9")]);
        assert_eq!(said.code, Some(0), "{name}: {said:#?}");
    }
}

#[test]
fn a_proxy_that_stands_between_is_named_without_its_password() {
    // An address that no machine has (RFC 5737).
    let bench = bench("http://192.0.2.1:8080", &PROMPTS[..3]);
    let said = run_with(&bench, &[("HTTP_PROXY", "http://me:secret@127.0.0.1:9")]);
    assert_eq!(said.code, Some(96), "{said:#?}");
    said.says(&[
        "no server answers at http://192.0.2.1:8080",
        "through the proxy http://127.0.0.1:9 from the variable HTTP_PROXY",
        "NO_PROXY=192.0.2.1",
    ]);
    assert!(!said.stderr.contains("secret"), "{}", said.stderr);
    let said = run_with(&bench, &[("all_proxy", "socks5h://127.0.0.1:9")]);
    assert_eq!(said.code, Some(96), "{said:#?}");
    said.says(&["all_proxy names the proxy socks5h://127.0.0.1:9", "only proxies that begin with http://"]);
}

#[test]
fn a_proxy_is_used_and_its_refusal_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // All of the request, which may come in pieces.
        let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
        let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").unwrap();
        head.join("\n")
    });
    let bench = bench("http://far.invalid:8080", &PROMPTS[..3]);
    let said = run_with(&bench, &[("http_proxy", &proxy), ("HTTPS_PROXY", "http://127.0.0.1:9")]);
    assert_eq!(said.code, Some(96), "{said:#?}");
    said.says(&["403", &format!("through the proxy {proxy} from the variable http_proxy")]);
    assert!(asked.join().unwrap().starts_with("CONNECT far.invalid:8080"));
}

#[test]
fn a_key_that_ends_in_a_line_break_is_the_key() {
    let server = Server::start(Manners::default());
    let bench = bench(&server.url, &["one", "two", "three", "refused"]);
    bench.edit("api = \"openai\"", "api = \"openai\"\nkey_env = \"MOE_SWEEP_TEST_KEY\"");
    let said = run_with(&bench, &[("MOE_SWEEP_TEST_KEY", "sk-0123456789\r\n")]);
    assert_eq!(said.code, Some(3), "{said:#?}");
    // The server repeats what it got: the key, to the letter.
    assert!(bench.result("out", "trials.jsonl").contains("I do not like Bearer [key]\\\""));
    let said = run_with(&bench, &[("MOE_SWEEP_TEST_KEY", "sk-0123\n456789")]);
    assert_eq!(said.code, Some(96), "{said:#?}");
    said.says(&["the environment variable MOE_SWEEP_TEST_KEY, the key of the server s, contains a line break"]);
    assert!(!said.stderr.contains("sk-0123"), "{}", said.stderr);
}

#[test]
fn an_address_that_holds_the_path_already_is_explained() {
    let server = Server::start(Manners::default());
    for held in ["/v1", "/v1/chat/completions"] {
        let bench = bench(&format!("{}{held}", server.url), &PROMPTS[..3]);
        let said = bench.run("out", &[], 96);
        said.says(&[
            &format!("404 Not Found from {}{held}/v1/completions", server.url),
            &format!("url ends in {held}, but moe-sweep adds /v1/completions itself: write url = \"{}\"", server.url),
        ]);
    }
}

#[test]
fn a_redirect_is_not_followed_and_its_place_named() {
    let server =
        Canned::openai(|_| with_header(307, "Location: https://far.org/v1/completions?key=secret", &json!({})));
    let bench = bench(&server.url, &PROMPTS[..3]);
    let said = bench.run("out", &[], 96);
    said.says(&[
        &format!("307 Temporary Redirect from {}/v1/completions", server.url),
        "which leads to https://far.org/v1/completions",
        "does not follow redirects",
    ]);
    assert!(!said.stderr.contains("secret"), "{}", said.stderr);
}

#[test]
fn waiting_for_a_server_is_said() {
    let server = Server::start(Manners::default());
    let bench = bench(&server.url, &["one", "two", "three", "busy"]);
    let said = bench.run("out", &[], 0);
    said.says(&["waiting 1 s before asking a server again: 429 Too Many Requests"]);
    // While it is tried, too.
    bench.edit("\"one\"", "\"busy at once\"");
    let said = bench.run("again", &[], 0);
    let told = said.stderr.matches("waiting 1 s").count();
    assert!(told >= 1, "{}", said.stderr);
    assert!(
        said.stderr.find("waiting 1 s").unwrap() < said.stderr.find("texts to generate").unwrap(),
        "{}",
        said.stderr
    );
}
