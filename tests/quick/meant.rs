//! What was typed is near to something that there is: the message says what was meant.

use crate::support::{Bench, models};

#[test]
fn a_misspelt_name_is_answered_with_the_one_that_was_meant() {
    let bench = Bench::scripted("");
    let lines: [(&[&str], &str); 8] = [
        (&["rnu", "x.toml"], "'run'"),
        (&["diagnoes", "m.gguf"], "'diagnose'"),
        (&["inspect", "m.gguf"], "'model inspect'"),
        (&["inspct", "m.gguf"], "'model inspect'"),
        (&["model", "lst"], "'model list'"),
        (&["compare", "a", "b", "--metric", "repetion_score"], "'repetition_score'"),
        (&["run", "x.toml", "--server", "http://127.0.0.1:1", "--api", "llamaserver"], "'llama-server'"),
        (&["model", "inspect", "scriptd", "--experiment", "x.toml"], "did you mean \"scripted\"?"),
    ];
    for (line, meant) in lines {
        let said = bench.say(line);
        assert_eq!(said.code, Some(2), "{line:?}: {said:#?}");
        said.says(&[meant]);
    }
}

#[test]
fn nothing_is_meant_by_nonsense() {
    let said = Bench::new("").say(&["nonsense"]);
    assert!(!said.stderr.contains("similar"), "{said:#?}");
}

#[test]
fn a_model_in_the_place_of_an_experiment_is_pointed_to_diagnose() {
    let bench = Bench::new("");
    std::fs::copy(models().join("dense-tiny.gguf"), bench.path().join("model.gguf")).expect("the bench is writable");
    for command in ["run", "plan"] {
        let said = bench.say(&[command, "model.gguf"]);
        assert_eq!(said.code, Some(96), "{said:#?}");
        said.says(&[
            "model.gguf is a model, not an experiment file",
            "moe-sweep diagnose model.gguf",
            "--model model.gguf",
        ]);
    }
}
