//! A run on a model of the hub, fetched from a hub on this machine.

use std::fs;

use crate::support::hub::{COMMIT, Hub, Site, on_hub};
use crate::support::{Bench, Said, models};

/// A tiny experiment on a model of the hub, which only the experiment's file names.
const EXPERIMENT: &str = r#"
schema = 1
name = "x"

[generate]
max_tokens = 4
context = 128

[grid]
model = ["served"]
chain = ["greedy"]
temperature = [1.0]

[prompts]
inline = ["The cat sat"]

[[model]]
id = "served"
hf = "o/tiny"
file = "deepseek-tiny.gguf"
"#;

#[test]
fn an_experiment_runs_on_a_fetched_model_and_never_fetches_it_itself() {
    let text = fs::read(models().join("deepseek-tiny.gguf")).expect("the bundled model");
    let hub = Hub::serve(&[("o/tiny", "deepseek-tiny.gguf", &text)]);
    let bench = Bench::new(EXPERIMENT);
    let say = |arguments: &[&str]| -> Said {
        let mut command = bench.command(arguments);
        on_hub(&mut command, &hub.endpoint, &bench);
        command.output().expect("moe-sweep starts").into()
    };
    for arguments in [&["run", "x.toml"][..], &["plan", "x.toml"]] {
        let said = say(arguments);
        assert_eq!(said.code, Some(96), "{said:#?}");
        let remedy = "moe-sweep model fetch served --experiment x.toml";
        said.says(&["the model served is not fetched: o/tiny/deepseek-tiny.gguf@main", remedy]);
    }
    assert!(!bench.exists("results") && hub.seen(Site::Endpoint).is_empty());

    let fetched = say(&["model", "fetch", "served", "--experiment", "x.toml"]);
    assert_eq!(fetched.code, Some(0), "{fetched:#?}");
    let asked = hub.seen(Site::Endpoint).len();
    let said = say(&["run", "x.toml"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_eq!(hub.seen(Site::Endpoint).len(), asked, "a run needs no network");
    let manifest: serde_json::Value = serde_json::from_str(&bench.result("results/x", "manifest.json")).expect("JSON");
    let expected = serde_json::json!({
        "repo": "o/tiny", "file": "deepseek-tiny.gguf", "revision": "main", "commit": COMMIT
    });
    assert_eq!(manifest["models"][0]["hub"], expected);
}
