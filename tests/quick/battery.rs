//! scripts/battery.py: its list names causes that there are, and what it counts of diagnoses that a script makes up.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{Bench, PROGRAM, Said, without_the_callers_variables};

/// Says of a model what the arguments ask it to: its loops, and the cause that it names.
const DIAGNOSES: &str = r#"#!/usr/bin/env python3
import json, sys, urllib.request
from pathlib import Path

def served(address):
    """Of 24 texts of a server that is asked for T 0.8, how many end in three rounds of six words."""
    texts = []
    for number in range(24):
        asked = json.dumps({"prompt": f"prompt {number}", "temperature": 0.8}).encode()
        with urllib.request.urlopen(f"{address}/v1/completions", asked) as answer:
            texts.append(json.load(answer)["choices"][0]["text"].split())
    return sum(words[-6:] == words[-12:-6] == words[-18:-12] for words in texts)

command, *arguments = sys.argv[1:]
if command == "-V":
    print("moe-sweep of the test")
elif command == "explain":
    print("L-ROPE   the scaling of positions\nL-EOS   an end-of-text token")
else:
    said = dict(argument.split("=") for argument in arguments if "=" in argument)
    causes = said["named"].split("+") if "named" in said else []
    loops = served(arguments[1]) if arguments[0] == "--server" else int(said.get("loops", 0))
    before, after = ({"loops": n, "texts": 24} for n in (18, 1))
    changes = [{"cause": cause, "settings": []} for cause in causes]
    remedies = [{"changes": changes, "before": before, "after": after, "found": {"state": "supported"}}]
    out = Path(arguments[arguments.index("--out") + 1])
    with open(out.parent.parent / "started", "a") as started:
        print(out.name, file=started)
    if "broken" in arguments:
        sys.exit("error: it is broken")
    (out / "diagnosis.json").write_text(json.dumps({
        "ending": "cause" if causes else "not_reproduced",
        "counted": "loops", "repeats": loops, "as_run": {"loops": loops, "texts": 24},
        "remedies": remedies if causes else [],
        "stages": [{"name": "1-as-run", "texts": 24}],
    }))
    sys.exit(0 if causes else 10)
"#;

const MODELS: &str = r#"[models]
tiny.file = "models/dense-tiny.gguf"
toy.serve = ""
deaf.serve = "--ignore temperature --default temperature=0.1"
"#;

/// Runs the battery of `list` in `bench`, with `program` in moe-sweep's place.
fn battery(bench: &Bench, program: &Path, list: &str, more: &[&str]) -> Said {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/battery.py");
    bench.write("battery.toml", list);
    let mut command = without_the_callers_variables("python3");
    command.current_dir(bench.path()).arg(script).arg(program);
    command.args(["--list", "battery.toml", "--out", "out"]).args(more);
    command.output().expect("python3 is there").into()
}

/// The same of diagnoses that the script above makes up.
fn made_up(bench: &Bench, cases: &str) -> Said {
    made_up_with(bench, cases, &[])
}

fn made_up_with(bench: &Bench, cases: &str, more: &[&str]) -> Said {
    let program = bench.path().join("program");
    fs::write(&program, DIAGNOSES).expect("the bench is writable");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    battery(bench, &program, &format!("{MODELS}{cases}"), more)
}

/// The table that it left, and what it says below, hold every one of these.
fn lists(bench: &Bench, expected: &[&str]) {
    let table = bench.read("out/battery.md");
    for part in expected {
        assert!(table.contains(part), "no {part:?} in\n{table}");
    }
}

/// A plant of `L-ROPE`, whose diagnosis is what `with` says.
fn plant(id: &str, with: &str) -> String {
    format!("[[case]]\nid = \"{id}\"\nclass = \"c\"\nmodel = \"tiny\"\nwith = \"{with}\"\ncauses = [\"L-ROPE\"]\n")
}

fn expected(id: &str, expect: &str, with: &str) -> String {
    format!("[[case]]\nid = \"{id}\"\nclass = \"c\"\nmodel = \"tiny\"\nwith = \"{with}\"\nexpect = \"{expect}\"\n")
}

#[test]
fn the_list_names_causes_that_there_are() {
    let list = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/battery.toml")).unwrap();
    let said = battery(&Bench::new(""), Path::new(PROGRAM), &list, &["--check"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    let counts: Vec<usize> = said.stdout.split(' ').filter_map(|word| word.parse().ok()).collect();
    // Forty plants of twelve classes and twelve healthy cases, by what the battery is there for.
    assert!(counts[0] >= 52 && counts[1] >= 13, "{}", said.stdout);
}

#[test]
fn what_is_named_right_passes_and_is_read_back() {
    let bench = Bench::new("");
    let cases = [
        plant("right", "loops=18 named=L-ROPE"),
        expected("well", "healthy", ""),
        expected("unseen", "not reproduced", "loops=1"),
    ]
    .concat();
    let said = made_up(&bench, &cases);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_eq!(said.stdout, bench.read("out/battery.md"));
    lists(&bench, &["| right | c | 0/24 → 18/24 | L-ROPE | right | 18/24 → 1/24 | 24 |"]);
    // Exact intervals: of one of one the lower bound is 0.025, of two of two its root.
    lists(
        &bench,
        &["Right: 2 of 2, 100 % [15.8, 100.0]", "1 of 1, 100 % [2.5, 100.0]", "Accused: 0 of 1, 0 % [0.0, 97.5]"],
    );
    // Plants of the same setup share the run without them, and nothing is run again.
    let started = bench.read("out/started");
    assert_eq!(started.lines().count(), 4, "{started}");
    assert_eq!(made_up(&bench, &cases).code, Some(0));
    assert_eq!(bench.read("out/started"), started);
}

#[test]
fn a_miss_and_a_false_accusation_are_listed_and_fail() {
    let cases = [plant("miss", "loops=18 named=L-EOS"), expected("accused", "healthy", "named=L-EOS")].concat();
    let bench = Bench::new("");
    let said = made_up(&bench, &cases);
    assert_eq!(said.code, Some(1), "{said:#?}");
    lists(
        &bench,
        &["Missed: `miss` (tiny loops=18 named=L-EOS): L-ROPE was right, L-EOS was said.", "Accused: 1 of 1"],
    );
}

#[test]
fn half_of_a_cause_is_no_cause() {
    let both =
        plant("both", "loops=18 named=L-ROPE").replace("[\"L-ROPE\"]", "[\"L-ROPE\", \"L-EOS\"]\ntogether = true");
    assert_eq!(made_up(&Bench::new(""), &both).code, Some(1));
    let whole = both.replace("named=L-ROPE", "named=L-ROPE+L-EOS");
    assert_eq!(made_up(&Bench::new(""), &whole).code, Some(0));
    let more = plant("more", "loops=18 named=L-ROPE+L-EOS");
    assert_eq!(made_up(&Bench::new(""), &more).code, Some(1));
}

#[test]
fn a_plant_that_makes_nothing_loop_is_not_counted() {
    let cases = [plant("none", "loops=2 named=L-EOS"), expected("seen", "not reproduced", "loops=18")].concat();
    let bench = Bench::new("");
    let said = made_up(&bench, &cases);
    assert_eq!(said.code, Some(0), "{said:#?}");
    lists(&bench, &["Right: none of none", "Not counted: `none`", "0/24 → 2/24", "Not counted: `seen`"]);
}

#[test]
fn a_server_with_a_fault_is_one_and_what_is_off_is_left_out() {
    let plant = plant("deaf", "named=L-EOS").replace("\"tiny\"", "\"deaf\"\nwithout_model = \"toy\"");
    let off = format!("{plant}off = \"not yet\"\n");
    let bench = Bench::new("");
    let said = made_up(&bench, &[expected("well", "healthy", ""), off.clone()].concat());
    assert_eq!(said.code, Some(0), "{said:#?}");
    lists(&bench, &["Left out: `deaf`: not yet", "none of none plants"]);
    let said = made_up_with(&bench, &off, &["--off"]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    lists(&bench, &["| deaf | c | 0/24 → 24/24 | L-EOS | **miss** |"]);
}

#[test]
fn a_case_that_fails_is_named_with_what_was_said() {
    let bench = Bench::new("");
    let said = made_up(&bench, &plant("falls", "broken"));
    assert_eq!(said.code, Some(3), "{said:#?}");
    lists(&bench, &["Failed: `falls`: error: it is broken"]);
}

#[test]
fn a_list_that_is_wrong_says_what_to_mend() {
    let unknown = plant("a", "x").replace("L-ROPE", "L-ROPES");
    let same = plant("a", "");
    let twice = plant("a", "x").repeat(2);
    let neither = plant("a", "x").replace("causes = [\"L-ROPE\"]", "");
    let model = plant("a", "x").replace("\"tiny\"", "\"huge\"");
    let key = plant("a", "x").replace("with =", "wiht =");
    for (cases, what) in [
        (unknown, "a: L-ROPES is no cause: moe-sweep explain lists them"),
        (same, "a: without its plant it is the same"),
        (twice, "the id a is there twice"),
        (neither, "a: give causes, or expect"),
        (model, "a: there is no [models.huge]"),
        (key, "a: wiht: a case has"),
        ("[[case]\n".to_owned(), "battery.toml: Expected"),
    ] {
        let said = made_up(&Bench::new(""), &cases);
        assert_eq!(said.code, Some(2), "{cases}: {said:#?}");
        said.says(&[what]);
    }
}
