//! Nothing that the caller tells their own moe-sweep reaches the one under test.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::alone::alone;
use crate::support::{Bench, is_for_moe_sweep, without_the_callers_variables};

#[test]
fn the_callers_options_and_proxies_reach_no_test() {
    // As a developer may have them, and such that no run would end well with them.
    let variables = [
        ("MOE_SWEEP_THREADS", "no number"),
        ("MOE_SWEEP_LANES", "no number"),
        ("MOE_SWEEP_OF_TOMORROW", "1"),
        ("HTTP_PROXY", "http://127.0.0.1:1"),
        ("https_proxy", "http://127.0.0.1:1"),
        ("ALL_PROXY", "http://127.0.0.1:1"),
        ("no_proxy", "*"),
        ("CLICOLOR_FORCE", "1"),
        ("RUST_LOG", "debug"),
    ];
    alone("surroundings::the_callers_options_and_proxies_reach_no_test", &variables, || {
        assert!(variables.iter().all(|(name, value)| std::env::var(name).is_ok_and(|here| here == *value)));
        Bench::scripted("").run("out", &[], 0);
        let said = without_the_callers_variables("env").output().expect("env starts");
        let said = String::from_utf8_lossy(&said.stdout);
        let left: Vec<_> = said.lines().filter_map(|line| line.split_once('=')).collect();
        assert!(!left.is_empty() && !left.iter().any(|(name, _)| is_for_moe_sweep(name)), "{left:?}");
        let bench = Bench::new("");
        let removed: Vec<_> =
            bench.command(&[]).get_envs().map(|(name, value)| (name.to_owned(), value.is_none())).collect();
        for (name, _) in variables {
            assert!(removed.contains(&(name.into(), true)), "{name} reaches moe-sweep");
        }
    });
}

/// By the one builder, which clears them.
#[test]
fn every_process_is_started_by_the_builder() {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut files);
    assert!(files.len() > 40, "the tests were not found");
    let here = Path::new("tests/quick").join("surroundings.rs");
    for file in files {
        if file.components().any(|part| part.as_os_str() == "support") || file.ends_with(&here) {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source can be read");
        for name in ["Command::new", "CARGO_BIN_EXE"] {
            assert!(!text.contains(name), "{} names {name}, which belongs to tests/support", file.display());
        }
    }
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a folder of the tests") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
