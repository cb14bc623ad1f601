//! A run's name, or a baseline's, does wherever its path does.

use crate::support::{Bench, Said};

/// A bench with the runs `x` and `other`, and the baseline `x`.
fn bench() -> Bench {
    let bench = Bench::scripted("");
    for directory in ["results/x", "results/other"] {
        bench.run(directory, &[], 0);
    }
    let said = bench.say(&["baseline", "save", "x", "--from", "x"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    bench
}

#[test]
fn a_name_does_what_the_path_does() {
    let bench = bench();
    let path_and_name: [(&[&str], &[&str]); 5] = [
        (&["report", "results/x"], &["report", "x"]),
        (&["recommend", "results/x"], &["recommend", "x"]),
        (&["compare", "results/x", "results/other"], &["compare", "x", "other"]),
        (&["check", "results/x", "--baseline", "results/baselines/x.json"], &["check", "x", "--baseline", "x"]),
        (&["plan", "x.toml", "--from", "results/x"], &["plan", "x.toml", "--from", "x"]),
    ];
    for (path, name) in path_and_name {
        let (path, name) = (bench.say(path), bench.say(name));
        assert_eq!(path.code, Some(0), "{path:#?}");
        assert_eq!((&name.code, &name.stderr), (&path.code, &path.stderr));
        // A comparison says what was typed.
        assert_eq!(name.stdout.lines().count(), path.stdout.lines().count(), "{name:#?}");
    }
    assert!(bench.exists("results/x/verdict.json") && !bench.exists("x"));
}

#[test]
fn where_there_is_no_run_those_that_there_are_are_named() {
    let bench = bench();
    for (typed, says) in
        [("results", "name one of its runs: results/other, results/x"), ("othre", "did you mean results/other?")]
    {
        let said: Said = bench.say(&["report", typed]);
        assert_eq!(said.code, Some(96), "{said:#?}");
        said.says(&[says]);
    }
}
