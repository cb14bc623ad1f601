//! A name on the command line that nothing has: the command line is not understood, whatever the name is of. (Factors are
//! named in files only.)

use crate::support::{Bench, Said};

/// What the name is of, and the line that has `nonsense` in its place.
const LINES: [(&str, &[&str]); 31] = [
    ("command", &["nonsense"]),
    ("command", &["model", "nonsense"]),
    ("command", &["baseline", "nonsense"]),
    ("metric", &["compare", "a", "b", "--metric", "nonsense"]),
    ("metric", &["check", "a", "--baseline", "b.json", "--metric", "nonsense"]),
    ("metric", &["recommend", "a", "--metric", "nonsense"]),
    // Some metrics can't be asked for everything.
    ("metric", &["check", "a", "--baseline", "b.json", "--metric", "tail_period"]),
    ("metric", &["recommend", "a", "--metric", "mattr_words"]),
    ("api", &["run", "x.toml", "--server", "http://127.0.0.1:1", "--api", "nonsense"]),
    ("api", &["plan", "x.toml", "--server", "http://127.0.0.1:1", "--api", "nonsense"]),
    ("chain", &["run", "x.toml", "--server", "http://127.0.0.1:1", "--api", "openai", "--own-chain", "nonsense"]),
    ("chain", &["plan", "x.toml", "--server", "http://127.0.0.1:1", "--api", "openai", "--own-chain", "nonsense"]),
    ("model", &["model", "inspect", "nonsense"]),
    ("model", &["model", "inspect", "nonsense", "--experiment", "x.toml"]),
    ("model", &["model", "fetch", "nonsense", "--experiment", "x.toml"]),
    ("model", &["model", "verify", "nonsense", "--experiment", "x.toml"]),
    ("cause", &["explain", "nonsense"]),
    ("cause", &["explain", "nonsense", "--json"]),
    ("shell", &["completions", "nonsense"]),
    ("samplers", &["run", "x.toml", "--samplers", "nonsense"]),
    ("sharing", &["run", "x.toml", "--sharing", "nonsense"]),
    ("load-mode", &["run", "x.toml", "--load-mode", "nonsense"]),
    ("shard", &["run", "x.toml", "--shard", "nonsense"]),
    ("shard", &["plan", "x.toml", "--shard", "nonsense"]),
    ("aspect", &["compare", "a", "b", "--allow", "nonsense"]),
    ("aspect", &["merge", "a", "--out", "b", "--allow", "nonsense"]),
    ("unit", &["check", "a", "--baseline", "b.json", "--by", "nonsense"]),
    ("policy", &["check", "a", "--baseline", "b.json", "--inconclusive", "nonsense"]),
    ("option", &["run", "x.toml", "--nonsense"]),
    ("option", &["power", "--nonsense"]),
    ("option", &["score", "--nonsense"]),
];

#[test]
fn an_unknown_name_exits_with_2_whatever_it_is_of() {
    let bench = Bench::scripted("");
    let wrong: Vec<_> = LINES
        .iter()
        .map(|(what, line)| (what, line, bench.say(line)))
        .filter(|(_, line, Said { code, stdout, stderr })| {
            // The names that there are, or a hint where to look for them.
            let helps = ["use one of", "possible values", "known models", "--help", "K/N"];
            let name = line.iter().find(|word| word.contains("nonsense")).unwrap_or(&line[line.len() - 1]);
            !(*code == Some(2)
                && stdout.is_empty()
                && stderr.contains(name)
                && helps.iter().any(|help| stderr.contains(help)))
        })
        .map(|(what, line, said)| format!("{what}: {}: {said:#?}", line.join(" ")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!bench.exists("results"));
}

/// A file or a folder is no name: that it is not there is a matter of the set-up.
#[test]
fn a_file_that_is_not_there_exits_with_96() {
    let bench = Bench::scripted("");
    let lines: [&[&str]; 9] = [
        &["run", "none.toml"],
        &["plan", "none.toml"],
        &["report", "none"],
        &["compare", "none", "none"],
        &["check", "none", "--baseline", "none.json"],
        &["recommend", "none"],
        &["model", "inspect", "none.gguf"],
        &["model", "list", "--experiment", "none.toml"],
        &["score", "none.txt"],
    ];
    for line in lines {
        let said = bench.say(line);
        assert_eq!((said.code, &*said.stdout), (Some(96), ""), "{line:?}: {said:#?}");
    }
}
