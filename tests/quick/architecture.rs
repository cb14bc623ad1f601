//! Who may know whom, checked from the source (docs/architecture.md).

mod graph;
pub mod sources;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use graph::{File, circles, file_of, graph};
use sources::{Of, Source, root, sources, sources_in, words_of};
use table::{TABLE, table};

/// Files of `commands/` that hold more than parsing, calling and printing. The list may only shrink: a file that has
/// become thin, or is gone, must leave it.
const NOT_YET_THIN: [&str; 0] = [];
/// Lines of code that a command may take, its unit tests aside.
const THIN: usize = 110;

/// Circles that are known, each by two of its files. The list may only shrink.
const KNOWN_CIRCLES: [(&str, &str); 0] = [];

/// Lines that a file may have, its unit tests included.
const LONGEST: usize = 500;

/// What is public and named nowhere else, with the reason.
const UNNAMED: [(&str, &str); 0] = [];

/// What only these places may name.
const OWNERS: [(&str, &[&str]); 37] = [
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
    ("opener", &["src/browser.rs"]),
    ("schemars", &["src/experiment/", "src/domain/"]),
    ("resvg", &["src/report/plot/"]),
    ("signal_hook", &["src/signals/unix.rs"]),
    ("httpdate", &["src/engine/http/client.rs"]),
    // A run's files are named, read and replaced in one place.
    ("\"trials.jsonl\"", &["src/run_dir/names.rs"]),
    ("\"plan.json\"", &["src/run_dir/names.rs"]),
    ("\"manifest.json\"", &["src/run_dir/names.rs"]),
    ("\"mechanism.json\"", &["src/run_dir/names.rs"]),
    ("\"experiment.toml\"", &["src/run_dir/names.rs"]),
    ("\"trials.csv\"", &["src/run_dir/names.rs"]),
    ("\"diagnosis.json\"", &["src/run_dir/names.rs"]),
    ("\"cells.csv\"", &["src/run_dir/names.rs"]),
    ("\"report.html\"", &["src/run_dir/names.rs"]),
    ("\"verdicts.json\"", &["src/run_dir/names.rs"]),
    ("csv::Writer", &["src/report/table.rs"]),
    ("indicatif", &["src/progress"]),
    ("clap", &["src/cli/"]),
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
            "src/model/download/web.rs",
        ],
    ),
    // The page's content security policy names the hashes of its style and script.
    ("sha2::", &["src/model/hash.rs", "src/report/html/page.rs"]),
    ("base64::", &["src/model/packages/index.rs", "src/report/html/page.rs"]),
    ("configparser", &["src/model/packages/pip.rs"]),
    ("zip::", &["src/model/packages/unpack.rs"]),
    ("minijinja", &["src/prompt/"]),
    ("chrono::", &["src/prompt/"]),
    ("maud::", &["src/report/html/", "src/report/diagnosis/page.rs"]),
];

/// What a place must not name: the samplers in Rust are compared with
/// llama.cpp's, and must not lean on them. Bytes of a server, a hub or an index become
/// text, and text JSON, by way of `secret` only, which scrubs keys.
const STRANGERS: [(&str, &str); 16] = [
    ("crates/llama/src/fast/", "llama_cpp"),
    ("crates/llama/src/fast/", "Sampler"),
    ("src/engine/http/", "from_utf8"),
    ("src/engine/http/", "serde_json::from"),
    ("src/engine/http/", ".to_str()"),
    // Numbers are functions of what was recorded, and know nothing of the recording.
    ("src/study/numbers/", "crate::study"),
    ("src/study/numbers/", "super::super"),
    ("src/model/hub/client.rs", "from_utf8"),
    ("src/model/hub/client.rs", "serde_json::from"),
    ("src/model/hub/client.rs", ".to_str()"),
    ("src/model/download/", "from_utf8"),
    ("src/model/download/", "serde_json::from"),
    ("src/model/download/", ".to_str()"),
    ("src/model/packages/client.rs", "from_utf8"),
    ("src/model/packages/client.rs", "serde_json::from"),
    ("src/model/packages/client.rs", ".to_str()"),
];

/// Modules without files, processes, clocks, output or unseeded randomness.
const PURE: [&str; 15] = [
    "analysis",
    "causes",
    "check",
    "diagnosis",
    "domain",
    "experiment",
    "format",
    "metrics",
    "plan",
    "prompt",
    "report",
    "results",
    "stats",
    "text_file",
    "texts",
];
/// And these parts of others.
const PURE_FILES: [&str; 13] = [
    "src/engine/http/answer/",
    "src/engine/http/halves.rs",
    "src/engine/http/mapping.rs",
    "src/model/anatomy",
    "src/model/duration.rs",
    "src/model/file_type.rs",
    "src/model/findings/",
    "src/model/memory",
    "src/model/gguf/header.rs",
    "src/model/gguf/metadata.rs",
    "src/model/gguf/names.rs",
    "src/model/gguf/source.rs",
    "src/study/numbers/",
];
const IMPURE: [&str; 8] =
    ["std::fs", "std::process", "std::time", "std::env", "println!", "eprint", "rand::rng", "from_os_rng"];

#[test]
fn modules_name_only_what_the_document_says() {
    let table = table();
    let sources = sources();
    // A crate is a row as well: cargo sees to it that it names nothing of ours.
    let at_root: Vec<_> = sources.iter().filter(|source| source.krate.is_empty()).collect();
    let there: BTreeSet<_> =
        at_root.iter().map(|source| &*source.module).filter(|name| !["lib", "main"].contains(name)).collect();
    let crates: BTreeSet<_> = sources
        .iter()
        .filter(|source| !source.krate.is_empty())
        .map(|source| source.krate.trim_end_matches('/'))
        .collect();
    let listed: BTreeSet<_> = table.keys().map(String::as_str).collect();
    let expected: BTreeSet<_> = there.iter().copied().chain(crates).chain(["metrics", "stats"]).collect();
    assert_eq!(listed, expected, "{TABLE} lists other modules than there are");
    let callers: Vec<_> = table.iter().filter(|(_, may)| may.contains("commands")).map(|(module, _)| module).collect();
    assert!(callers.is_empty(), "{TABLE} lets {callers:?} name commands, which nothing but main.rs may");
    // The parts of `crates/score` stand here as modules; `crates/llama` has modules of its own, some of the same names.
    let ours = sources.iter().filter(|source| source.krate != "crates/llama/" && listed.contains(&*source.module));
    for source in ours {
        let file = File::of(source, false);
        for named in file.own_modules().into_iter().filter(|named| listed.contains(named) && *named != source.module) {
            let may = &table[&source.module];
            assert!(
                may.contains(named),
                "{} names crate::{named}, which {} must not know: {TABLE} has the table",
                source.path,
                source.module
            );
        }
    }
}

#[test]
fn commands_are_thin() {
    let sources = sources();
    let commands: Vec<_> = sources.iter().filter(|source| source.path.starts_with("src/commands/")).collect();
    let thick: BTreeMap<_, _> = commands
        .iter()
        .map(|source| (&*source.path, source.lines_of_code()))
        .filter(|(_, lines)| *lines > THIN)
        .collect();
    let new: Vec<_> = thick.iter().filter(|(path, _)| !NOT_YET_THIN.contains(path)).collect();
    assert!(
        new.is_empty(),
        "a command parses, calls and prints, in {THIN} lines of code at most; these have more: {new:?}"
    );
    for path in NOT_YET_THIN {
        assert!(thick.contains_key(path), "{path} is thin now: take it off the list");
    }
}

#[test]
fn no_file_leads_back_to_itself() {
    let mut sources = sources().to_vec();
    sources.extend(sources_in(&root().join("forge/src")));
    let circles = circles(&graph(&sources));
    let is_of = |circle: &BTreeSet<String>, (a, b): (&str, &str)| {
        [a, b].iter().all(|path| circle.iter().any(|node| file_of(node) == *path))
    };
    for circle in &circles {
        assert!(KNOWN_CIRCLES.iter().any(|known| is_of(circle, *known)), "these lead back to each other: {circle:#?}");
    }
    for known in KNOWN_CIRCLES {
        assert!(
            circles.iter().any(|circle| is_of(circle, known)),
            "{known:?} is no circle any more: take it off the list"
        );
    }
}

#[test]
fn what_is_public_is_named_elsewhere() {
    let sources = sources();
    let mut words: Vec<(String, BTreeSet<String>)> = Vec::new();
    for source in sources {
        let uses = File::of(source, false).uses().into_iter().map(str::to_owned).collect();
        words.push((source.path.clone(), uses));
    }
    words.extend(words_of(&["src", "crates"], Of::UnitTests));
    words.extend(words_of(&["forge/src", "benches", "examples", "tests", "crates/score/examples"], Of::All));
    let is_named = |source: &Source, kind: &str, name: &str| {
        let elsewhere = words.iter().any(|(path, words)| *path != source.path && words.contains(name));
        // A type may be public only because what is public holds it.
        let is_type = matches!(kind, "struct" | "enum" | "trait" | "type");
        elsewhere || (is_type && source.mentions(name) > 1)
    };
    let mut unnamed: BTreeSet<(&str, &str)> = BTreeSet::new();
    for source in sources {
        let items = source.public_items().into_iter().filter(|(kind, name)| !is_named(source, kind, name));
        unnamed.extend(items.map(|(_, name)| (&*source.path, name)));
    }
    let new: Vec<_> = unnamed.iter().filter(|item| !UNNAMED.contains(item)).collect();
    assert!(new.is_empty(), "nobody names these: remove them, or make them private: {new:#?}");
    for (path, name) in UNNAMED {
        assert!(unnamed.contains(&(path, name)), "{path}: {name} is no exception any more");
    }
}

#[test]
fn no_file_is_long() {
    for (path, lines) in sources::lines() {
        assert!(lines <= LONGEST, "{path} has {lines} lines: {LONGEST} are the most");
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
        let sources = sources().iter().filter(|source| source.path.starts_with(place)).collect::<Vec<_>>();
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
