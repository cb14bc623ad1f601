//! `plan` of models that are not here: what they would take is said, and that they must be fetched.

use std::fs;
use std::path::{Path, PathBuf};

use moe_sweep::experiment::Model;
use moe_sweep::model::{self, Anatomy};

use crate::support::{Bench, Said};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `plan EXPERIMENT`, where nothing is fetched.
fn plan(bench: &Bench, experiment: &Path) -> Said {
    let mut command = bench.command(&["plan"]);
    for name in ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "MOE_SWEEP_MODELS"] {
        command.env_remove(name);
    }
    command.arg(experiment).env("HF_HOME", bench.path().join("hf")).output().expect("moe-sweep starts").into()
}

/// The line of stdout that begins with this word.
fn line<'a>(said: &'a Said, word: &str) -> &'a str {
    let found = said.stdout.lines().find(|line| line.trim_start().starts_with(word));
    found.unwrap_or_else(|| panic!("no line of {word}: {said:#?}"))
}

#[test]
fn the_real_models_are_planned_before_they_are_fetched() {
    for (name, download, weights) in [
        ("gpt-oss-20b", "  fetch    12.1 GB to download: moe-sweep model fetch gpt-oss-20b --experiment ", "12.1 GB"),
        (
            "deepseek-moe-16b",
            "  fetch    about 10.9 GB to download: moe-sweep model fetch deepseek-moe-16b ",
            "10.9 GB",
        ),
        ("phi-3.5-moe", "  fetch    about 25.4 GB to download: moe-sweep model fetch phi-3.5-moe-instruct ", "25.4 GB"),
    ] {
        let experiment = root().join(format!("experiments/real/{name}.toml"));
        let bench = Bench::new("");
        let said = plan(&bench, &experiment);
        assert_eq!(said.code, Some(96), "{said:#?}");
        assert!(said.stderr.contains("is not fetched"), "{said:#?}");
        assert!(said.stdout.starts_with(&format!("{name}: ")), "{said:#?}");
        assert!(line(&said, "trials").contains("(at most "), "{said:#?}");
        assert!(line(&said, "tokens").contains("at most "), "{said:#?}");
        assert!(line(&said, "at most about ").contains(&format!(" of memory: weights {weights}, cache ")), "{said:#?}");
        assert!(line(&said, "load").contains("not here"), "{said:#?}");
        assert!(line(&said, "fetch").starts_with(download), "{said:#?}");
        let time = line(&said, "time");
        let expected = if cfg!(feature = "llama") { "between " } else { "unknown: " };
        assert!(time.contains(expected), "{time}");
        assert!(!bench.exists("results"), "plan writes nothing");
    }
}

/// An experiment on a model of a hub that nobody asks, with this at the end of its table.
fn hub_experiment(rest: &str) -> Bench {
    let bench = Bench::new("");
    let scripted = crate::support::SCRIPTED.replace("path = \"m.scripted.toml\"", "hf = \"o/r\"\nfile = \"m.gguf\"");
    bench.write("x.toml", format!("{scripted}{rest}"));
    bench
}

/// Of a dense model.
const SHAPE: &str = "shape = { layers = 4, embedding = 100, heads = 10, kv_heads = 10, head_width = 10, vocabulary = 500, \
                     feed_forward = 400, parameters = 700_000, about_bytes = 450_000 }\n";

#[test]
fn a_shape_in_the_experiment_is_enough_for_a_plan() {
    let bench = hub_experiment(SHAPE);
    let said = plan(&bench, &bench.path().join("x.toml"));
    assert_eq!(said.code, Some(96), "{said:#?}");
    assert!(line(&said, "load").contains("(not here, 4 layers, dense): 24 trials on 3 prompts of about 10 tokens"));
    assert!(line(&said, "at most about").contains("weights 450.0 kB, cache "), "{said:#?}");
    assert!(line(&said, "fetch").contains("about 450.0 kB to download"), "{said:#?}");
    let run = bench.say(&["run", "x.toml", "--out", "out"]);
    assert_eq!((run.code, &*run.stdout), (Some(96), ""), "a run has no use for a shape: {run:#?}");
    assert!(!bench.exists("out"));
}

#[test]
fn without_a_shape_it_is_said_that_the_model_must_be_fetched_and_no_more() {
    let bench = hub_experiment("");
    let said = plan(&bench, &bench.path().join("x.toml"));
    assert_eq!((said.code, &*said.stdout), (Some(96), ""), "{said:#?}");
    assert!(said.stderr.contains("the model scripted is not fetched: o/r/m.gguf@main"), "{said:#?}");
}

#[test]
fn a_shape_that_no_model_has_is_refused() {
    for (from, to, why) in [
        ("layers = 4", "layers = 0", "layers can't be 0"),
        ("feed_forward = 400", "experts = 4", "4 experts with 0 used"),
        ("feed_forward = 400", "experts = 9, experts_used = 1, expert_feed_forward = 400", "its experts alone have"),
        (", about_bytes = 450_000", "", "the shape lacks the size of the file"),
        ("embedding = 100", "embeding = 100", "embeding"),
    ] {
        assert!(SHAPE.contains(from), "{from}");
        let bench = hub_experiment(&SHAPE.replace(from, to));
        let said = plan(&bench, &bench.path().join("x.toml"));
        assert_eq!((said.code, &*said.stdout), (Some(96), ""), "{said:#?}");
        assert!(said.stderr.contains(why), "{why}: {said:#?}");
    }
}

/// A model of the bundled catalogue, as its shape describes it.
fn catalogued(id: &str) -> (Model, Anatomy) {
    let models = root().join("models");
    let text = fs::read_to_string(models.join("catalog.toml")).expect("the catalogue is there");
    let known = model::parse("catalog.toml", &text, &models).expect("the catalogue reads well");
    let model = known.into_iter().find(|model| model.id == id).expect("it is in the catalogue");
    let shape = model.shape.clone().expect("its shape is stated");
    let anatomy = Anatomy::of_shape(&shape, model.expected_bytes().expect("its size is stated"));
    (model, anatomy)
}

#[test]
fn shapes_in_the_catalogue_have_the_parameters_that_their_authors_publish() {
    // In billions: in all, active, of these such as the authors leave out.
    for (id, total, active, left_out) in [
        ("gpt-oss-20b", 20.9, 3.6, 201_088.0 * 2880.0 / 1e9),
        ("deepseek-moe-16b", 16.4, 2.8, 0.0),
        ("phi-3.5-moe-instruct", 41.9, 6.6, 0.0),
    ] {
        let (_, anatomy) = catalogued(id);
        let in_all = anatomy.parameters.total as f64 / 1e9;
        assert!((in_all - total).abs() < 0.05, "{id}: {in_all}");
        let used = anatomy.parameters.active.expect("it is known") as f64 / 1e9 - left_out;
        assert!((used - active).abs() < 0.05, "{id}: {used}");
    }
}

#[test]
fn sizes_in_the_catalogue_are_of_their_quantisations() {
    for (id, least_bits, most_bits) in
        [("gpt-oss-20b", 4.25, 5.0), ("deepseek-moe-16b", 4.8, 5.6), ("phi-3.5-moe-instruct", 4.6, 5.1)]
    {
        let (model, anatomy) = catalogued(id);
        let bits = model.expected_bytes().expect("it is known") as f64 * 8.0 / anatomy.parameters.total as f64;
        assert!((least_bits..most_bits).contains(&bits), "{id}: {bits}");
        assert_eq!(anatomy.weights.expert_bytes + anatomy.weights.other_bytes, anatomy.weights.bytes);
        let layers: u64 = anatomy.weights.by_layer.iter().map(|layer| layer.expert_bytes).sum();
        assert!(layers <= anatomy.weights.expert_bytes && layers + 64 > anatomy.weights.expert_bytes, "{id}");
    }
}
