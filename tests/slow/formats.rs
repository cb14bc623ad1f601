//! What earlier versions wrote is read, or refused with the remedy: the folders of tests/formats, made by the programs
//! of those days (tests/formats/README.md).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::hub::sha256;
use crate::support::{Bench, Said};

/// A folder of tests/formats, and how today's program takes it.
struct Sample {
    folder: &'static str,
    report: Report,
    rerun: Rerun,
}

/// What `report` makes of a folder as it is.
#[derive(Clone, Copy, PartialEq)]
enum Report {
    Read,
    /// It has no plan, or one that lacks something without which claims can't be decided.
    Refused,
}

/// What the same experiment, run again, makes of it.
#[derive(Clone, Copy, PartialEq)]
enum Rerun {
    /// All texts are there.
    Nothing,
    /// They are where `[generate] draws = "common"` says that all prompts share their draws, as they did.
    NothingOfCommonDraws,
    /// Its ids were made of less: all texts are made again, beside the old records.
    All,
    /// It would need a server, or the CPU that the real model was run on.
    NotHere,
}

use Report::{Read, Refused};
use Rerun::{All, NotHere, Nothing, NothingOfCommonDraws};

const SAMPLES: [Sample; 40] = [
    sample("11-23-0119/plain", Refused, All),
    sample("11-23-0119/failed", Refused, All),
    sample("11-23-0339/plain", Refused, NothingOfCommonDraws),
    sample("11-23-0339/hub", Refused, NothingOfCommonDraws),
    sample("11-23-0339/real", Refused, NotHere),
    sample("11-23-0634/plain", Refused, NothingOfCommonDraws),
    sample("11-23-0634/failed", Refused, NothingOfCommonDraws),
    sample("11-23-0830/plain", Read, NothingOfCommonDraws),
    sample("11-23-0955/plain", Read, NothingOfCommonDraws),
    sample("11-23-0955/server", Read, NotHere),
    sample("11-23-1149/plain", Read, NothingOfCommonDraws),
    sample("11-23-1149/factors", Read, NothingOfCommonDraws),
    sample("11-23-1149/shard", Read, NothingOfCommonDraws),
    sample("11-23-1149/real", Read, NotHere),
    sample("11-23-1802/plain", Read, NothingOfCommonDraws),
    sample("11-28-1931/plain", Read, NothingOfCommonDraws),
    sample("11-28-1931/server", Read, NotHere),
    sample("11-28-1931/thought", Read, NotHere),
    sample("11-28-1931/real", Read, NotHere),
    sample("11-28-2149/plain", Read, NothingOfCommonDraws),
    sample("11-28-2149/sequential", Read, NothingOfCommonDraws),
    sample("11-28-2308/plain", Read, Nothing),
    sample("11-28-2308/sequential", Read, Nothing),
    sample("11-28-2308/groups", Read, Nothing),
    sample("11-29-0142/plain", Read, Nothing),
    sample("11-29-0142/failed", Read, Nothing),
    sample("11-29-0142/sequential", Read, Nothing),
    sample("11-29-0142/factors", Read, Nothing),
    sample("11-29-0142/shard", Read, Nothing),
    sample("11-29-0142/hub", Read, Nothing),
    sample("11-29-0142/server", Read, NotHere),
    sample("11-29-0142/thought", Read, NotHere),
    sample("11-29-0142/groups", Read, Nothing),
    sample("11-29-0142/real", Read, NotHere),
    sample("11-29-0320/plain", Read, Nothing),
    sample("11-29-0320/factors", Read, Nothing),
    sample("11-29-0320/trusted", Read, Nothing),
    sample("11-29-1253/package", Read, Nothing),
    sample("11-29-1619/loaded", Read, Nothing),
    sample("11-29-1929/real", Read, NotHere),
];

const fn sample(folder: &'static str, report: Report, rerun: Rerun) -> Sample {
    Sample { folder, report, rerun }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats")
}

/// A copy of the folder.
fn bench(sample: &Sample) -> Bench {
    let bench = Bench::new("");
    copy(&root().join(sample.folder), bench.path());
    bench
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder of the bench");
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("a folder that can be listed").path();
        let target = to.join(entry.file_name().expect("it was listed"));
        if entry.is_dir() {
            copy(&entry, &target);
        } else {
            fs::copy(&entry, &target).expect("a file of the bench");
        }
    }
}

/// What the command said, which must end with one of `codes`.
fn say(sample: &Sample, bench: &Bench, arguments: &[&str], codes: &[i32]) -> Said {
    let said: Said = in_its_caches(bench.command(arguments), bench).output().expect("it").into();
    let code = said.code.expect("no signal");
    assert!(codes.contains(&code), "{}: {arguments:?} {said:#?}", sample.folder);
    said
}

/// 3 where a sample holds trials that failed.
fn good(sample: &Sample) -> i32 {
    if sample.folder.ends_with("/failed") { 3 } else { 0 }
}

/// The scores of then are those of now: each value of each column that was there.
fn assert_same_scores(sample: &Sample, bench: &Bench) {
    let (then, now) =
        (table(&root().join(sample.folder).join("run/trials.csv")), table(&bench.path().join("run/trials.csv")));
    assert_eq!(then.rows.len(), now.rows.len(), "{}", sample.folder);
    for (column, name) in then.columns.iter().enumerate() {
        let at = now.columns.iter().position(|other| other == name);
        let at = at.unwrap_or_else(|| panic!("{}: the column {name} is gone", sample.folder));
        for (row, (then, now)) in then.rows.iter().zip(&now.rows).enumerate() {
            assert_eq!(then[column], now[at], "{}: {name} of row {row}", sample.folder);
        }
    }
}

struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

fn table(path: &Path) -> Table {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    let strings = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let columns = strings(reader.headers().expect("a header"));
    let rows = reader.records().map(|record| strings(&record.expect("a row"))).collect();
    Table { columns, rows }
}

fn n_records(bench: &Bench) -> usize {
    bench.read("run/trials.jsonl").lines().count()
}

#[test]
fn every_folder_is_tried() {
    let listed: BTreeSet<_> = SAMPLES.iter().map(|sample| sample.folder.to_owned()).collect();
    let mut found = BTreeSet::new();
    let folders = |of: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(of).expect("a folder").map(|entry| entry.expect("an entry").path());
        entries.filter(|path| path.is_dir()).collect()
    };
    for kind in folders(&root()).iter().flat_map(|version| folders(version)) {
        let relative = kind.strip_prefix(root()).expect("it lies there");
        found.insert(relative.to_str().expect("a plain name").to_owned());
    }
    assert_eq!(found, listed);
}

#[test]
fn a_folder_of_an_earlier_version_is_read_or_refused_with_the_remedy() {
    for sample in &SAMPLES {
        let bench = bench(sample);
        match sample.report {
            Read => {
                say(sample, &bench, &["report", "run"], &[good(sample)]);
                assert_same_scores(sample, &bench);
                say(sample, &bench, &["compare", "run", "run"], &[0]);
                say(sample, &bench, &["recommend", "run"], &[0]);
            }
            Refused => {
                for command in [&["report", "run"][..], &["compare", "run", "run"], &["recommend", "run"]] {
                    let said = say(sample, &bench, command, &[96]);
                    assert!(said.stderr.contains("plan.json"), "{said:#?}");
                    let words = said.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
                    let remedy = ["run its experiment again", "run the experiment again"];
                    assert!(remedy.iter().any(|remedy| words.contains(remedy)), "{}: {words}", sample.folder);
                }
            }
        }
    }
}

#[test]
fn the_time_to_a_first_piece_is_read_under_its_first_name() {
    let sample = SAMPLES.iter().find(|sample| sample.folder == "11-23-0955/server").expect("it is listed");
    let bench = bench(sample);
    say(sample, &bench, &["report", "run"], &[0]);
    let timings = table(&bench.path().join("run/timings.csv"));
    let column = timings.columns.iter().position(|name| name == "first_token_seconds").expect("a column");
    assert!(timings.rows.iter().any(|row| !row[column].is_empty()), "seconds_to_first_token is lost");
}

#[test]
fn an_experiment_of_an_earlier_version_goes_on_where_it_was() {
    for sample in SAMPLES.iter().filter(|sample| sample.rerun != NotHere) {
        let bench = bench(sample);
        put_into_the_cache(&bench);
        if sample.rerun == NothingOfCommonDraws {
            bench.edit("context = 64\n", "context = 64\ndraws = \"common\"\n");
        }
        let before = n_records(&bench);
        say(sample, &bench, &["plan", "x.toml"], &[0]);
        say(sample, &bench, &["run", "x.toml", "--out", "run", "--threads", "1"], &[good(sample)]);
        if sample.rerun == All {
            assert_eq!(n_records(&bench), 2 * before, "{}: made again, beside the old ones", sample.folder);
        } else {
            assert_eq!(n_records(&bench), before, "{}: no text is made again", sample.folder);
            assert_same_scores(sample, &bench);
        }
        say(sample, &bench, &["report", "run"], &[good(sample)]);
    }
}

/// The same command, whose models lie in the bench.
fn in_its_caches(mut command: Command, bench: &Bench) -> Command {
    command.env("HF_HUB_CACHE", bench.path().join("hub")).env("MOE_SWEEP_CACHE", bench.path().join("cache"));
    command
}

/// The model that `hub` samples name, as hubs' clients keep it, and the one of `package` samples, as `model fetch` does.
fn put_into_the_cache(bench: &Bench) {
    let unpacked = bench.path().join("cache/packages/scripted-1.0-77b33f5af38f");
    fs::create_dir_all(&unpacked).expect("the bench is writable");
    fs::write(unpacked.join("m.scripted.toml"), "").expect("the bench is writable");
    fs::write(unpacked.join("m.scripted.toml.sha256"), sha256(b"")).expect("the bench is writable");
    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
    let cached = bench.path().join("hub/models--owner--scripted");
    let snapshot = cached.join("snapshots").join(COMMIT);
    fs::create_dir_all(&snapshot).expect("the bench is writable");
    fs::create_dir_all(cached.join("refs")).expect("the bench is writable");
    fs::write(cached.join("refs/main"), COMMIT).expect("the bench is writable");
    fs::write(snapshot.join("m.scripted.toml"), "").expect("the bench is writable");
}

#[test]
fn a_baseline_of_an_earlier_version_is_compared_with() {
    let mut n_compared = 0;
    for sample in SAMPLES.iter().filter(|sample| root().join(sample.folder).join("baseline.json").exists()) {
        let bench = bench(sample);
        // A run is no worse than itself, or an earlier baseline says too little to show it of three prompts.
        let said = say(sample, &bench, &["check", "run", "--baseline", "baseline.json"], &[0, 5]);
        assert!(said.code == Some(0) || said.stdout.contains("at least 6 prompts are needed"), "{said:#?}");
        n_compared += 1;
    }
    assert!(n_compared >= 20, "{n_compared}");
}

#[test]
fn shards_of_an_earlier_version_are_merged() {
    for sample in SAMPLES.iter().filter(|sample| sample.folder.ends_with("/shard")) {
        let bench = bench(sample);
        fs::remove_dir_all(bench.path().join("run")).expect("the merge of then");
        say(sample, &bench, &["merge", "shard-1", "shard-2", "--out", "run"], &[0]);
        assert_same_scores(sample, &bench);
    }
}
