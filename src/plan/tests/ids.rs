//! What a trial's id depends on, and what it does not.

use super::*;
use crate::experiment::{Api, Served, Server};

/// The chain of [`SINGLE`].
const STEPS: &str = "[{ top_k = 40 }, { temperature = \"T\" }, \"dist\"]";

fn id(edits: &[(&str, &str)], change: impl Fn(&mut Surveyed)) -> TrialId {
    let plan = plan_on(&edited(SINGLE, edits), change).expect("the model fits the experiment");
    let ids: Vec<_> = plan.trials().map(|trial| trial.id.clone()).collect();
    assert_eq!(ids.len(), 1, "the experiment has one trial");
    ids[0].clone()
}

#[test]
fn whatever_may_change_a_text_changes_its_id() {
    let edit = |from, to| id(&[(from, to)], |_| {});
    let ids = [
        ("nothing", id(&[], |_| {})),
        ("model", id(&[], |surveyed| surveyed.blake3 = "another hash".to_owned())),
        ("engine", id(&[], |surveyed| surveyed.engine.fingerprint = "engine 2".to_owned())),
        ("offload", edit("\"none\"", "\"all\"")),
        ("op_offload", edit("[\"none\"]", "[\"none\"]\nop_offload = [false]")),
        ("quant", edit("[\"none\"]", "[\"none\"]\nquant = [\"q8_0\"]")),
        ("another quant", edit("[\"none\"]", "[\"none\"]\nquant = [\"q4_k_m\"]")),
        ("template", edit("[\"none\"]", "[\"none\"]\ntemplate = [\"chat\"]")),
        ("bos", edit("context = 64", "context = 64\nbos = \"always\"")),
        ("no bos", edit("context = 64", "context = 64\nbos = \"never\"")),
        ("layers", edit("\"none\"", "1")),
        ("more layers", edit("\"none\"", "2")),
        ("numerics", edit("context = 64", "context = 64\nnumerics = \"fast\"")),
        ("context", edit("context = 64", "context = 65")),
        ("overflow", edit("[\"none\"]", "[\"none\"]\noverflow = [\"stop\"]")),
        ("a shift", edit("[\"none\"]", "[\"none\"]\noverflow = [\"shift\"]")),
        ("what it keeps", edit("[\"none\"]", "[\"none\"]\noverflow = [\"shift:4\"]")),
        ("max_tokens", edit("max_tokens = 20", "max_tokens = 21")),
        ("temperature", edit("[1.0]", "[1.1]")),
        ("a step's parameter", edit("top_k = 40", "top_k = 41")),
        ("a step's kind", edit("top_k = 40", "top_p = 0.9")),
        ("a step's default", edit("{ top_k = 40 }", "{ top_p = { p = 0.9, min_keep = 1 } }")),
        ("the order", edit("{ top_k = 40 }, { temperature = \"T\" }", "{ temperature = \"T\" }, { top_k = 40 }")),
        ("a step less", edit("{ top_k = 40 }, ", "")),
        ("seed", edit("[7]", "[8]")),
        ("prompt", edit("\"one\"", "\"one \"")),
    ];
    for (index, (what, id)) in ids.iter().enumerate() {
        for (other, same) in &ids[..index] {
            assert_ne!(id, same, "{what} and {other} have the same id");
        }
    }
}

#[test]
fn the_default_of_op_offload_is_no_part_of_an_id() {
    assert_eq!(id(&[("[\"none\"]", "[\"none\"]\nop_offload = [true]")], |_| {}), id(&[], |_| {}));
    let plan = plan_on(&edited(SINGLE, &[("[\"none\"]", "[\"none\"]\nop_offload = [true, false]")]), |_| {}).unwrap();
    let keys: Vec<_> = plan.loads.iter().map(|load| load.key.to_string()).collect();
    assert_eq!(keys, ["a, offload none", "a, offload none, op_offload false"]);
    let written = serde_json::to_string(&plan.trials().next().unwrap().cell).unwrap();
    assert!(!written.contains("op_offload"), "{written}");
}

#[test]
fn a_context_in_the_grid_has_the_id_of_the_same_setting() {
    let in_grid =
        |levels: &str| [("context = 64\n", String::new()), ("[\"none\"]", format!("[\"none\"]\ncontext = {levels}"))];
    let of_grid = |levels: &str| {
        let edits = in_grid(levels);
        let edits: Vec<_> = edits.iter().map(|(from, to)| (*from, to.as_str())).collect();
        plan(&edited(SINGLE, &edits))
    };
    let ids = of_grid("[64, 65]").trials().map(|trial| trial.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids, [id(&[], |_| {}), id(&[("context = 64", "context = 65")], |_| {})]);
    let both = of_grid("[64, 65]");
    assert_eq!(both.n_loads(), 1, "another context takes no other weights");
    let keys: Vec<_> = both.loads.iter().map(|load| load.key.to_string()).collect();
    assert_eq!(keys, ["a, offload none, context 64", "a, offload none, context 65"]);
    let setting =
        serde_json::to_string(&plan(&edited(SINGLE, &[])).trials().next().expect("a trial").cell).expect("JSON");
    assert!(!setting.contains("context"), "{setting}");
}

#[test]
fn names_and_what_is_beside_the_text_change_no_id() {
    let plain = id(&[], |_| {});
    let edit = |from, to| id(&[(from, to)], |_| {});
    assert_eq!(edit("mine", "yours"), plain, "the chain's name");
    let same_file = |surveyed: &mut Surveyed| surveyed.blake3 = "hash of a".to_owned();
    assert_eq!(id(&[("\"a\"", "\"b\"")], same_file), plain, "the model's name");
    assert_eq!(edit("a.gguf", "elsewhere/b.gguf"), plain, "the model's place");
    assert_eq!(edit("name = \"x\"", "name = \"y\""), plain, "the experiment's name");
    assert_eq!(edit("\"T\"", "1.0"), plain, "a fixed temperature in place of the same one");
    assert_eq!(edit("id = \"mine\"", "id = \"mine\"\nfaithful = true"), plain, "the chain's fidelity");
    assert_eq!(id(&[], |surveyed| surveyed.engine.accelerators = vec!["GPU".to_owned()]), plain, "the devices' names");

    let mut renamed = experiment(SINGLE);
    renamed.prompts[0].id = "another".to_owned();
    let ids: Vec<_> = plan(&renamed).trials().map(|trial| trial.id.clone()).collect();
    assert_eq!(ids, [plain], "the prompt's name");
}

#[test]
fn an_id_is_the_same_on_every_machine_and_in_every_build() {
    // Journals are keyed by ids: a change here makes every finished run begin again.
    assert_eq!(id(&[], |_| {}).as_str(), "b9e1a0f13a9f9f4bc61393e6b0bfd741");
}

/// llama-server was asked to choose before the steps ahead of a greedy choice: what was made then is not mixed with what
/// is made now.
#[test]
fn a_request_that_was_changed_changes_the_ids_of_its_chains_alone() {
    let id = |steps: &str, api: Option<Api>| {
        let mut experiment = edited(SINGLE, &[(STEPS, steps)]);
        if let Some(api) = api {
            let server = Server::new("s".to_owned(), "http://h".to_owned(), api);
            experiment.grid.models[0].source = Source::Server(Box::new(Served { server, name: "a".to_owned() }));
        }
        let plan = plan_on(&experiment, |_| {}).expect("the model fits the experiment");
        plan.trials().next().expect("a trial").id.clone()
    };
    let changed = "[{ top_k = 40 }, \"greedy\"]";
    assert_ne!(id(changed, Some(Api::LlamaServer)), id(changed, None));
    assert_eq!(id(changed, Some(Api::Openai)), id(changed, None));
    assert_eq!(id(STEPS, Some(Api::LlamaServer)), id(STEPS, None));
}
