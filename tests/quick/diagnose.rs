//! `diagnose` from the command line to its screen and files, on scripted models whose fault is known.

use serde_json::Value;

use crate::support::{Bench, Said};

/// From T 0.75 on its texts are loops; told nothing, a runtime samples at 0.8.
const HOT: &str = "loops_from = 0.75";
const FOLDER: &str = "results/diagnose-m.scripted";

fn diagnose(bench: &Bench, more: &[&str]) -> Said {
    bench.say_in_columns(80, &[&["diagnose", "m.scripted.toml"], more].concat())
}

#[test]
fn a_temperature_that_is_too_high_is_named_mended_and_confirmed() {
    let bench = Bench::scripted(HOT);
    let said = diagnose(&bench, &["--temperature", "1.3"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    for line in [
        "IT LOOPS     24 of 24 texts end in a loop: 100 %",
        "CAUSE        a temperature that is too high (L-TEMPERATURE-HIGH)",
        "CHANGE       temperature 1.3 → 0.3",
        "llama-server --temp 0.3",
    ] {
        assert!(said.stdout.contains(line), "{line}\n{}", said.stdout);
    }
    let lines: Vec<_> = said.stdout.lines().collect();
    assert!(lines.len() <= 25, "{} lines\n{}", lines.len(), said.stdout);
    // What is to be pasted is not folded.
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{}", said.stdout);
    let json: Value = serde_json::from_str(&bench.result(FOLDER, "diagnosis.json")).unwrap();
    assert_eq!(json["ending"], "cause");
    assert_eq!(json["remedies"][0]["changes"][0]["cause"], "L-TEMPERATURE-HIGH");
    assert_eq!(json["remedies"][0]["after"]["loops"], 0);
}

#[test]
fn the_same_command_reads_it_all_back_and_says_the_same() {
    let bench = Bench::scripted(HOT);
    let first = diagnose(&bench, &["--temperature", "1.3"]);
    let files = ["diagnosis.json", "diagnosis.md", "diagnosis.toml", "2-put-back/trials.jsonl"];
    let before = files.map(|file| bench.result(FOLDER, file));
    let again = diagnose(&bench, &["--temperature", "1.3"]);
    assert_eq!((first.code, first.stdout), (again.code, again.stdout));
    assert_eq!(before, files.map(|file| bench.result(FOLDER, file)));
}

#[test]
fn its_stages_and_the_whole_are_experiments() {
    let bench = Bench::scripted(HOT);
    diagnose(&bench, &["--temperature", "1.3"]);
    for file in ["1-as-run.toml", "2-put-back.toml", "4-remedy.toml", "diagnosis.toml"] {
        let said = bench.say(&["plan", &format!("{FOLDER}/{file}")]);
        assert_eq!(said.code, Some(0), "{file}: {said:#?}");
    }
}

#[test]
fn a_model_that_does_not_loop_is_clean_up_to_a_bound_with_its_own_exit_code() {
    let said = diagnose(&Bench::scripted(""), &[]);
    assert_eq!(said.code, Some(10), "{said:#?}");
    assert!(
        said.stdout.starts_with("NO LOOP      none of 48 texts ends in a loop: under 6 % of texts"),
        "{}",
        said.stdout
    );
}

#[test]
fn a_model_that_loops_at_any_temperature_is_said_to() {
    let said = diagnose(&Bench::scripted("loops_from = 0.0"), &["--json"]);
    assert_eq!(said.code, Some(12), "{said:#?}");
    let json: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!((json["ending"].as_str(), json["remedies"].as_array().map(Vec::len)), (Some("loops_whatever"), Some(0)));
}

#[test]
fn a_budget_ends_it_and_a_larger_one_goes_on() {
    let bench = Bench::scripted(HOT);
    let few = diagnose(&bench, &["--temperature", "1.3", "--texts", "12"]);
    assert_eq!(few.code, Some(16), "{few:#?}");
    assert!(few.stdout.contains("STOPPED") && few.stdout.contains("--budget"), "{}", few.stdout);
    // Half of the first stage's 24 texts are there at least; some more were under way.
    let rest = diagnose(&bench, &["--temperature", "1.3"]);
    assert_eq!(rest.code, Some(0), "{rest:#?}");
    assert!(!rest.stderr.contains("24 of 24 texts"), "{}", rest.stderr);
    let whole = Bench::scripted(HOT);
    assert_eq!(diagnose(&whole, &["--temperature", "1.3"]).stdout, rest.stdout);
}

#[test]
fn a_budget_that_ends_the_search_has_what_looks_best_confirmed() {
    let said = diagnose(&Bench::scripted(HOT), &["--temperature", "1.3", "--texts", "78"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(said.stdout.contains("L-TEMPERATURE-HIGH"), "{}", said.stdout);
}

#[test]
fn other_settings_have_another_folder() {
    let bench = Bench::scripted(HOT);
    diagnose(&bench, &["--temperature", "1.3"]);
    let other = diagnose(&bench, &["--temperature", "0.2"]);
    assert_eq!(other.code, Some(10), "{other:#?}");
    assert!(bench.exists(&format!("{FOLDER}-2")) && !bench.exists(&format!("{FOLDER}-3")));
    let again = diagnose(&bench, &["--temperature", "1.3"]);
    assert!(again.stderr.contains("all 24 texts are in the journal"), "{}", again.stderr);
}

#[test]
fn what_was_typed_wrongly_is_refused_at_once() {
    let bench = Bench::scripted(HOT);
    bench.write("few.txt", "one\ntwo\nthree\n");
    for (more, code, says) in [
        (&["--like", "lama-server"][..], 2, "llama-server"),
        (&["--temperature", "-1"], 2, "from 0 up"),
        (&["--set", "kv_k=q9"], 2, "q8_0"),
        (&["--set", "kw_k=f16"], 2, "kv_k"),
        (&["--prompt-file", "few.txt"], 96, "12 at least"),
        (&["--budget", "ten"], 2, "10m"),
        (&["--prompt-file", "none.txt"], 96, "none.txt"),
    ] {
        let said = diagnose(&bench, more);
        assert_eq!(said.code, Some(code), "{more:?} {said:#?}");
        assert!(said.stderr.contains(says), "{more:?} {said:#?}");
    }
    assert!(!bench.exists("results"));
    let said = bench.say(&["diagnose", "none.gguf"]);
    assert_eq!(said.code, Some(96), "{said:#?}");
}
