//! A sample of `make torture`: kills, mutants, failing calls, full disks, odd surroundings. The campaigns
//! are in scripts/torture; here they are small enough for every run of the tests.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::{PROGRAM, without_the_callers_variables};

/// What a machine may not have: small file systems need root, and renames are failed by seccomp's notifications, which
/// some containers forbid.
const MAY_BE_SKIPPED: [&str; 2] = ["limits/disk", "io"];

/// Its exit code, what it printed, and its report.
fn torture(program: &Path, target: &str, arguments: &[&str]) -> (Option<i32>, String, serde_json::Value) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(target);
    let mut command = without_the_callers_variables("python3");
    command.arg(root.join("scripts/torture")).arg(program).arg("--target").arg(&target).args(arguments);
    let output = command.output().expect("python3 is there");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let report = fs::read(target.join("torture.json")).unwrap_or_else(|error| panic!("no report ({error}):\n{said}"));
    (output.status.code(), said, serde_json::from_slice(&report).expect("the report is JSON"))
}

/// Counts of `what` in all campaigns whose name begins so.
fn count(report: &serde_json::Value, campaign: &str, what: &str) -> u64 {
    let campaigns = report["campaigns"].as_array().expect("a list of campaigns");
    let named =
        campaigns.iter().filter(|found| found["campaign"].as_str().is_some_and(|name| name.starts_with(campaign)));
    named
        .map(|found| if what == "cases" { &found["cases"] } else { &found["counts"][what] })
        .filter_map(|n| n.as_u64())
        .sum()
}

#[test]
fn a_sample_of_all_attacks_finds_no_fault() {
    let (code, said, report) = torture(Path::new(PROGRAM), "torture", &["--reduced"]);
    println!("{said}");
    assert_eq!((code, report["faults"].as_u64()), (Some(0), Some(0)), "{said}");
    let skipped = report["skipped"].as_array().expect("a list of names");
    for skipped in skipped {
        assert!(MAY_BE_SKIPPED.iter().any(|may| skipped == may), "{skipped} was skipped\n{said}");
    }
    // A campaign that attacks nothing finds nothing.
    for (campaign, what, least) in [
        ("kills/", "kills", 20),
        ("mutants/", "cases", 60),
        ("mutants/", "accepted", 5),
        ("mutants/", "refused", 20),
        ("io", "failing calls", 15),
        ("limits/", "cases", 6),
        ("streams", "cases", 20),
    ] {
        if skipped.iter().any(|skipped| skipped == campaign) {
            continue;
        }
        let n = count(&report, campaign, what);
        assert!(n >= least, "{n} {what} in {campaign}, expected {least}\n{said}");
    }
}

/// A program that believes whatever it reads, and says so: the attacks must find it out.
#[test]
fn a_program_that_changes_its_tables_is_found_out() {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let program = folder.path().join("moe-sweep");
    let script = format!(
        "#!/bin/sh\n{PROGRAM:?} \"$@\"\ncode=$?\n[ \"$1\" = report ] && [ -d \"$2\" ] && echo x >> \"$2/cells.csv\"\nexit $code\n"
    );
    fs::write(&program, script).expect("a script can be written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it can be made a program");
    let arguments = ["--part", "mutants", "--only", "mutants/plan", "--count", "60"];
    let (code, said, report) = torture(&program, "torture-liar", &arguments);
    let faults = report["campaigns"][0]["faults"].as_array().expect("a list of faults");
    assert!(code == Some(1) && !faults.is_empty(), "{said}");
    let problem = faults[0]["problem"].as_str().expect("a fault says what it is");
    assert!(problem.contains("changes cells.csv"), "{problem}");
}
