//! Who may know whom, checked from the source (docs/architecture.md).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each top-level module and the modules it may name.
const MAY_KNOW: [(&str, &[&str]); 30] = [
    ("any_path", &[]),
    ("exit_code", &[]),
    ("hardware", &[]),
    ("plain", &[]),
    ("proxy", &["secret"]),
    ("regular_file", &[]),
    ("seal", &[]),
    ("secret", &[]),
    ("stats", &[]),
    ("text_file", &[]),
    ("domain", &["metrics"]),
    ("format", &["domain", "metrics", "seal"]),
    ("message", &["plain"]),
    ("signals", &["exit_code", "message"]),
    ("experiment", &["domain", "metrics", "plain", "text_file"]),
    ("model", &["any_path", "domain", "experiment", "proxy", "regular_file", "secret"]),
    ("engine", &["any_path", "domain", "experiment", "metrics", "proxy", "regular_file", "secret"]),
    ("plan", &["domain", "engine", "experiment", "format", "metrics", "seal"]),
    ("worker", &["any_path", "domain", "engine", "exit_code", "experiment", "model", "plain", "signals"]),
    ("journal", &["domain", "engine", "format", "regular_file", "seal"]),
    ("event", &["domain", "engine", "journal", "plan"]),
    ("runner", &["domain", "engine", "event", "experiment", "journal", "model", "plan", "worker"]),
    ("metrics", &[]),
    ("mechanism", &["domain", "engine", "experiment", "metrics", "stats"]),
    ("analysis", &["domain", "engine", "experiment", "journal", "metrics", "plan", "stats"]),
    ("check", &["analysis", "domain", "experiment", "format", "metrics", "plan", "stats"]),
    // Advice shows what the client would ask a server for: engine::http's mapping.
    (
        "report",
        &["analysis", "check", "domain", "engine", "experiment", "mechanism", "metrics", "plain", "plan", "stats"],
    ),
    ("progress", &["domain", "event", "experiment", "journal", "message", "metrics", "model", "plan"]),
    (
        "manifest",
        &["any_path", "domain", "engine", "experiment", "format", "hardware", "model", "plan", "runner", "seal"],
    ),
    ("cli", &[]),
];

/// What only these places may name.
const OWNERS: [(&str, &[&str]); 21] = [
    // What a person names may be a pipe, which would be waited for.
    ("fs::read(", &["src/regular_file.rs"]),
    // A message that can't be written is no failure; `eprintln!` panics then.
    ("eprint", &[]),
    ("stderr()", &["src/message.rs", "src/progress.rs", "src/engine/scripted.rs", "crates/llama/src/lib.rs"]),
    ("llama_cpp", &["crates/llama/src/"]),
    ("use ::llama", &["src/engine/llama/"]),
    ("process::{Child", &["src/worker/supervisor.rs"]),
    ("process::Command", &["src/worker/supervisor.rs"]),
    ("plotters", &["src/report/plot/"]),
    ("resvg", &["src/report/plot/"]),
    ("signal_hook", &["src/signals/unix.rs"]),
    ("httpdate", &["src/engine/http/client.rs"]),
    ("csv::Writer", &["src/report/table.rs"]),
    ("indicatif", &["src/progress"]),
    ("clap", &["src/cli.rs"]),
    ("statrs", &["crates/score/src/stats/"]),
    ("miniz_oxide", &["crates/score/src/metrics/compression.rs"]),
    // Its modules are named as `crate::metrics` and `crate::stats`, which the table above looks at.
    ("use score::", &["src/lib.rs", "crates/score/src/metrics/mod.rs"]),
    (
        "ureq",
        &[
            "src/engine/http/client.rs",
            "src/engine/http/incoming.rs",
            "src/engine/http/patience.rs",
            "src/model/hub/client.rs",
        ],
    ),
    // The page's content security policy names the hashes of its style and script.
    ("sha2::", &["src/model/hash.rs", "src/report/html/page.rs"]),
    ("base64::", &["src/report/html/page.rs"]),
    ("maud::", &["src/report/html/"]),
];

/// What a place must not name: the samplers in Rust are compared with
/// llama.cpp's, and must not lean on them. Bytes of a server or a hub become
/// text, and text JSON, by way of `secret` only, which scrubs keys.
const STRANGERS: [(&str, &str); 8] = [
    ("crates/llama/src/fast/", "llama_cpp"),
    ("crates/llama/src/fast/", "Sampler"),
    ("src/engine/http/", "from_utf8"),
    ("src/engine/http/", "serde_json::from"),
    ("src/engine/http/", ".to_str()"),
    ("src/model/hub/client.rs", "from_utf8"),
    ("src/model/hub/client.rs", "serde_json::from"),
    ("src/model/hub/client.rs", ".to_str()"),
];

/// Modules without files, processes, clocks, output or unseeded randomness.
const PURE: [&str; 11] = [
    "analysis",
    "check",
    "domain",
    "experiment",
    "format",
    "mechanism",
    "metrics",
    "plan",
    "report",
    "stats",
    "text_file",
];
/// And these parts of others.
const PURE_FILES: [&str; 9] = [
    "src/engine/http/answer/",
    "src/engine/http/halves.rs",
    "src/engine/http/mapping.rs",
    "src/model/anatomy",
    "src/model/file_type.rs",
    "src/model/memory",
    "src/model/gguf/header.rs",
    "src/model/gguf/metadata.rs",
    "src/model/gguf/source.rs",
];
const IMPURE: [&str; 8] =
    ["std::fs", "std::process", "std::time", "std::env", "println!", "eprint", "rand::rng", "from_os_rng"];

#[test]
fn modules_name_only_what_they_may_know() {
    let known: BTreeSet<_> = MAY_KNOW.iter().map(|(module, _)| *module).collect();
    // The crate of llama.cpp has modules of its own, and cargo sees to it that it names none of ours.
    for source in sources().into_iter().filter(|source| !source.path.starts_with("crates/llama/")) {
        let Some((_, allowed)) = MAY_KNOW.iter().find(|(module, _)| *module == source.module) else {
            let free = ["commands", "lib", "main"];
            assert!(free.contains(&&*source.module), "{}: give this module a line in MAY_KNOW", source.path);
            continue;
        };
        for named in source.names_after("crate::") {
            let itself = named == source.module;
            assert!(
                itself || allowed.contains(&&*named) || !(known.contains(&*named) || named == "commands"),
                "{} names crate::{named}, which {} must not know",
                source.path,
                source.module
            );
        }
    }
}

#[test]
fn each_library_has_its_owner() {
    for source in sources() {
        for (name, owners) in OWNERS {
            let owned = owners.iter().any(|owner| source.path.starts_with(owner));
            assert!(owned || !source.code.contains(name), "{} names {name}, which belongs to {owners:?}", source.path);
        }
    }
}

#[test]
fn strangers_stay_strangers() {
    for (place, name) in STRANGERS {
        let sources = sources().into_iter().filter(|source| source.path.starts_with(place)).collect::<Vec<_>>();
        assert!(!sources.is_empty(), "there is no {place}");
        for source in sources {
            assert!(!source.code.contains(name), "{} names {name}, which it must not know", source.path);
        }
    }
}

#[test]
fn pure_modules_are_pure() {
    let pure = |source: &&Source| {
        PURE.contains(&&*source.module) || PURE_FILES.iter().any(|path| source.path.starts_with(path))
    };
    for source in sources().iter().filter(pure) {
        for name in IMPURE {
            assert!(!source.code.contains(name), "{} names {name}; {} is pure", source.path, source.module);
        }
    }
}

#[test]
fn every_file_says_what_it_owns() {
    for source in sources() {
        assert!(source.text.starts_with("//!"), "{} opens without a module comment", source.path);
    }
}

struct Source {
    /// From the repository's root.
    path: String,
    /// The top-level module of its crate; no two crates have one of the same name.
    module: String,
    text: String,
    /// Without comments and unit tests.
    code: String,
}

impl Source {
    /// The identifiers that follow each `prefix`, braces opened once.
    fn names_after(&self, prefix: &str) -> BTreeSet<String> {
        let identifier = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        let mut names = BTreeSet::new();
        for (at, _) in self.code.match_indices(prefix) {
            let rest = &self.code[at + prefix.len()..];
            match rest.strip_prefix('{') {
                None => names.extend([identifier(rest)]),
                Some(list) => {
                    let list = list.split_once("};").map_or(list, |(list, _)| list);
                    names.extend(list.split(',').map(|item| identifier(item.trim())));
                }
            }
        }
        names
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join("src"), &mut files);
    assert!(files.len() > 20, "the sources were not found");
    for entry in fs::read_dir(root.join("crates")).unwrap() {
        let already = files.len();
        collect(&entry.unwrap().path().join("src"), &mut files);
        assert!(files.len() > already, "the sources of a crate were not found");
    }
    let sources: Vec<_> = files.iter().map(|file| read(root, file)).collect();
    let test_only: BTreeSet<_> = sources.iter().flat_map(test_modules).collect();
    sources.into_iter().filter(|source| !test_only.contains(&source.path)).collect()
}

/// Files of the modules that a `mod.rs` declares for tests only.
fn test_modules(source: &Source) -> Vec<String> {
    let home = source.path.trim_end_matches("mod.rs");
    let declared = source.text.split("#[cfg(test)]\nmod ").skip(1);
    declared.filter_map(|rest| rest.split_once(';')).map(|(name, _)| format!("{home}{name}.rs")).collect()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn read(root: &Path, file: &Path) -> Source {
    let path = file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    let (_, in_crate) = path.split_once("src/").unwrap();
    let module = in_crate.split(['/', '.']).next().unwrap().to_owned();
    let text = fs::read_to_string(file).unwrap();
    let without_tests = text.split("#[cfg(test)]\nmod ").next().unwrap();
    let lines = without_tests.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    Source { path, module, code, text }
}
