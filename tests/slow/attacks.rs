//! Attacks that once fell something: a stderr that is gone, hostile names, edited folders, files that are not ours.
//! What servers do is in `servers`, what signals do in `signals`; `make torture` does all of it by the thousand.
#![cfg(unix)]

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::process::Stdio;

use crate::support::{Bench, PROGRAM, SCRIPTED, sealed, wait_until, without_the_callers_variables};

const FULL: &str = "/dev/full";

fn full() -> File {
    OpenOptions::new().write(true).open(FULL).expect("Linux has it")
}

/// Names of prompts and models that a terminal, a spreadsheet or GitHub would obey.
const HOSTILE: &str = r#"
schema = 1
name = "hostile"
question = "\u001b[31ma question"
[generate]
max_tokens = 10
context = 128
[grid]
model = ["=m\u001b[5m<b>"]
chain = ["pure"]
temperature = [0.1, 0.9]
[prompts]
file = "prompts.jsonl"
[[model]]
id = "=m\u001b[5m<b>"
path = "m.scripted.toml"
note = "\u001b[31ma note"
"#;
const PROMPTS: &str = concat!(
    r#"{"id":"\u001b[2J\u001b]0;pwn\u0007","text":"boom one"}"#,
    "\n",
    r#"{"id":"=cmd|calc","text":"two words here"}"#,
    "\n",
    r#"{"id":"'quoted","text":"four words are here"}"#,
    "\n",
    r#"{"id":"\n::error::a command","text":"three words here"}"#,
    "\n"
);

fn hostile() -> Bench {
    let bench = Bench::new(HOSTILE);
    bench.write("prompts.jsonl", PROMPTS);
    bench.write("m.scripted.toml", "abort_on = \"boom\"\n");
    bench
}

#[test]
fn a_stderr_that_cant_be_written_ends_nothing() {
    let bench = Bench::scripted("");
    let code = |arguments: &[&str]| {
        let mut command = bench.command(arguments);
        command.stdout(Stdio::null()).stderr(full()).status().unwrap().code()
    };
    assert_eq!(code(&["report", "nosuch"]), Some(96));
    assert_eq!(code(&["no-such-command"]), Some(2));
    assert_eq!(code(&["run", "x.toml", "--out", "out"]), Some(0));
    assert_eq!(bench.result("out", "trials.jsonl").lines().count(), 21);
    assert_eq!(code(&["score", "x.toml"]), Some(0), "it has notes to say");
    assert_eq!(code(&["merge", "out", "--out", "merged"]), Some(0));
}

#[test]
fn a_reader_of_stderr_that_leaves_ends_nothing() {
    let bench = Bench::scripted("delay_ms = 5");
    let mut child =
        bench.command(&["run", "x.toml", "--out", "out"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // As `2>&1 | head -1` does.
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(!line.is_empty());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Ctrl-C in `run … 2>&1 | tee log` ends the reader first.
#[test]
fn ctrl_c_with_a_reader_that_is_gone_has_its_code() {
    let bench = Bench::scripted("delay_ms = 50");
    let mut command = bench.command(&["run", "x.toml", "--out", "out"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    bench.wait_for_trials("out", 2);
    drop(child.stderr.take());
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    bench.run("out", &[], 0);
}

#[test]
fn a_path_may_have_any_bytes() {
    let bench = Bench::scripted("");
    let folder = OsString::from_vec(b"a\xffb".to_vec());
    fs::create_dir(bench.path().join(&folder)).unwrap();
    for name in ["x.toml", "m.scripted.toml"] {
        fs::copy(bench.path().join(name), bench.path().join(&folder).join(name)).unwrap();
    }
    let run = |arguments: &[&OsStr]| {
        let output = without_the_callers_variables(PROGRAM).args(arguments).current_dir(bench.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let experiment = [folder.as_bytes(), b"/x.toml"].concat();
    let out = [folder.as_bytes(), b"/out\xfe"].concat();
    let [experiment, out] = [&experiment, &out].map(|bytes| OsStr::from_bytes(bytes));
    // The model lies in the folder, too: its path goes to the worker and into the manifest.
    run(&["run".as_ref(), experiment, "--out".as_ref(), out]);
    run(&["report".as_ref(), out]);
}

#[test]
fn a_grid_of_too_many_texts_is_refused_with_its_number() {
    let bench = Bench::scripted("");
    bench.edit("temperature = [0.5, 1.0]", "temperature = { from = 0.0, to = 999.9, step = 0.1 }");
    bench.edit("seed = { from = 0, count = 3 }", "seed = { from = 0, count = 10000 }");
    let said = bench.say(&["plan", "x.toml"]);
    assert_eq!(said.code, Some(96));
    said.says(&["300030000 texts, more than the maximum of 1000000", "remove levels or prompts"]);
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let bench = Bench::scripted("");
    bench.run("out", &[], 0);
    let pipe = |name: &str| {
        let path = bench.path().join(name);
        let _ = fs::remove_file(&path);
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    };
    pipe("pipe.toml");
    pipe("pipe.json");
    pipe("pipe.jsonl");
    for arguments in [
        &["plan", "pipe.toml"][..],
        &["run", "pipe.toml"],
        &["model", "list", "--experiment", "pipe.toml"],
        &["score", "pipe.jsonl"],
        &["check", "out", "--baseline", "pipe.json"],
        &["baseline", "save", "pipe.json", "--from", "out"],
    ] {
        let said = bench.say(arguments);
        assert_eq!(said.code, Some(96), "{arguments:?}: {said:#?}");
    }
    for name in ["plan.json", "manifest.json", "trials.jsonl"] {
        bench.run("out", &[], 0);
        pipe(&format!("out/{name}"));
        let said = bench.say(&["report", "out"]);
        assert_eq!(said.code, Some(96), "{name}");
        said.says(&[name, "a pipe"]);
        fs::remove_file(bench.path().join("out").join(name)).unwrap();
    }
    bench.write("prompts.toml", SCRIPTED.replace("inline =", "file = \"pipe.jsonl\" #"));
    bench.say(&["plan", "prompts.toml"]).says(&["pipe.jsonl", "it is a pipe, not a file"]);
}

#[test]
fn an_edited_folder_is_refused_or_taken_on_trust() {
    let bench = Bench::scripted("");
    bench.run("out", &[], 0);
    let tables = bench.reproducible("out");
    let [journal, plan, manifest] =
        ["trials.jsonl", "plan.json", "manifest.json"].map(|name| bench.result("out", name));
    let text =
        |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["outcome"]["generated"]["text"].clone();
    let second = text(journal.lines().nth(1).unwrap()).as_str().unwrap().to_owned();
    let unsealed = |json: &str| json.split(",\"seal\"").next().unwrap().to_owned() + "}\n";
    let first = journal.lines().next().unwrap();
    let changes = [
        ("trials.jsonl", journal.replace(&second, &"la ".repeat(20)), "trials.jsonl:2"),
        ("trials.jsonl", unsealed(first) + &journal, "trials.jsonl:1"),
        ("trials.jsonl", journal.replace("\"rows\":", "\"rows\":1"), "trials.jsonl:1"),
        // One record less, which a run that died would have left, and this one did not.
        (
            "trials.jsonl",
            journal.lines().skip(1).map(|line| format!("{line}\n")).collect(),
            "has 20 trials, but had 21",
        ),
        ("plan.json", plan.replacen("0.5", "0.75", 1), "plan.json"),
        ("plan.json", unsealed(&plan), "plan.json"),
        ("manifest.json", manifest.replacen("\"seconds\": ", "\"seconds\": 1", 1), "manifest.json"),
    ];
    for (name, contents, place) in changes {
        let whole = bench.result("out", name);
        assert_ne!(contents, whole, "{name} is changed");
        bench.write(&format!("out/{name}"), &contents);
        for arguments in
            [&["report", "out"][..], &["recommend", "out"], &["compare", "out", "out"], &["merge", "out", "--out", "m"]]
        {
            let said = bench.say(arguments);
            assert_eq!(said.code, Some(96), "{arguments:?} of {place}: {said:#?}");
            said.says(&[place, "--trust"]);
        }
        assert_eq!(bench.reproducible("out"), tables, "nothing is written");
        let said = bench.say(&["report", "out", "--trust"]);
        assert!([0, 3].contains(&said.code.unwrap()), "{said:#?}");
        let note = ["accepted with --trust", "had 21 when"].iter().any(|note| said.stdout.contains(note));
        assert!(note && bench.result("out", "report.html").contains("trials.jsonl"), "{}", said.stdout);
        bench.write(&format!("out/{name}"), &whole);
        bench.say(&["report", "out"]);
        assert_eq!(bench.reproducible("out"), tables);
    }
    // A second record with another text, each with its seal.
    let mut other: serde_json::Value = serde_json::from_str(first).unwrap();
    other["outcome"]["generated"]["text"] = "another".into();
    bench.write("out/trials.jsonl", format!("{journal}{}\n", sealed(other)));
    bench.say(&["report", "out"]).says(&["trials.jsonl:22", "has a text in line 1"]);
    // The same one twice changes nothing.
    bench.write("out/trials.jsonl", format!("{journal}{first}\n"));
    assert_eq!(bench.say(&["report", "out"]).code, Some(0));
    assert_eq!(bench.reproducible("out"), tables);
}

/// The run seals it again: that it was changed must not be forgotten with the old seal.
#[test]
fn what_a_run_took_on_trust_is_said_by_every_later_report() {
    let bench = Bench::scripted("");
    bench.run("out", &[], 0);
    let manifest = bench.result("out", "manifest.json");
    bench.write("out/manifest.json", manifest.replacen("\"seconds\": ", "\"seconds\": 1", 1));
    bench.run("out", &[], 96).says(&["manifest.json", "--trust"]);
    let note = "a later run accepted it with --trust";
    for arguments in
        [&["run", "x.toml", "--out", "out", "--trust"][..], &["report", "out"], &["merge", "out", "--out", "m"]]
    {
        let said = bench.say(arguments);
        assert_eq!(said.code, Some(0), "{said:#?}");
        let words = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(note), "{arguments:?}: {}", said.stdout);
    }
}

#[test]
fn a_trial_that_was_lost_is_made_again() {
    let bench = Bench::scripted("");
    bench.run("out", &[], 0);
    let tables = bench.reproducible("out");
    let journal = bench.result("out", "trials.jsonl");
    bench.write("out/trials.jsonl", journal.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>());
    bench.run("out", &[], 0);
    assert_eq!(bench.reproducible("out"), tables);
}

#[test]
fn what_no_run_wrote_is_left_as_it_is() {
    for (name, contents) in
        [("trials.jsonl", "private notes"), ("report.html", "<p>mine"), ("plan.json", "{}"), ("cells.csv", "a,b\n")]
    {
        let bench = Bench::scripted("");
        fs::create_dir(bench.path().join("home")).unwrap();
        bench.write(&format!("home/{name}"), contents);
        let said = bench.run("home", &[], 96);
        said.says(&[&format!("home/{name}")]);
        assert_eq!(bench.result("home", name), contents);
        assert_eq!(fs::read_dir(bench.path().join("home")).unwrap().count(), 1, "nothing is added");
        bench.run("out", &[], 0);
        assert_eq!(bench.say(&["merge", "out", "--out", "home"]).code, Some(96), "{name}");
        assert_eq!(bench.result("home", name), contents);
    }
    let bench = Bench::scripted("");
    bench.run("out", &[], 0);
    bench.write("package.json", "{\"name\": \"mine\"}");
    let said = bench.say(&["baseline", "save", "package.json", "--from", "out"]);
    assert_eq!(said.code, Some(96));
    said.says(&["package.json already exists, and moe-sweep did not write it"]);
    // An experiment may be run in its own folder.
    fs::create_dir(bench.path().join("own")).unwrap();
    bench.write("own/experiment.toml", bench.read("x.toml"));
    bench.run("own", &[], 0);
}

#[test]
fn nothing_from_a_file_commands_the_terminal_or_a_spreadsheet() {
    let bench = hostile();
    let mut shown = String::new();
    for arguments in [
        &["plan", "x.toml"][..],
        &["run", "x.toml", "--out", "out"],
        &["report", "out"],
        &["recommend", "out"],
        &["compare", "out", "out"],
        &["run", "nosuch\u{1b}[2J.toml"],
        &["score", "prompts.jsonl"],
    ] {
        let said = bench.say(arguments);
        shown += &(said.stdout + &said.stderr);
    }
    bench.write("bad.toml", "schema = 1\nname = \"x\" # \u{1b}]0;pwned\u{7}\u{1b}[2J\n");
    shown += &bench.say(&["plan", "bad.toml"]).stderr;
    bench.write("long.toml", format!("schema = 1\nname = \"{}\"\n", "A\u{9b}".repeat(500_000)));
    let long = bench.say(&["plan", "long.toml"]).stderr;
    assert!(long.len() < 20_000, "{} bytes of message", long.len());
    shown += &long;
    let control = shown.chars().find(|&c| c.is_control() && c != '\n' && c != '\t');
    assert_eq!(control, None);
    assert!(!shown.lines().any(|line| line.trim_start().starts_with("::")), "{shown}");
    assert!(shown.contains(r"\u{1b}[2J"), "the names are shown");

    let trials = bench.result("out", "trials.csv");
    let mut table = csv::Reader::from_reader(trials.as_bytes());
    let mut prompts = std::collections::BTreeSet::new();
    for row in table.records() {
        let row = row.unwrap();
        assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '@'])), "{row:?}");
        prompts.extend(row.iter().filter(|cell| cell.starts_with('\'')).map(str::to_owned));
    }
    let expected = ["''quoted", "'=cmd|calc", "'=m\u{1b}[5m<b>"].map(str::to_owned);
    assert_eq!(prompts, expected.into());
}

#[test]
fn left_overs_of_killed_processes_are_cleared_and_those_in_use_are_not() {
    let bench = Bench::scripted("");
    bench.run("out", &[], 0);
    bench.write("out/.moe-sweep-old.tmp", "half a");
    bench.write("out/plots/.moe-sweep-old.tmp", "half a");
    bench.write("out/.moe-sweep-new.tmp", "being wri");
    let held = File::open(bench.path().join("out/.moe-sweep-new.tmp")).unwrap();
    held.lock().unwrap();
    assert_eq!(bench.say(&["report", "out"]).code, Some(0));
    assert!(!bench.exists("out/.moe-sweep-old.tmp") && !bench.exists("out/plots/.moe-sweep-old.tmp"));
    assert!(bench.exists("out/.moe-sweep-new.tmp"));
}

#[test]
fn a_report_of_a_run_that_goes_on_writes_nothing() {
    let bench = Bench::scripted("delay_ms = 50");
    let mut child = bench.start("out", &[]);
    bench.wait_for_trials("out", 2);
    let said = bench.say(&["report", "out"]);
    assert_eq!(said.code, Some(3), "{said:#?}");
    assert!(
        said.stdout.contains("a run is in progress in out") && said.stdout.contains("no files are written"),
        "{}",
        said.stdout
    );
    assert!(!bench.exists("out/report.html"));
    child.wait().unwrap();
    wait_until("the lock is free", || bench.say(&["report", "out"]).code == Some(0));
}

#[test]
fn a_newer_format_is_refused_by_every_reader() {
    let bench = Bench::scripted("");
    bench.run("out", &[], 0);
    for name in ["plan.json", "manifest.json"] {
        let whole = bench.result("out", name);
        let mut newer: serde_json::Value = serde_json::from_str(&whole).unwrap();
        newer["v"] = 99.into();
        bench.write(&format!("out/{name}"), sealed(newer));
        for arguments in
            [&["report", "out"][..], &["recommend", "out"], &["compare", "out", "out"], &["merge", "out", "--out", "m"]]
        {
            let said = bench.say(arguments);
            assert_eq!(said.code, Some(96), "{arguments:?} {name}");
            said.says(&[name, "newer moe-sweep", "update moe-sweep"]);
        }
        if name == "manifest.json" {
            bench.run("out", &[], 96).says(&[name, "newer moe-sweep"]);
        }
        bench.write(&format!("out/{name}"), &whole);
    }
}
