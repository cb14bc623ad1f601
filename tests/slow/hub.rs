//! Models from the hub, end to end: the program against a hub on this machine.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::hub::{COMMIT, Fault, Hub, Site, contents, everything_below, on_hub, sha256};
use crate::support::{Bench, Numbers, Said};

const TOKEN: &str = "hf_secretSECRETsecret";

/// A model of one file, `m`, in the repository o/r.
const CATALOGUE: &str = "[[model]]\nid = \"m\"\nhf = \"o/r\"\nfile = \"q/m.gguf\"\n";

struct Fetch {
    bench: Bench,
    hub: Hub,
    text: Vec<u8>,
}

impl Fetch {
    /// A hub with `m` and a catalogue that names it.
    fn new(length: usize) -> Self {
        let text = contents(length);
        let hub = Hub::serve(&[("o/r", "q/m.gguf", &text)]);
        let fetch = Self { bench: Bench::new(""), hub, text };
        fetch.catalogue(CATALOGUE);
        fetch
    }

    fn catalogue(&self, text: &str) {
        fs::create_dir_all(self.bench.path().join("models")).expect("the bench is writable");
        self.bench.write("models/catalog.toml", text);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bench.command(arguments);
        on_hub(&mut command, &self.hub.endpoint, &self.bench);
        command
    }

    fn say(&self, arguments: &[&str]) -> Said {
        self.command(arguments).output().expect("moe-sweep starts").into()
    }

    fn fetch(&self, code: i32) -> Said {
        let said = self.say(&["model", "fetch", "m"]);
        assert_eq!(said.code, Some(code), "{said:#?}");
        said
    }

    fn snapshot(&self) -> PathBuf {
        self.repository().join("snapshots").join(COMMIT).join("q/m.gguf")
    }

    fn repository(&self) -> PathBuf {
        self.bench.path().join("hf/hub/models--o--r")
    }

    fn blob(&self) -> PathBuf {
        self.repository().join("blobs").join(sha256(&self.text))
    }

    fn incomplete(&self) -> PathBuf {
        self.blob().with_extension("incomplete")
    }

    fn is_whole(&self) {
        assert_eq!(fs::read(self.snapshot()).expect("it is cached"), self.text);
        assert!(fs::symlink_metadata(self.snapshot()).expect("it is there").is_symlink());
        assert!(self.blob().is_file() && !self.incomplete().exists());
        assert_eq!(fs::read_to_string(self.repository().join("refs/main")).expect("a reference"), COMMIT);
    }

    fn is_absent(&self) {
        assert!(!self.blob().exists() && !self.snapshot().exists(), "something stands at the final name");
    }
}

#[test]
fn a_file_is_fetched_whole_and_only_once() {
    let fetch = Fetch::new(300_000);
    let said = fetch.fetch(0);
    assert_eq!(said.stdout, format!("m\t{}\n", fetch.snapshot().display()));
    fetch.is_whole();
    assert_eq!(fetch.fetch(0).stdout, said.stdout);
    assert_eq!(fetch.hub.ranges(), [None], "the contents were asked for once");
    let listed = fetch.say(&["model", "list"]).stdout;
    assert_eq!(listed.split_whitespace().collect::<Vec<_>>(), ["m", "cached", "300.0", "kB", "o/r/q/m.gguf@main"]);
    let json: serde_json::Value =
        serde_json::from_str(&fetch.say(&["model", "list", "--json"]).stdout).expect("a JSON list");
    assert_eq!((&json[0]["state"], &json[0]["commit"]), (&"cached".into(), &COMMIT.into()));
    assert_eq!((&json[0]["size_bytes"], &json[0]["sha256"]), (&300_000.into(), &serde_json::Value::Null));
}

#[test]
fn each_address_has_the_proxy_of_its_scheme() {
    let fetch = Fetch::new(1_000);
    let say = |endpoint: &str, variable: &str, proxy: &str| -> Said {
        let mut command = fetch.command(&["model", "fetch", "m"]);
        command.env("HF_ENDPOINT", endpoint).env(variable, proxy).output().expect("moe-sweep starts").into()
    };
    // A proxy would look for the hub on its own machine; and this one is not for http.
    for variable in ["HTTPS_PROXY", "ALL_PROXY"] {
        assert_eq!(say(&fetch.hub.endpoint, variable, "http://127.0.0.1:9").code, Some(0), "{variable}");
    }
    fetch.is_whole();
    let away = "http://192.0.2.1:8080";
    let refused = say(away, "HTTP_PROXY", "http://me:secret@127.0.0.1:9");
    assert_ne!(refused.code, Some(0));
    refused.says(&["through the proxy http://127.0.0.1:9 from the variable HTTP_PROXY"]);
    assert!(!refused.stderr.contains("secret"), "{}", refused.stderr);
    let socks = say(away, "ALL_PROXY", "socks5://127.0.0.1:9");
    socks.says(&["ALL_PROXY names the proxy socks5://127.0.0.1:9", "only proxies that begin with http://"]);
    assert!(!socks.stderr.contains("retrying in"), "it would say the same again: {}", socks.stderr);
}

#[test]
fn what_breaks_off_goes_on_from_there() {
    for seed in 0..4 {
        let fetch = Fetch::new(400_000);
        let mut numbers = Numbers(seed);
        // The second cut is within what the first left over; a cut may come before the first byte.
        let first = numbers.below(400_000);
        let second = if seed == 0 { 0 } else { numbers.below(400_000 - first) };
        fetch.hub.spoil(Site::Cdn, &[Fault::CutAfter(first), Fault::CutAfter(second)]);
        let said = fetch.fetch(0);
        fetch.is_whole();
        said.says(&["retrying in 0.2 s"]);
        let from = |byte: u64| (byte > 0).then(|| format!("bytes={byte}-"));
        assert_eq!(fetch.hub.ranges(), [None, from(first), from(first + second)], "seed {seed}");
    }
}

#[test]
fn a_killed_fetch_is_taken_up_by_the_next_process() {
    let fetch = Fetch::new(500_000);
    fetch.hub.spoil(Site::Cdn, &[Fault::StallAfter(123_456)]);
    let mut killed: Child = fetch.command(&["model", "fetch", "m"]).stdout(Stdio::null()).spawn().expect("it starts");
    let since = Instant::now();
    while fs::metadata(fetch.incomplete()).map_or(0, |data| data.len()) < 123_456 {
        assert!(since.elapsed() < Duration::from_secs(60), "nothing came in");
        std::thread::sleep(Duration::from_millis(10));
    }
    killed.kill().expect("it can be killed");
    killed.wait().expect("it ends");
    fetch.is_absent();
    fetch.fetch(0);
    fetch.is_whole();
    assert_eq!(fetch.hub.ranges(), [None, Some("bytes=123456-".to_owned())]);
}

#[test]
fn a_server_that_ignores_ranges_sends_the_file_again() {
    let fetch = Fetch::new(200_000);
    fetch.hub.spoil(Site::Cdn, &[Fault::CutAfter(150_000), Fault::IgnoreRange]);
    fetch.fetch(0);
    fetch.is_whole();
}

#[test]
fn an_unavailable_hub_is_asked_again_and_a_dead_one_is_given_up() {
    let fetch = Fetch::new(1000);
    fetch.hub.spoil(Site::Endpoint, &[Fault::Status(503, None), Fault::Status(429, None)]);
    fetch.hub.spoil(Site::Cdn, &[Fault::Status(503, None)]);
    fetch.fetch(0);
    fetch.is_whole();

    let mut command = fetch.command(&["model", "fetch", "m"]);
    // Port 1 is nobody's.
    let said = Said::from(command.env("HF_ENDPOINT", "http://127.0.0.1:1").output().expect("it starts"));
    assert_eq!(said.code, Some(96), "{said:#?}");
    said.says(&["cannot reach http://127.0.0.1:1/o/r/resolve/main/q/m.gguf", "HF_ENDPOINT"]);
}

#[test]
fn wrong_contents_are_removed_and_the_hashes_are_named() {
    let fetch = Fetch::new(5000);
    fetch.hub.spoil(Site::Cdn, &[Fault::WrongContent]);
    let said = fetch.fetch(96);
    let mut wrong = fetch.text.clone();
    wrong[0] ^= 1;
    let hashes = format!("q/m.gguf has the SHA-256 {}, not {}; it was removed", sha256(&wrong), sha256(&fetch.text));
    said.says(&[&hashes, "run the command again"]);
    fetch.is_absent();
    assert!(!fetch.incomplete().exists());
    fetch.fetch(0);
    fetch.is_whole();
}

#[test]
fn a_file_other_than_the_stated_one_is_not_even_fetched() {
    let fetch = Fetch::new(5000);
    let stated = "a".repeat(64);
    fetch.catalogue(&format!("{CATALOGUE}sha256 = \"{stated}\"\n"));
    let theirs = sha256(&fetch.text);
    fetch.fetch(96).says(&[&format!("has the SHA-256 {theirs}, not the stated {stated}; nothing was fetched")]);
    fetch.catalogue(&format!("{CATALOGUE}size_bytes = 4999\n"));
    fetch.fetch(96).says(&["q/m.gguf has 5000 bytes, not 4999", "size_bytes"]);
    assert!(fetch.hub.ranges().is_empty());
    fetch.catalogue(&format!("{CATALOGUE}sha256 = \"{theirs}\"\nsize_bytes = 5000\n"));
    fetch.fetch(0);
}

#[test]
fn offline_means_the_cache_and_nothing_else() {
    let fetch = Fetch::new(1000);
    let offline = || fetch.say(&["model", "fetch", "m", "--offline"]);
    let said = offline();
    assert_eq!(said.code, Some(96));
    said.says(&["o/r/q/m.gguf@main is not in the cache", "remove --offline"]);
    let by_variable = fetch.command(&["model", "fetch", "m"]).env("HF_HUB_OFFLINE", "1").output().expect("it starts");
    assert_eq!(Said::from(by_variable).stderr, said.stderr);
    assert!(fetch.hub.seen(Site::Endpoint).is_empty(), "the hub was asked");
    fetch.fetch(0);
    let asked = fetch.hub.seen(Site::Endpoint).len();
    assert_eq!(offline().stdout, format!("m\t{}\n", fetch.snapshot().display()));
    assert_eq!(fetch.hub.seen(Site::Endpoint).len(), asked);
}

#[test]
fn the_token_is_for_the_hub_alone_and_is_never_printed() {
    let fetch = Fetch::new(1000);
    let with_token = || -> Said {
        fetch.command(&["model", "fetch", "m"]).env("HF_TOKEN", TOKEN).output().expect("it starts").into()
    };
    fetch.hub.spoil(Site::Endpoint, &[Fault::Status(403, Some("GatedRepo"))]);
    let refused = with_token();
    let fetched = with_token();
    assert_eq!((refused.code, fetched.code), (Some(96), Some(0)), "{refused:#?}{fetched:#?}");
    for said in [refused, fetched] {
        assert!(!said.stderr.contains(TOKEN) && !said.stdout.contains(TOKEN));
    }
    let shown = |site| fetch.hub.seen(site).into_iter().map(|seen| seen.authorization).collect::<Vec<_>>();
    assert_eq!(shown(Site::Endpoint), vec![Some(format!("Bearer {TOKEN}")); 3]);
    assert_eq!(shown(Site::Cdn), [None]);
}

/// Heads in which a hub sends the token back.
const ECHOES: [&str; 7] = [
    "HTTP/1.1 500 KEY\r\nx-error-code: KEY\r\ncontent-length: 0\r\n",
    "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/KEY/x?KEY\r\ncontent-length: 0\r\n",
    "HTTP/1.1 302 Found\r\nlocation: http://me:KEY@127.0.0.1:9/x\r\ncontent-length: 0\r\n",
    "HTTP/1.1 302 Found\r\nlocation: /KEY/x\r\ncontent-length: 0\r\n",
    "HTTP/1.1 200 OK\r\netag: \"KEY\"\r\nx-repo-commit: 0123456789abcdef0123456789abcdef01234567\r\ncontent-length: 5\r\n",
    "HTTP/1.1 200 OK\r\nx-linked-etag: KEY\r\nx-linked-size: KEY\r\nx-repo-commit: KEY\r\ncontent-length: 0\r\n",
    "KEY KEY\r\nKEY\r\n",
];

#[test]
fn a_token_that_comes_back_in_any_header_is_kept_nowhere() {
    for head in ECHOES {
        let fetch = Fetch::new(1000);
        fetch.hub.spoil(Site::Endpoint, &[Fault::Says(head); 12]);
        let output = fetch.command(&["model", "fetch", "m"]).env("HF_TOKEN", TOKEN).output().expect("it starts");
        let said = Said::from(output);
        assert_eq!(said.code, Some(96), "{head}: {said:#?}");
        assert!(!fetch.hub.seen(Site::Endpoint).is_empty());
        let mut names = vec![said.stdout, said.stderr];
        everything_below(fetch.bench.path(), &mut names);
        for text in names {
            let leak = TOKEN.as_bytes().windows(8).find(|run| text.as_bytes().windows(8).any(|part| part == *run));
            assert_eq!(leak, None, "{head}: {text}");
        }
    }
}

#[test]
fn a_password_in_the_address_of_a_mirror_is_not_shown() {
    let fetch = Fetch::new(1000);
    let say = |endpoint: &str| -> Said {
        fetch.command(&["model", "fetch", "m"]).env("HF_ENDPOINT", endpoint).output().expect("it starts").into()
    };
    let with_password = |url: &str| url.replace("http://", "http://me:hunter2secret@");
    fetch.hub.spoil(Site::Endpoint, &[Fault::Status(403, Some("GatedRepo"))]);
    for endpoint in [with_password("http://127.0.0.1:1"), with_password(&fetch.hub.endpoint)] {
        let said = say(&endpoint);
        assert!(said.code == Some(96) && !said.stderr.contains("hunter2"), "{said:#?}");
    }
    assert_eq!(say(&with_password(&fetch.hub.endpoint)).code, Some(0));
    fetch.is_whole();
}

#[test]
fn each_refusal_says_what_to_do() {
    let fetch = Fetch::new(1000);
    let page = format!("{}/o/r", fetch.hub.endpoint);
    fetch.hub.spoil(Site::Endpoint, &[Fault::Status(401, Some("GatedRepo"))]);
    fetch.fetch(96).says(&["only after its licence is accepted", &format!("accept it on {page}"), "HF_TOKEN"]);
    for (from, to, expected) in [
        ("o/r", "o/none", "the hub has no repository o/none, or does not show it to you"),
        ("q/m.gguf", "q/n.gguf", "o/r has no file q/n.gguf at main"),
        ("q/m.gguf\"", "q/m.gguf\"\nrevision = \"v9\"", "o/r has no revision v9"),
    ] {
        fetch.catalogue(&CATALOGUE.replace(from, to));
        fetch.fetch(96).says(&[expected]);
    }
    assert!(!fetch.repository().join("blobs").exists());
    let said = fetch.say(&["model", "fetch", "n"]);
    assert_eq!(said.code, Some(2));
    said.says(&["unknown model \"n\"", "known models: m"]);
}

#[test]
fn two_processes_fetch_a_file_once() {
    let fetch = Fetch::new(300_000);
    fetch.hub.spoil(Site::Cdn, &[Fault::Slow(Duration::from_millis(800))]);
    let start = || fetch.command(&["model", "fetch", "m"]).stdout(Stdio::null()).spawn().expect("it starts");
    for mut child in [start(), start()] {
        assert!(child.wait().expect("it ends").success());
    }
    fetch.is_whole();
    assert_eq!(fetch.hub.ranges(), [None]);
}

#[test]
fn all_parts_of_a_split_set_are_fetched_at_one_commit() {
    let (one, two) = (contents(1000), contents(2000));
    let hub = Hub::serve(&[("o/r", "m-00001-of-00002.gguf", &one), ("o/r", "m-00002-of-00002.gguf", &two)]);
    let fetch = Fetch { bench: Bench::new(""), hub, text: one };
    fetch.catalogue("[[model]]\nid = \"m\"\nhf = \"o/r\"\nfile = \"m-00001-of-00002.gguf\"\nsize_bytes = 3000\n");
    let said = fetch.fetch(0);
    let second = said.stdout.trim_end().replace("00001", "00002");
    let second = second.split_once('\t').expect("an id and a path").1;
    assert_eq!(fs::read(second).expect("beside the first"), two);
    let asked = fetch.hub.seen(Site::Endpoint);
    assert_eq!(asked[0].path, "/o/r/resolve/main/m-00001-of-00002.gguf");
    assert!(asked[1..].iter().all(|seen| seen.path.contains(COMMIT)), "{asked:?}");
    assert_eq!(fetch.say(&["model", "verify", "m"]).code, Some(0));
}

#[test]
fn verify_finds_a_damaged_file_and_force_mends_it() {
    let fetch = Fetch::new(5000);
    let verify = || fetch.say(&["model", "verify", "m"]);
    let said = verify();
    assert_eq!(said.code, Some(96));
    said.says(&["the model m is not fetched: o/r/q/m.gguf@main", "moe-sweep model fetch m"]);
    fetch.fetch(0);
    let hash = sha256(&fetch.text);
    assert!(verify().stdout.contains(&format!("ok, SHA-256 {hash}")));
    let mut damaged = fetch.text.clone();
    damaged[77] ^= 1;
    fs::write(fetch.blob(), damaged).expect("written");
    let said = verify();
    assert_eq!(said.code, Some(96));
    assert!(said.stdout.contains(&format!("not {hash}")), "{said:#?}");
    said.says(&["damaged or another file: m", "moe-sweep model fetch --force m"]);
    assert_eq!(fetch.say(&["model", "fetch", "--force", "m"]).code, Some(0));
    assert_eq!(fetch.say(&["model", "verify", "--all"]).code, Some(0));
    fetch.is_whole();
}
