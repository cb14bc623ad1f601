//! `schema` prints what takes every experiment that is shipped, and refuses each of their keys when it is misspelt.

use std::fs;
use std::path::{Path, PathBuf};

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use serde_json::Value;

use crate::support::Bench;

/// The schema that is printed, ready to hold files against.
struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    fn printed() -> Self {
        let said = Bench::new("").say(&["schema"]);
        assert_eq!((said.code, &*said.stderr), (Some(0), ""), "{said:#?}");
        let schema: Value = serde_json::from_str(&said.stdout).expect("JSON");
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.set_default_draft(Draft::V7);
        compiler.add_resource("experiment.json", schema).expect("it can be added");
        let index = compiler.compile("experiment.json", &mut schemas).expect("a schema of draft 7");
        Self { schemas, index }
    }

    fn fault(&self, file: &Value) -> Option<String> {
        self.schemas.validate(file, self.index).err().map(|error| format!("{error:#}"))
    }
}

fn value(toml: &str) -> Value {
    toml::from_str(toml).expect("TOML")
}

/// The experiments in a folder, and below.
fn experiments(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("it can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            experiments(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
}

fn shipped() -> Vec<PathBuf> {
    let mut found = Vec::new();
    experiments(&Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments"), &mut found);
    assert!(found.len() > 20, "{found:?}");
    found
}

/// The value with one of its keys misspelt, once for each key of it and of what is in it; and where that key is.
fn misspelt(value: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    match value {
        Value::Object(table) => {
            for (key, below) in table {
                let mut renamed = table.clone();
                renamed.remove(key);
                renamed.insert(format!("{key}_"), below.clone());
                all.push((key.clone(), renamed.into()));
                for (place, changed) in misspelt(below) {
                    let mut with = table.clone();
                    with.insert(key.clone(), changed);
                    all.push((format!("{key}.{place}"), with.into()));
                }
            }
        }
        Value::Array(list) => {
            for (index, below) in list.iter().enumerate() {
                for (place, changed) in misspelt(below) {
                    let mut with = list.clone();
                    with[index] = changed;
                    all.push((format!("{index}.{place}"), with.into()));
                }
            }
        }
        _ => {}
    }
    all
}

#[test]
fn every_experiment_that_is_shipped_is_taken_and_none_of_its_keys_misspelt() {
    let schema = Schema::printed();
    for path in shipped() {
        let file = value(&fs::read_to_string(&path).expect("it can be read"));
        assert_eq!(schema.fault(&file), None, "{}", path.display());
        for (place, file) in misspelt(&file) {
            assert!(schema.fault(&file).is_some(), "{}: {place} is misspelt", path.display());
        }
    }
}

/// Shapes that no shipped experiment has.
#[test]
fn it_takes_what_the_program_takes_and_no_other_shape() {
    let (schema, bench) = (Schema::printed(), Bench::scripted(""));
    let whole = bench.read("x.toml");
    let edits = [
        ("temperature = [0.5, 1.0]", "temperature = { from = 0.5, to = 1.0, step = 0.5 }", true),
        ("temperature = [0.5, 1.0]", "temperature = [1, \"hot\"]", true),
        ("temperature = [0.5, 1.0]", "temperature = 0.5", false),
        ("seed = { from = 0, count = 3 }", "seed = [0, 4]", true),
        ("seed = { from = 0, count = 3 }", "seed = { from = 0 }", false),
        ("\"first prompt\"", "{ text = \"first prompt\", group = \"a\" }", true),
        ("\"first prompt\"", "{ group = \"a\" }", false),
        ("[prompts]", "[[grid.exclude]]\nchain = \"pure\"\nseed = 1\n[prompts]", true),
        ("max_tokens = 20", "max_tokens = \"20\"", false),
        ("max_tokens = 20", "max_tokens = 20\nnumerics = \"fast\"", true),
        ("max_tokens = 20", "max_tokens = 20\nnumerics = \"quick\"", false),
        ("schema = 1", "schema = 2", false),
        ("schema = 1\n", "", false),
        ("schema = 1\n", "schema = 1\nkind = \"sweep\"\n", true),
        ("schema = 1\n", "schema = 1\nkind = \"survey\"\n", false),
        // A study has none of these factors.
        ("schema = 1\n", "schema = 1\nkind = \"routing\"\nserver = []\n", false),
        ("chain = [\"pure\", \"greedy\"]\n", "", false),
    ];
    for (from, to, is_taken) in edits {
        assert!(whole.contains(from), "{from}");
        let fault = schema.fault(&value(&whole.replace(from, to)));
        assert_eq!(fault.is_none(), is_taken, "{to}: {fault:?}");
    }
    let chain = |steps: &str| format!("{whole}\n[[chain]]\nid = \"mine\"\nsteps = [{steps}]\n");
    let steps = [
        ("{ temperature = \"T\" }, { top_p = 0.9 }, { min_p = { p = 0.1, min_keep = 1 } }, \"dist\"", true),
        ("{ request = { top_k = 40, temperature = 0.5 } }", true),
        ("{ temperature = \"t\" }, \"dist\"", false),
        ("\"gready\"", false),
        ("{ top_q = 0.9 }, \"dist\"", false),
    ];
    for (steps, is_taken) in steps {
        let fault = schema.fault(&value(&chain(steps)));
        assert_eq!(fault.is_none(), is_taken, "{steps}: {fault:?}");
    }
}

#[test]
fn an_editor_is_told_what_keys_are_and_which_names_are_known() {
    let said = Bench::new("").say(&["schema"]);
    let schema: Value = serde_json::from_str(&said.stdout).expect("JSON");
    let definitions = &schema["definitions"];
    let grid = &definitions["GridKeys"]["properties"];
    assert_eq!(grid["offload"]["description"], "Whose experts are kept in host memory.");
    assert!(
        grid["chain"].to_string().contains("\"shimmy-1.7\"")
            && grid["flash_attention"].to_string().contains("\"auto\"")
    );
    let of_seed = grid["seed"]["description"].as_str().expect("a description");
    assert!(of_seed.starts_with("What draws begin with"), "{of_seed}");
    let keys = |of: &str| definitions[of]["properties"].as_object().expect("keys").clone();
    for of in ["RawExperiment", "RawGenerate", "RawHypothesis", "RawServer", "RawModel", "RawPrompts"] {
        for (key, schema) in keys(of) {
            let told = schema["description"].as_str().unwrap_or_default();
            assert!(!told.is_empty(), "{of}.{key} has no description: {schema}");
        }
    }
    assert!(!said.stdout.contains("\"null\""), "TOML has no null");
}
