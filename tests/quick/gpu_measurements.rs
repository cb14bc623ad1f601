//! scripts/gpu-measurements with a scripted model, and a script in nvidia-smi's place: what it runs, counts and leaves out.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{Bench, PROGRAM, Said, without_the_callers_variables};

/// Answers as nvidia-smi does: a GPU, and its counters fifty times a second, of which one line tells nothing.
const NVIDIA_SMI: &str = r##"#!/bin/sh
case $1 in
    dmon)
        echo "# gpu  rxpci  txpci"
        echo "# Idx   MB/s   MB/s"
        echo "    0      -      -"
        while sleep 0.02; do echo "    0   1200     30"; done ;;
    *) echo "NVIDIA H200, 580.1, 143771 MiB, 9.0, 5, 16" ;;
esac
"##;

/// Measures in `bench`, with `first` before all else on the PATH, and `more` arguments.
fn measure(bench: &Bench, first: &Path, more: &[&str]) -> Said {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/gpu-measurements");
    let others = env::var("PATH").expect("there is a PATH");
    let mut command = without_the_callers_variables("python3");
    command.current_dir(bench.path()).env("PATH", format!("{}:{others}", first.display()));
    command.arg(script).args([PROGRAM, "--out", "out", "--models", "."]).args(more);
    command.output().expect("python3 is there").into()
}

/// The columns of a table that the script left, by the names in its first line.
fn column(table: &str, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let at = reader.headers().expect("a first line").iter().position(|header| header == name).expect("the column");
    reader.records().map(|record| record.expect("a line")[at].to_owned()).collect()
}

#[test]
fn every_cell_is_measured_and_what_goes_over_pcie_is_counted() {
    // Texts that take their time: of a run that is over before the counters tell anything, nothing is counted.
    let bench = Bench::scripted("delay_ms = 3\n");
    let tools = bench.path().join("tools");
    fs::create_dir(&tools).expect("the bench is writable");
    bench.write("tools/nvidia-smi", NVIDIA_SMI);
    fs::set_permissions(tools.join("nvidia-smi"), fs::Permissions::from_mode(0o755)).expect("it is ours");

    let said = measure(&bench, &tools, &["--reduced", "--model", "scripted=m.scripted.toml"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    let cells = bench.read("out/cells.csv");
    let widths = column(&cells, "width");
    for width in ["1", "8", "31", "32", "64"] {
        assert!(widths.iter().filter(|found| *found == width).count() >= 3, "{width}: {cells}");
    }
    assert!(column(&cells, "problem").iter().all(String::is_empty), "{cells}");
    let texts: Vec<u32> = column(&cells, "n_texts").iter().map(|n| n.parse().expect("a number")).collect();
    assert!(texts.contains(&16) && texts.contains(&128), "{texts:?}");
    // Every text is its own again, and every width has them.
    let parted = column(&bench.read("out/texts.csv"), "n_parted");
    assert!(parted.len() > 20 && parted.iter().all(|n| n == "0"), "{parted:?}");
    let counted = column(&cells, "to_gpu_mb");
    assert!(counted.iter().filter(|mb| !mb.is_empty()).count() > 0, "{cells}");
    assert!(counted.iter().all(|mb| mb.is_empty() || mb.parse::<f64>().expect("a number") >= 1200.0), "{counted:?}");
    let report = bench.read("out/report.md");
    for part in
        ["NVIDIA H200, driver 580.1", "PCIe 5.0 × 16", "Over PCIe", "1 together, made twice", "32 together against 31"]
    {
        assert!(report.contains(part), "no {part:?} in {report}");
    }
}

#[test]
fn without_counters_there_is_no_number() {
    let bench = Bench::scripted("");
    let said = measure(&bench, &bench.path().join("nothing"), &["--reduced", "--model", "scripted=m.scripted.toml"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    let counted = column(&bench.read("out/cells.csv"), "to_gpu_mb");
    assert!(counted.len() == 18 && counted.iter().all(String::is_empty), "{counted:?}");
    let report = bench.read("out/report.md");
    assert!(report.contains("no nvidia-smi") && report.contains("Nothing was left out."), "{report}");
}

#[test]
fn what_the_time_leaves_out_is_named() {
    let bench = Bench::scripted("");
    let said = measure(&bench, bench.path(), &["--reduced", "--model", "scripted=m.scripted.toml", "--budget", "0"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(column(&bench.read("out/cells.csv"), "width").is_empty());
    let report = bench.read("out/report.md");
    let (_, left_out) = report.split_once("## What was not measured").unwrap_or_else(|| panic!("{report}"));
    assert_eq!(left_out.lines().filter(|line| line.ends_with(": no time was left")).count(), 19, "{report}");
    assert!(left_out.contains("experiments/offload.toml on scripted"), "{report}");
}

#[test]
fn where_there_is_no_device_nothing_is_measured() {
    let bench = Bench::scripted("");
    let said = measure(&bench, bench.path(), &[]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    said.says(&["sees no device but the host"]);
}
