//! `init` writes an experiment that can be planned as it is, on whatever model is meant.

use std::fs;

use crate::support::canned::{Canned, whole};
use crate::support::{Bench, Said, models};
use serde_json::{Value, json};

fn init(bench: &Bench, arguments: &[&str]) -> Said {
    let said = bench.say(&[&["init"], arguments].concat());
    assert_eq!(said.code, Some(0), "{said:#?}");
    said
}

/// Plans what was written, and gives what `plan` says of it.
fn planned(bench: &Bench, file: &str) -> String {
    let said = bench.say(&["plan", file]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    said.stdout
}

/// A bench with one of the bundled models in its catalogue.
fn with_catalogue() -> Bench {
    let bench = Bench::new("");
    fs::create_dir(bench.path().join("models")).expect("the bench is writable");
    let catalogue =
        "[[model]]\nid = \"gone\"\npath = \"gone.gguf\"\n[[model]]\nid = \"m\"\npath = \"m.scripted.toml\"\n";
    bench.write("models/catalog.toml", catalogue);
    bench.write("models/m.scripted.toml", "");
    bench
}

#[test]
fn it_takes_a_model_that_is_here() {
    let bench = with_catalogue();
    let said = init(&bench, &[]);
    assert!(said.stdout.contains("written: my-experiment.toml"), "{said:#?}");
    assert!(said.stdout.contains("moe-sweep plan my-experiment.toml"), "{said:#?}");
    let plan = planned(&bench, "my-experiment.toml");
    assert!(plan.contains("48"), "24 prompts at two temperatures: {plan}");
    let run = bench.say(&["run", "my-experiment.toml"]);
    assert_eq!(run.code, Some(0), "{run:#?}");
    assert!(bench.exists("results/my-experiment/report.html"));
}

#[test]
fn every_key_that_is_shown_as_a_default_can_stand_there() {
    let bench = with_catalogue();
    init(&bench, &["mine"]);
    let defaults = [
        "context = 512",
        "numerics = \"invariant\"",
        "seed = [0]",
        "template = [\"raw\"]",
        "quant = [\"source\"]",
        "[[hypothesis]]",
        "id = \"temperature-raises\"",
        "trend = \"temperature\"",
        "expect = \"increasing\"",
    ];
    let written = bench.read("mine.toml");
    let with_them = defaults.iter().fold(written.clone(), |text, key| {
        let shown = format!("# {key}");
        assert!(text.contains(&shown), "{key}: {text}");
        text.replace(&shown, key)
    });
    let run = bench.say(&["run", "mine.toml"]);
    assert_eq!(run.code, Some(0), "{run:#?}");
    bench.write("mine.toml", with_them);
    let said = bench.say(&["plan", "mine.toml", "--json"]);
    let plan: Value = serde_json::from_str(&said.stdout).expect("JSON");
    // They are the same trials.
    assert_eq!((&plan["texts"], &plan["texts_left"]), (&json!(48), &json!(0)), "{plan}");
    assert_eq!(plan["hypotheses"][0]["id"], "temperature-raises");
    // What is called needed is.
    for key in ["schema", "name", "model", "chain", "temperature"] {
        let without =
            written.lines().filter(|line| !line.starts_with(&format!("{key} = "))).collect::<Vec<_>>().join("\n");
        bench.write("less.toml", without);
        let said = bench.say(&["plan", "less.toml"]);
        assert_eq!(said.code, Some(96), "without {key}: {said:#?}");
    }
}

#[test]
fn on_a_fresh_machine_it_takes_the_model_that_anybody_may_fetch_as_the_catalogue_has_it() {
    let bench = Bench::new("");
    let said = init(&bench, &["first"]);
    assert!(said.stdout.contains("next:    moe-sweep model fetch smollm2-135m --experiment first.toml\n"), "{said:#?}");
    let table = |text: &str| {
        let file: toml::Table = text.parse().expect("TOML");
        let models = file["model"].as_array().expect("tables").clone();
        models.into_iter().find(|model| model["id"].as_str() == Some("smollm2-135m")).expect("it is there")
    };
    let (ours, catalogues) = (bench.read("first.toml"), fs::read_to_string(models().join("catalog.toml")).unwrap());
    let (ours, catalogues) = (table(&ours), table(&catalogues));
    for key in ["pypi", "version", "file", "sha256"] {
        assert_eq!(ours[key], catalogues[key]);
    }
    assert!(bench.read("first.toml").contains("\ntemplate = [\"jinja\"]"), "it is a chat model");
    // Nothing is wrong with it but that the model is not here.
    let mut command = bench.command(&["plan", "first.toml"]);
    let said: Said = command.env("MOE_SWEEP_CACHE", bench.path()).output().expect("moe-sweep starts").into();
    assert_eq!(said.code, Some(96), "{said:#?}");
    said.says(&["smollm2-135m", "moe-sweep model fetch smollm2-135m"]);
}

#[test]
fn it_takes_the_model_that_was_typed() {
    let bench = with_catalogue();
    fs::copy(models().join("dense-tiny.gguf"), bench.path().join("my model.gguf")).expect("the bench is writable");
    init(&bench, &["file", "--model", "my model.gguf"]);
    let written = bench.read("file.toml");
    assert!(written.contains("path = \"my model.gguf\"") && written.contains("model = [\"my-model\"]"), "{written}");
    init(&bench, &["known", "--model", "m"]);
    planned(&bench, "known.toml");
    for (typed, code, says) in
        [("mm", 2, "did you mean \"m\"?"), ("nowhere.gguf", 96, "nowhere.gguf"), ("x.toml", 96, "x.toml")]
    {
        let said = bench.say(&["init", "other", "--model", typed]);
        assert_eq!(said.code, Some(code), "{said:#?}");
        said.says(&[says]);
        assert!(!bench.exists("other.toml"));
    }
}

#[test]
fn it_takes_what_a_server_has_and_asks_it_for_what_nobody_says() {
    let bench = Bench::new("");
    let server = Canned::ollama(json!({}), |_| whole(200, &json!({ "response": "so", "done": true })));
    init(&bench, &["served", "--server", &server.url]);
    let written = bench.read("served.toml");
    for line in ["api = \"ollama\"", "served_as = \"tiny:latest\"", "model = [\"tiny-latest\"]", "chain = [\"pure\"]"] {
        assert!(written.contains(line), "{line}: {written}");
    }
    // It need not run where all is said.
    let said = ["--server", "http://127.0.0.1:1", "--api", "shimmy", "--model", "deep/tiny.gguf"];
    init(&bench, &[&["shimmy"][..], &said].concat());
    let written = bench.read("shimmy.toml");
    for line in
        ["own_chain = \"shimmy-1.7\"", "chain = [\"shimmy-1.7\"]", "id = \"tiny\"", "served_as = \"deep/tiny.gguf\""]
    {
        assert!(written.contains(line), "{line}: {written}");
    }
    for file in ["served.toml", "shimmy.toml"] {
        let said = bench.say(&["model", "list", "--experiment", file]);
        assert_eq!(said.code, Some(0), "{said:#?}");
    }
}

#[test]
fn what_is_there_is_kept_and_what_is_no_name_is_refused() {
    let bench = with_catalogue();
    let said = bench.say(&["init", "x"]);
    assert_eq!((said.code, bench.read("x.toml")), (Some(96), String::new()), "{said:#?}");
    said.says(&["x.toml is there already", "choose another name"]);
    for name in ["", ".hidden", "a/b", "two words", "../x"] {
        let said = bench.say(&["init", name]);
        assert_eq!(said.code, Some(2), "{said:#?}");
        said.says(&["can't be the name of an experiment"]);
    }
}
