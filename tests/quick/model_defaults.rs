//! The chain that a model's own files decide: what it becomes, what is said where they decide nothing, and what of it is
//! part of a trial.

use serde_json::Value;

use crate::support::{Bench, Said};

/// Of transformers: 0.6, 20, 0.95.
const QWEN: &str = r#"{ "do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.95, "eos_token_id": [1, 2] }"#;
/// The same steps, as an experiment writes them.
const WRITTEN: &str = r#"
[[chain]]
id = "written"
steps = [{ temperature = 0.6 }, { top_k = 20 }, { top_p = { p = 0.95, min_keep = 1 } }, { min_p = { p = 0, min_keep = 1 } },
         { typical = { p = 1, min_keep = 1 } }, "dist"]
"#;

fn bench(config: &str) -> Bench {
    let bench = Bench::scripted("");
    bench.edit("[\"pure\", \"greedy\"]", "[\"model-defaults\"]");
    bench.write("generation_config.json", config);
    bench
}

fn ids(bench: &Bench, directory: &str) -> Vec<String> {
    let plan: Value = serde_json::from_str(&bench.result(directory, "plan.json")).expect("it is JSON");
    let trials = plan["trials"].as_array().expect("trials").iter();
    trials.map(|trial| trial["id"].as_str().expect("an id").to_owned()).collect()
}

/// What `run` says of an experiment that it refuses before anything is written.
fn refused(bench: &Bench) -> Said {
    let said = bench.run("refused", &[], 96);
    assert!(!bench.exists("refused"), "nothing is written");
    said
}

#[test]
fn a_models_own_chain_is_part_of_its_trials_and_stands_in_plan_manifest_and_report() {
    let bench = bench(QWEN);
    bench.write("x.toml", bench.read("x.toml") + WRITTEN);
    bench.run("out", &[], 0);
    // The grid has two temperatures, and the chain its own.
    let own = ids(&bench, "out");
    assert_eq!((own.len(), own.iter().collect::<std::collections::BTreeSet<_>>().len()), (18, 9));
    bench.edit("[\"model-defaults\"]", "[\"written\"]");
    bench.run("written", &[], 0);
    assert_eq!(ids(&bench, "written"), own, "a trial is known by its steps, whoever states them");

    let note = "chain model-defaults of the model scripted, by generation_config.json beside it: [{\"temperature\":{\"t\":0.6}},\
                {\"top_k\":{\"k\":20}}";
    let manifest = bench.result("out", "manifest.json");
    assert!(manifest.contains(&note.replace('"', "\\\"")), "{manifest}");
    let plan: Value = serde_json::from_str(&bench.result("out", "plan.json")).expect("it is JSON");
    assert_eq!(plan["chains"][0]["author"]["model_file"]["place"], "generation_config");
    assert_eq!(plan["chains"][0]["steps"][1]["top_k"]["k"], 20);
    assert!(bench.result("out", "report.html").contains("model-defaults of scripted"));
    // It is read back.
    bench.say(&["report", "out"]).says(&[]);
}

#[test]
fn another_configuration_is_another_chain() {
    let bench = bench(QWEN);
    bench.run("out", &[], 0);
    bench.write("generation_config.json", QWEN.replace("0.6", "0.7"));
    bench.run("other", &[], 0);
    assert!(ids(&bench, "out").iter().all(|id| !ids(&bench, "other").contains(id)));
    // What draws nothing runs once, whatever the seeds.
    bench.write("generation_config.json", r#"{ "do_sample": false }"#);
    bench.run("greedy", &[], 0);
    assert_eq!(ids(&bench, "greedy").len(), 6, "two temperatures, three prompts");
}

#[test]
fn a_model_that_states_nothing_is_refused_with_the_chain_to_use() {
    let bench = bench(r#"{ "eos_token_id": 2 }"#);
    refused(&bench).says(&[
        "x.toml can't be run",
        "chain model-defaults can't be used with the model scripted: its file has no sampling settings",
        "use chain = \"llama.cpp\"",
        "[[grid.exclude]] model = \"scripted\", chain = \"model-defaults\"",
    ]);
    // As it says.
    bench.edit("[\"model-defaults\"]", "[\"model-defaults\", \"pure\"]");
    bench.edit("[prompts]", "[[grid.exclude]]\nmodel = \"scripted\"\nchain = \"model-defaults\"\n\n[prompts]");
    bench.run("out", &[], 0);
}

#[test]
fn a_configuration_that_cannot_be_followed_is_refused_with_its_key() {
    for (config, why) in [
        ("{", "generation_config.json beside it is not a list of settings"),
        (
            r#"{ "do_sample": true, "top_p": 2 }"#,
            "generation_config.json beside it says top_p = 2, which transformers refuses",
        ),
        (r#"{ "do_sample": true, "num_beams": 4 }"#, "generation_config.json beside it asks for num_beams = 4"),
    ] {
        refused(&bench(config)).says(&[why, "correct it, or write the intended steps as a [[chain]]"]);
    }
    // Who does not ask for it does not mind.
    let bench = bench("{");
    bench.edit("[\"model-defaults\"]", "[\"pure\"]");
    bench.run("out", &[], 0);
}

#[test]
fn what_a_server_decides_is_for_servers() {
    let bench = bench(QWEN);
    bench.edit("[\"model-defaults\"]", "[\"server-defaults\"]");
    refused(&bench)
        .says(&["chain server-defaults can't be used with the model scripted: it is a file", "\"model-defaults\""]);
}

#[test]
fn a_routing_study_follows_steps_that_its_file_says() {
    let study = "kind = \"routing\"\n";
    for chain in ["model-defaults", "server-defaults"] {
        let bench = bench(QWEN);
        bench.edit("schema = 1\n", &format!("schema = 1\n{study}"));
        bench.edit("[\"model-defaults\"]", &format!("[{chain:?}]"));
        refused(&bench).says(&[&format!("{chain} is for sweeps"), "such as \"llama.cpp\""]);
    }
}
