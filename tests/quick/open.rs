//! `open` opens a run's page in the browser, or says where it is.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::support::{Bench, Said};

/// A bench with the runs `first` and `second`.
fn bench() -> Bench {
    let bench = Bench::scripted("");
    for run in ["results/first", "results/second"] {
        bench.run(run, &[], 0);
    }
    bench
}

/// The command on a machine where nobody would see a browser.
fn alone(bench: &Bench, arguments: &[&str]) -> Command {
    let mut command = bench.command(arguments);
    for variable in ["BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"] {
        command.env_remove(variable);
    }
    command.env("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 22");
    command
}

fn said(mut command: Command) -> Said {
    command.output().expect("moe-sweep starts").into()
}

#[test]
fn where_nobody_sees_a_browser_the_page_is_named() {
    let bench = bench();
    let path = bench.path().canonicalize().expect("a path").join("results/first/report.html");
    for line in [&["open", "first"][..], &["open", "results/first"], &["report", "first", "--open"]] {
        let said = said(alone(&bench, line));
        assert_eq!(said.code, Some(0), "{said:#?}");
        let mut lines = said.stdout.lines().rev();
        assert_eq!(lines.next(), Some(&*format!("file://{}", path.display())), "{said:#?}");
        assert_eq!(lines.next(), Some("results/first/report.html"));
        said.says(&["no browser is opened: this is a remote shell"]);
    }
}

#[test]
fn without_a_name_it_is_the_run_that_was_written_to_last() {
    let bench = bench();
    let said_of = |bench: &Bench| said(alone(bench, &["open"])).stdout;
    let journal =
        fs::File::options().append(true).open(bench.path().join("results/first/trials.jsonl")).expect("there");
    journal.set_modified(std::time::SystemTime::now() + Duration::from_secs(60)).expect("a time");
    assert!(said_of(&bench).starts_with("results/first/report.html\n"));
}

#[test]
fn the_browser_that_is_named_gets_the_page() {
    let bench = bench();
    bench.write("browser", "#!/bin/sh\nprintf '%s' \"$1\" > opened.part && mv opened.part opened\n");
    let program = bench.path().join("browser");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("the bench is writable");
    let mut command = alone(&bench, &["open", "second"]);
    let said: Said = command.env("BROWSER", &program).output().expect("moe-sweep starts").into();
    assert_eq!((said.code, &*said.stdout), (Some(0), "opened:  results/second/report.html\n"), "{said:#?}");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !bench.exists("opened") && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
    assert!(bench.read("opened").ends_with("results/second/report.html"));
    let mut command = alone(&bench, &["open", "second"]);
    let failed: Said = command.env("BROWSER", "/nowhere").output().expect("moe-sweep starts").into();
    assert_eq!(failed.code, Some(0), "{failed:#?}");
    failed.says(&["the browser can't be started"]);
}

#[test]
fn where_there_is_no_page_the_remedy_is_named() {
    let bench = bench();
    fs::remove_file(bench.path().join("results/first/report.html")).expect("it is there");
    for (line, says) in [
        (&["open", "nothing"][..], "there is no page of a run in nothing"),
        (&["open", "results"][..], "name one of its runs"),
        (&["open", "results/first"][..], "moe-sweep report results/first"),
    ] {
        let said = said(alone(&bench, line));
        assert_eq!(said.code, Some(96), "{said:#?}");
        said.says(&[says]);
    }
    let said = said(alone(&Bench::new(""), &["open"]));
    assert_eq!(said.code, Some(96), "{said:#?}");
    said.says(&["no runs in results"]);
}
