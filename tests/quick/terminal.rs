//! The program on a terminal: its width is kept, and nothing that is to be copied is broken.
#![cfg(unix)]

use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};
use std::thread;

use nix::pty::{Winsize, openpty};
use unicode_width::UnicodeWidthStr;

use crate::support::Bench;

/// Loops at the higher of two temperatures.
const LOOPS: &str = "loops_from = 0.9";

/// What `command` writes to a terminal of so many columns, both streams.
fn on_terminal(mut command: Command, columns: u16, term: &str) -> String {
    let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let terminal = openpty(Some(&size), None).expect("a terminal");
    let end = || Stdio::from(terminal.slave.as_fd().try_clone_to_owned().expect("a descriptor"));
    command.stdin(Stdio::null()).stdout(end()).stderr(end()).env("TERM", term);
    let mut child = command.spawn().expect("moe-sweep starts");
    // Or else the reader would wait for these, too.
    drop((command, terminal.slave));
    let reader = thread::spawn(move || {
        let mut said = Vec::new();
        let mut master = File::from(terminal.master);
        // A terminal whose other side is closed is an error on Linux.
        let _ = master.read_to_end(&mut said);
        said
    });
    child.wait().expect("it ends");
    String::from_utf8(reader.join().expect("it reads")).expect("UTF-8").replace("\r\n", "\n")
}

/// Rows that are wider, but for those that hold something to be copied.
fn wider(said: &str, columns: usize) -> Vec<&str> {
    let is_copied = |row: &str| ["/", "moe-sweep ", "{"].iter().any(|part| row.contains(part));
    said.lines().filter(|row| row.width() > columns && !is_copied(row)).collect()
}

#[test]
fn what_is_said_of_a_run_fits_sixty_columns() {
    let bench = Bench::scripted(LOOPS);
    for arguments in [
        &["plan", "x.toml"][..],
        &["run", "x.toml", "--out", "out"],
        &["report", "out"],
        &["recommend", "out"],
        &["compare", "out", "out"],
    ] {
        let said = on_terminal(bench.command(arguments), 60, "dumb");
        assert!(said.lines().count() > 3, "{arguments:?}\n{said}");
        assert!(wider(&said, 60).is_empty(), "{arguments:?}: {:#?}\n{said}", wider(&said, 60));
    }
}

#[test]
fn a_pipe_is_eighty_columns_wide_or_what_it_is_said_to_be() {
    let bench = Bench::scripted(LOOPS);
    bench.run("out", &[], 0);
    let piped = |columns: Option<&str>| {
        let mut command = bench.command(&["report", "out"]);
        command.env_remove("COLUMNS").envs(columns.map(|columns| ("COLUMNS", columns)));
        String::from_utf8(command.output().expect("it starts").stdout).expect("UTF-8")
    };
    let widest = |said: &str| said.lines().map(UnicodeWidthStr::width).max().expect("it says something");
    assert!((60..=80).contains(&widest(&piped(None))), "{}", piped(None));
    assert!((40..=60).contains(&widest(&piped(Some("60")))), "{}", piped(Some("60")));
    assert!(widest(&piped(Some("1000"))) > 100, "{}", piped(Some("1000")));
}

#[test]
fn colours_are_for_terminals_unless_somebody_says_otherwise() {
    let bench = Bench::scripted(LOOPS);
    bench.run("out", &[], 0);
    let is_coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = bench.command(&[&["report", "out"], arguments].concat());
        command.env_remove("NO_COLOR").envs(variables.iter().copied());
        let piped = command.output().expect("it starts");
        assert_eq!(piped.status.code(), Some(0), "{piped:?}");
        String::from_utf8(piped.stdout).expect("UTF-8").contains('\u{1b}')
    };
    assert!(!is_coloured(&[], &[]) && !is_coloured(&[], &[("GITHUB_ACTIONS", "true"), ("CI", "true")]));
    assert!(is_coloured(&["--color", "always"], &[]) && is_coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(is_coloured(&["--color", "always"], &[("NO_COLOR", "1")]), "what is typed counts");
    assert!(!is_coloured(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!is_coloured(&[], &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]));

    let shown = |arguments: &[&str], no_color: Option<&str>| {
        let mut command = bench.command(&[&["report", "out"], arguments].concat());
        command.env_remove("NO_COLOR");
        no_color.map(|value| command.env("NO_COLOR", value));
        on_terminal(command, 100, "xterm-256color")
    };
    assert!(shown(&[], None).contains("\u{1b}[1mANSWER"), "{}", shown(&[], None));
    assert!(!shown(&[], Some("1")).contains('\u{1b}') && !shown(&["--color", "never"], None).contains('\u{1b}'));
    // JSON is for programs.
    let mut command = bench.command(&["recommend", "out", "--json", "--color", "always"]);
    let json = command.env_remove("NO_COLOR").output().expect("it starts").stdout;
    serde_json::from_slice::<serde_json::Value>(&json).expect("JSON without colours");
}

#[test]
fn quiet_says_the_answer_alone_and_verbose_what_an_engine_is_looked_after_by() {
    let bench = Bench::scripted(LOOPS);
    let usual = bench.run("out", &[], 0);
    for told in ["next: ", "report: ", "all 24 trials ok"] {
        assert!(usual.stdout.contains(told), "{told}: {}", usual.stdout);
    }
    assert!(!usual.stdout.contains("distinct prefixes"), "{}", usual.stdout);
    let quiet = bench.run("quiet", &["--quiet"], 0);
    assert_eq!(quiet.stderr, "");
    assert!(quiet.stdout.starts_with("ANSWER ") && usual.stdout.starts_with(&quiet.stdout), "{}", quiet.stdout);
    let verbose = bench.run("verbose", &["-v"], 0);
    assert!(verbose.stdout.contains("tokens evaluated for"), "{}", verbose.stdout);
    // An error is one however quiet.
    let failed = bench.say(&["-q", "report", "nowhere"]);
    assert_eq!((failed.code, &*failed.stdout), (Some(96), ""));
    assert!(failed.stderr.contains("nowhere"), "{failed:#?}");
}

#[test]
fn rust_log_has_the_engine_told_as_it_goes() {
    let bench = Bench::scripted("abort_on = \"second\"");
    let said = |rust_log: &str| {
        let mut command = bench.command(&["run", "x.toml", "--out", &format!("out-{rust_log}")]);
        String::from_utf8(command.env("RUST_LOG", rust_log).output().expect("it starts").stderr).expect("UTF-8")
    };
    assert!(said("debug").contains("engine: scripted: abort on this prompt\n"), "{}", said("debug"));
    assert!(!said("hyper=debug").contains("engine: "), "other programs' targets are no wish of ours");
}

#[test]
fn a_bug_report_finds_what_it_needs_in_the_version() {
    let bench = Bench::new("");
    let long = bench.say(&["--version"]);
    assert_eq!(long.code, Some(0));
    let heads = ["moe-sweep ", "commit ", "llama.cpp ", "features ", "kernels ", "target "];
    assert_eq!(long.stdout.lines().count(), heads.len(), "{}", long.stdout);
    for (line, head) in long.stdout.lines().zip(heads) {
        assert!(line.starts_with(head) && line.len() > head.len(), "{line}");
    }
    assert_eq!(bench.say(&["-V"]).stdout, format!("moe-sweep {}\n", env!("CARGO_PKG_VERSION")));
}
