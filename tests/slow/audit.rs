//! Cases in which verdicts, the gate or the advice were wrong, each made as a results folder of texts of chosen scores
//! (`tests/audit/make.py`, which needs Python's standard library), and decided by the program itself.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{PROGRAM, without_the_callers_variables};

struct Case {
    folder: tempfile::TempDir,
    said: String,
}

fn case(name: &str, seed: u32) -> Case {
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/audit/make.py");
    let made = without_the_callers_variables("python3")
        .args([script.as_os_str(), PROGRAM.as_ref(), name.as_ref(), folder.path().as_os_str()])
        .arg(seed.to_string())
        .output()
        .expect("the README asks for Python");
    let said = String::from_utf8_lossy(&made.stdout).into_owned();
    assert!(made.status.success() && said.contains("exit"), "{said}{}", String::from_utf8_lossy(&made.stderr));
    Case { folder, said }
}

impl Case {
    fn run(&self) -> PathBuf {
        self.folder.path().join("r")
    }

    fn verdicts(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.run().join("verdicts.json")).unwrap()).unwrap()
    }

    /// Outcome and sentence.
    fn verdict(&self, id: &str) -> (String, String) {
        let found = self.verdicts();
        let verdict = found["verdicts"].as_array().unwrap().iter().find(|verdict| verdict["id"] == id);
        let verdict = verdict.unwrap_or_else(|| panic!("no verdict {id}: {}", self.said));
        let text = |key: &str| verdict[key].as_str().unwrap().to_owned();
        (text("outcome"), text("sentence"))
    }

    #[track_caller]
    fn expect(&self, id: &str, outcome: &str, said: &[&str]) {
        let (found, sentence) = self.verdict(id);
        assert_eq!(found, outcome, "{id}: {sentence}");
        for part in said {
            assert!(sentence.contains(part), "{id} does not say {part:?}: {sentence}");
        }
    }

    fn moe_sweep(&self, arguments: &[&str]) -> (i32, String) {
        let output =
            without_the_callers_variables(PROGRAM).args(arguments).current_dir(self.folder.path()).output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (output.status.code().unwrap(), said.concat())
    }

    /// The gate of this run against another.
    fn check(&self, base: &Self, rest: &[&str]) -> (i32, String) {
        let baseline = base.run().with_file_name("baseline.json");
        let from = base.run();
        let saved = self.moe_sweep(&[
            "baseline",
            "save",
            "--trust",
            baseline.to_str().unwrap(),
            "--from",
            from.to_str().unwrap(),
        ]);
        assert_eq!(saved.0, 0, "{}", saved.1);
        let arguments = ["check", "r", "--trust", "--baseline", baseline.to_str().unwrap()];
        self.moe_sweep(&[&arguments, rest].concat())
    }
}

/// F1: nothing was seen, and nothing is known.
#[test]
fn no_loop_seen_is_no_verdict() {
    let made = case("no-loop-seen", 1);
    let said = "no text of 24 prompts loops in either arm; at most 11.7 % of other prompts would (one-sided 95 %)";
    made.expect("more", "inconclusive", &[said]);
    made.expect("as-often", "inconclusive", &[said]);
}

#[test]
fn a_gate_does_not_pass_what_it_has_not_seen() {
    let (base, run) = (case("gate-base", 1), case("gate-loop-unseen", 2));
    let (code, said) = run.check(&base, &["--metric", "vllm_loop"]);
    assert_eq!(code, 5, "{said}");
    assert!(
        said.contains("12 prompts can't show that other prompts do not loop; 59 could, or the same texts"),
        "{said}"
    );
    // The same texts need no test.
    let (code, said) = base.check(&base, &["--metric", "vllm_loop"]);
    assert_eq!(code, 0, "{said}");
}

/// F2
#[test]
fn a_trend_is_not_supported_against_its_mean() {
    let said = ["mean Spearman's ρ 0.8", "last level − first -0.0", "so this is not a trend"];
    case("mean-falls", 1).expect("up", "inconclusive", &said);
}

/// F3
#[test]
fn rounding_breaks_no_ties() {
    case("rounding", 1).expect("up", "inconclusive", &["no difference on any of 24 prompts"]);
    let found = case("general", 15).verdicts();
    let up = found["verdicts"].as_array().unwrap().iter().find(|verdict| verdict["id"] == "up").unwrap();
    let rho = up["effects"][0]["estimate"].as_f64().unwrap();
    assert!((rho - 0.613).abs() < 5e-4, "{rho}");
}

/// F4: the interval is that of the test.
#[test]
fn an_interval_that_excludes_0_has_a_small_p() {
    let made = case("three-of-24", 1);
    made.expect("more", "inconclusive", &["mean difference 0.089 [-0.", "p = 0.2"]);
}

/// F6
#[test]
fn few_prompts_see_nothing_and_say_so() {
    let said = "4 prompts can't decide this: p can't be below 0.125; 6 could";
    case("four-prompts", 1).expect("more", "inconclusive", &[said]);
}

/// F7
#[test]
fn a_trend_compares_temperatures_and_not_chains() {
    let made = case("excluded", 1);
    made.expect("up", "inconclusive", &["left out because a level is missing: m0 · llama.cpp"]);
    made.expect("con", "inconclusive", &[]);
}

/// F8
#[test]
fn the_chain_is_not_blamed_where_the_temperature_would_do() {
    let made = case("both-matter", 1);
    let (code, said) = made.moe_sweep(&["recommend", "r", "--trust"]);
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("the chain is at fault, not the temperature"), "{said}");
    assert!(said.contains("limit the temperature or change the chain"), "{said}");
}

/// F9
#[test]
fn noise_has_no_cause() {
    let found = case("null", 1).verdicts();
    let sentence = found["attribution"]["sentence"].as_str().unwrap();
    assert!(sentence.contains("no factor is shown to exceed chance"), "{sentence}");
}

/// F11
#[test]
fn what_failed_is_counted() {
    let made = case("failed-hot", 1);
    for id in ["less", "t"] {
        made.expect(id, "inconclusive", &[" of 192 texts failed"]);
    }
}

/// F12
#[test]
fn a_mean_over_temperatures_hides_no_jump() {
    let (base, run) = (case("arm-base", 1), case("arm-run", 1));
    let (code, said) = run.check(&base, &[]);
    assert_eq!(code, 100, "{said}");
    assert!(said.contains("on average over temperatures") && said.contains("worst cell +0.3"), "{said}");
}

/// F14
#[test]
fn two_prompts_have_no_interval() {
    let made = case("two-prompts", 1);
    assert!(made.said.contains("too few prompts"), "{}", made.said);
}
