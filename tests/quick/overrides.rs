//! What the command line puts in the place of what the experiment file says: `--set`, `--model`, `--limit`, `--minutes`.

use crate::support::Bench;

/// What stands in the file, and what in its place.
type Edits = &'static [(&'static str, &'static str)];

/// Each line of options, and the edits of the file that say the same.
const SAME: [(&[&str], Edits); 4] = [
    (&["--set", "temperature=0.5"], &[("temperature = [0.5, 1.0]", "temperature = [0.5]")]),
    (
        &["--set", "chain=pure", "--set", "temperature=0.1,1"],
        &[("chain = [\"pure\", \"greedy\"]", "chain = [\"pure\"]"), ("[0.5, 1.0]", "[0.1, 1.0]")],
    ),
    (&["--limit", "1"], &[("[\"first prompt\", \"second prompt\", \"third prompt\"]", "[\"first prompt\"]")]),
    (&["--limit", "9", "--set", "quant=source"], &[]),
];

#[test]
fn the_command_line_and_the_file_that_says_the_same_make_the_same_bytes() {
    for (options, edits) in SAME {
        let bench = Bench::scripted("");
        bench.run("typed", options, 0);
        for (from, to) in edits {
            bench.edit(from, to);
        }
        bench.run("written", &[], 0);
        assert_eq!(bench.reproducible("typed"), bench.reproducible("written"), "{options:?}");
    }
}

#[test]
fn a_runs_folder_holds_the_experiment_that_ran() {
    let bench = Bench::scripted("");
    bench.run("out", &["--set", "temperature=0.5", "--limit", "1"], 0);
    let ran = bench.result("out", "experiment.toml");
    assert!(ran.contains("temperature = [0.5]") && ran.contains("limit = 1"), "{ran}");
    let fresh = bench.reproducible("out");
    // The whole experiment takes over what is there, and the part of it is the same again.
    bench.run("out", &[], 0);
    bench.run("whole", &[], 0);
    assert_eq!(bench.reproducible("out"), bench.reproducible("whole"));
    bench.write("x.toml", ran);
    bench.run("out", &[], 0);
    assert_eq!(bench.reproducible("out"), fresh);
}

#[test]
fn another_model_takes_the_place_of_the_grids() {
    let bench = Bench::scripted("");
    bench.write("other.scripted.toml", "");
    bench.run("out", &["--model", "other.scripted.toml"], 0);
    let table = bench.result("out", "trials.csv");
    let models: Vec<_> = table.lines().skip(1).map(|row| row.split(',').nth(1).expect("a column")).collect();
    assert!(!models.is_empty() && models.iter().all(|model| *model == "other.scripted"), "{models:?}");
    let said = bench.say(&["plan", "x.toml", "--model", "other.scripted.toml", "--model", "scripted"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(said.stdout.contains("other.scripted"), "{said:#?}");
}

#[test]
fn what_is_no_level_is_refused_with_those_that_are() {
    let bench = Bench::scripted("");
    let lines: [(&[&str], i32, &[&str]); 6] = [
        (&["--set", "temprature=1"], 2, &["unknown factor \"temprature\"", "temperature"]),
        (&["--set", "temperature"], 2, &["write FACTOR=LEVEL"]),
        (&["--set", "quant=q9"], 2, &["\"q9\" is not a level of quant", "q8_0"]),
        (&["--set", "chain=grediy"], 96, &["unknown chain", "did you mean \"greedy\"?", "the command line's settings"]),
        (&["--model", "scriptde"], 96, &["unknown model", "did you mean \"scripted\"?"]),
        (
            &["--model", "a", "--model", "b", "--server", "http://127.0.0.1:1", "--api", "ollama"],
            2,
            &["give --model once"],
        ),
    ];
    for (options, code, says) in lines {
        for command in ["run", "plan"] {
            let said = bench.say(&[&[command, "x.toml"], options].concat());
            assert_eq!(said.code, Some(code), "{options:?}: {said:#?}");
            said.says(says);
        }
    }
    assert!(!bench.exists("results"));
}

#[test]
fn a_study_which_can_not_be_continued_takes_no_time_limit() {
    let routing = concat!(env!("CARGO_MANIFEST_DIR"), "/experiments/routing.toml");
    let said = Bench::new("").say(&["run", routing, "--minutes", "1"]);
    assert_eq!(said.code, Some(2), "{said:#?}");
    said.says(&["routing.toml can't be continued later", "remove --minutes"]);
}

#[test]
fn a_run_that_is_out_of_time_writes_what_it_has_and_goes_on_later() {
    let bench = Bench::scripted("delay_ms = 400\n");
    let said = bench.run("out", &["--limit", "1", "--minutes", "0.025"], 3);
    said.says(&["time limit reached", "run the same command to continue"]);
    assert!(!said.stderr.contains("interrupted"), "{said:#?}");
    let texts = |table: &str| table.lines().filter(|row| row.contains(",ok,")).count();
    let n = texts(&bench.result("out", "trials.csv"));
    assert!(bench.exists("out/report.html") && n > 0 && n < 7, "{n} texts");
    bench.run("out", &["--limit", "1", "--minutes", "60"], 0);
    bench.run("whole", &["--limit", "1"], 0);
    assert_eq!(bench.reproducible("out"), bench.reproducible("whole"));
}
