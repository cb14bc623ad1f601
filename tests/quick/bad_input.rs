//! What can't be run is refused with exit code 96, the name of the file and a
//! remedy, and before anything is written.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{Bench, GGUF, SCRIPTED, Said, models};

/// Both commands refuse the experiment in the same words and write nothing.
fn refused(bench: &Bench) -> Said {
    let files = || {
        let entries = fs::read_dir(bench.path()).expect("the bench can be read");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
        names.sort();
        names
    };
    let before = files();
    let said = bench.run("out", &[], 96);
    let planned = bench.say(&["plan", "x.toml", "--out", "out"]);
    assert_eq!(planned.code, Some(96), "{planned:#?}");
    assert_eq!(planned.stderr, said.stderr);
    assert_eq!(said.stdout, "", "an error is not data");
    assert_eq!(files(), before, "something was written");
    said
}

fn scripted(from: &str, to: &str) -> Said {
    let bench = Bench::scripted("");
    bench.edit(from, to);
    refused(&bench)
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_a_suggestion() {
    scripted("max_tokens", "max_token").says(&[
        "unknown key \"max_token\"",
        "x.toml:6:1",
        "did you mean \"max_tokens\"?",
    ]);
}

#[test]
fn a_missing_experiment_is_named() {
    let bench = Bench::scripted("");
    fs::remove_file(bench.path().join("x.toml")).expect("it was there");
    refused(&bench).says(&["cannot read the experiment x.toml", "No such file", "give the path of an experiment file"]);
}

#[test]
fn an_experiment_that_is_no_text_is_named() {
    let bench = Bench::scripted("");
    bench.write("x.toml", [0xFF, 0xFE, 0x00]);
    refused(&bench).says(&["cannot read the experiment x.toml", "UTF-8"]);
}

/// As a Windows editor may write it.
fn utf_16(text: &str, mark: &str) -> Vec<u8> {
    format!("{mark}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn utf_16_is_refused_with_the_way_to_convert_it() {
    for (mark, name) in [("\u{feff}", "utf-16"), ("", "utf-16le")] {
        let bench = Bench::scripted("");
        bench.write("x.toml", utf_16(SCRIPTED, mark));
        let help = &*format!("iconv -f {name} -t utf-8");
        let what = format!("it is in {}, not in UTF-8", name.to_uppercase());
        refused(&bench).says(&["cannot read the experiment x.toml, line 1: ", &what, help]);

        let bench = Bench::scripted("");
        bench.edit("inline = [\"first prompt\", \"second prompt\", \"third prompt\"]", "file = \"p.txt\"");
        bench.write("p.txt", utf_16("Once upon a time\nThe sun\n", mark));
        refused(&bench).says(&["cannot read p.txt: line 1: ", &what, "x.toml:16:8", help]);

        bench.write("text.txt", utf_16("Once upon a time", mark));
        let said = bench.say(&["score", "text.txt"]);
        assert_eq!((said.code, &*said.stdout), (Some(96), ""), "{said:#?}");
        said.says(&["text.txt:1: ", &what, help]);
    }
}

#[test]
fn a_json_file_is_never_scored_as_one_text_in_silence() {
    let bench = Bench::new("");
    bench.write("x.JSONL", "{\"id\": 12345678901234567890123, \"text\": \"so so so so\"}\n");
    bench.write("array.json", "[\"so so so so\",\n {\"id\": \"b\", \"text\": \"a b c d\"}]\n");
    bench.write("prose.json", "Once upon a time\n");
    let ids = |file: &str| {
        let said = bench.say(&["score", file]);
        assert_eq!(said.code, Some(0), "{said:#?}");
        said.stdout
            .lines()
            .skip(1)
            .map(|row| row.split(',').step_by(2).take(2).collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("x.JSONL"), ["12345678901234567890123 0.5"]);
    assert_eq!(ids("array.json"), ["array.json:1 0.5", "b 0"]);
    let said = bench.say(&["score", "prose.json"]);
    assert_eq!(said.code, Some(96), "{said:#?}");
    said.says(&["prose.json:1: not JSON", "moe-sweep score - < FILE"]);
}

#[test]
fn one_row_without_a_sound_text_does_not_cost_the_others() {
    let bench = Bench::new("");
    bench.write("a.jsonl", "{\"content\": null}\n{\"content\": \"\\ud83d half\"}\n{\"content\": \"so so so so\"}\n");
    let said = bench.say(&["score", "--field", "content", "a.jsonl"]);
    assert_eq!((said.code, said.stdout.lines().count()), (Some(0), 4), "{said:#?}");
    said.says(&[
        "a.jsonl:2: halves of characters (lone surrogates), 1 of them, are read as U+FFFD",
        "1 of 3 texts are null, and read as empty",
    ]);
}

#[test]
fn a_list_of_no_models_says_where_they_would_come_from() {
    let bench = Bench::new("");
    let said = bench.say(&["model", "list"]);
    assert_eq!((said.code, &*said.stdout), (Some(0), ""), "{said:#?}");
    said.says(&["no model has a name here", "MOE_SWEEP_MODELS", "--experiment FILE"]);
    assert_eq!(bench.say(&["model", "list", "--json"]).stdout, "[]\n");
}

#[test]
fn a_missing_prompts_file_is_named_with_the_line_that_asks_for_it() {
    let said = scripted("inline = [\"first prompt\", \"second prompt\", \"third prompt\"]", "file = \"prompts.txt\"");
    said.says(&["cannot read prompts.txt", "x.toml:16:8", "the path is relative to the experiment file"]);
}

#[test]
fn a_missing_model_is_named_with_its_whole_path() {
    let bench = Bench::new(GGUF);
    let path = bench.path().join("m.gguf").display().to_string();
    refused(&bench).says(&["cannot read the model m", &path, "No such file", "correct its path"]);
}

#[test]
fn a_text_in_place_of_a_model_is_named() {
    let bench = Bench::new(GGUF);
    bench.write("m.gguf", "a text, and no model\n");
    let path = bench.path().join("m.gguf").display().to_string();
    refused(&bench).says(&["cannot use the model m", &path, "this is no GGUF file", "another format"]);
}

#[test]
fn an_empty_file_in_place_of_a_model_is_named() {
    let bench = Bench::new(GGUF);
    bench.write("m.gguf", "");
    let path = bench.path().join("m.gguf").display().to_string();
    refused(&bench).says(&["cannot use the model m", &path, "the file ends at 0", "fetch the file again"]);
}

#[test]
fn a_truncated_model_is_named_wherever_it_is_cut() {
    let whole = fs::read(models().join("deepseek-tiny.gguf")).expect("the bundled model");
    for length in [1, 30, 1000, whole.len() / 2, whole.len() - 1] {
        let bench = Bench::new(GGUF);
        bench.write("m.gguf", &whole[..length]);
        let path = bench.path().join("m.gguf").display().to_string();
        refused(&bench).says(&["cannot use the model m", &path, "byte ", "the file", "fetch the file again"]);
    }
}

#[test]
fn a_model_with_another_hash_than_stated_is_named_with_both() {
    let bench = Bench::scripted("");
    let stated = "0".repeat(64);
    bench.edit("path = \"m.scripted.toml\"", &format!("path = \"m.scripted.toml\"\nsha256 = \"{stated}\""));
    let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    refused(&bench).says(&["the model scripted", "m.scripted.toml", &stated, of_nothing, "fetch it again"]);
}

#[test]
fn an_unknown_model_is_named_with_its_line_and_a_suggestion() {
    let said = scripted("model = [\"scripted\"]", "model = [\"script\"]");
    said.says(&["unknown model \"script\"", "x.toml:10:10", "did you mean \"scripted\"?"]);
}

#[test]
fn a_prompt_longer_than_the_context_is_named_with_the_context_it_needs() {
    let said = scripted("first prompt", &"word ".repeat(45));
    said.says(&["x.toml", "prompt p1 has 45 tokens", "context = 64", "raise context to at least 65"]);
}

#[test]
fn exclusions_of_everything_are_named_with_their_line() {
    let said = scripted("[prompts]", "[[grid.exclude]]\nmodel = \"scripted\"\n\n[prompts]");
    said.says(&["no trial is left to run", "x.toml:15:1", "remove it"]);
}

#[test]
fn a_broken_catalogue_is_named_with_its_line() {
    let bench = Bench::scripted("");
    fs::create_dir(bench.path().join("models")).expect("the bench is writable");
    bench.write("models/catalog.toml", "[[model]]\nid = \"m\"\npaht = \"m.gguf\"\n");
    refused(&bench).says(&["models/catalog.toml:3:1", "unknown key \"paht\"", "did you mean \"path\"?"]);
}

#[test]
fn a_catalogue_that_the_environment_names_must_be_there() {
    let bench = Bench::scripted("");
    let output = bench.command(&["plan", "x.toml"]).env("MOE_SWEEP_MODELS", "/nowhere").output();
    let said: Said = output.expect("moe-sweep starts").into();
    assert_eq!(said.code, Some(96), "{said:#?}");
    said.says(&["cannot read the catalogue /nowhere/catalog.toml", "MOE_SWEEP_MODELS must name a directory"]);
}

#[test]
fn a_directory_that_is_a_file_is_named_and_left_alone() {
    let bench = Bench::scripted("");
    bench.write("out", "mine");
    for directory in ["out", "out/below"] {
        let said = bench.run(directory, &[], 96);
        said.says(&[&format!("cannot create the run's directory {directory}:"), "choose another one with --out DIR"]);
    }
    assert_eq!(bench.read("out"), "mine");
}

#[test]
fn a_directory_that_leads_nowhere_is_named() {
    let bench = Bench::scripted("");
    symlink("/nowhere/at/all", bench.path().join("out")).expect("the bench is writable");
    bench.run("out", &[], 96).says(&["cannot create the run's directory out:", "choose another one with --out DIR"]);
}

#[test]
fn a_plan_of_a_good_experiment_writes_nothing() {
    let bench = Bench::scripted("");
    let said = bench.say(&["plan", "x.toml"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    let mut names: Vec<_> = fs::read_dir(bench.path())
        .expect("the bench can be read")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["m.scripted.toml", "x.toml"]);
    assert_eq!(bench.read("x.toml"), SCRIPTED);
}

#[test]
fn a_command_line_that_is_not_understood_exits_with_2() {
    let bench = Bench::scripted("");
    let lines: [&[&str]; 8] = [
        &[],
        &["sweep"],
        &["run"],
        &["plan"],
        &["run", "x.toml", "--fast"],
        &["run", "x.toml", "--batch", "0"],
        &["run", "x.toml", "--threads", "many"],
        &["score", "--lines", "--field", "text"],
    ];
    for line in lines {
        let said = bench.say(line);
        assert_eq!(said.code, Some(2), "{line:?}: {said:#?}");
        assert_eq!(said.stdout, "", "{line:?}");
        assert!(said.stderr.contains("--help"), "{line:?}: {}", said.stderr);
    }
    assert!(!bench.exists("results"));
}

#[test]
fn the_help_of_every_command_teaches_it() {
    let bench = Bench::scripted("");
    let of_models = ["model", "model list", "model inspect", "model fetch", "model verify"];
    for command in [
        &[
            "",
            "plan",
            "power",
            "run",
            "report",
            "compare",
            "baseline",
            "baseline save",
            "check",
            "recommend",
            "score",
            "explain",
            "completions",
            "man",
            "init",
            "ls",
            "open",
            "schema",
        ][..],
        &of_models,
    ]
    .concat()
    {
        let arguments: Vec<_> = command.split_whitespace().chain(["--help"]).collect();
        // Help is as wide as the terminal, and 100 columns without one.
        let output = bench.command(&arguments).env("COLUMNS", "100").output();
        let said: Said = output.expect("moe-sweep starts").into();
        assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{command}");
        let name = if command.is_empty() { "moe-sweep".to_owned() } else { command.replace(' ', "_") };
        insta::assert_snapshot!(format!("help_{name}"), said.stdout);
    }
}
