//! The chain that the server decides: nothing is sent that would decide it, and what it says of it is kept.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::bench;
use crate::support::Bench;
use crate::support::canned::{Canned, choices, stream, text, whole};
use crate::support::server::Request;

/// What no request may hold that leaves the choice to the server.
const SAMPLING: [&str; 9] =
    ["temperature", "top_k", "top_p", "min_p", "typical_p", "repeat_penalty", "presence_penalty", "samplers", "format"];

fn llama_server(temperature: f64) -> Canned {
    Canned::start(move |request| match &*request.path {
        "/props" => whole(
            200,
            &json!({
                "build_info": "b1",
                "default_generation_settings": {
                    "n_ctx": 512,
                    "params": { "temperature": temperature, "top_k": 40, "seed": 7, "n_predict": -1, "samplers": ["top_k", "temperature"] },
                },
            }),
        ),
        "/completion" => completion(request),
        _ => whole(404, &Value::Null),
    })
}

fn completion(request: &Request) -> Vec<u8> {
    let words = text(request);
    let n = words.len();
    let end = json!({
        "content": words.concat(), "tokens": vec![7; n], "stop": true, "stop_type": "limit", "tokens_evaluated": 3,
        "tokens_predicted": n, "generation_settings": { "samplers": request.body["samplers"] },
    });
    stream(&format!("data: {end}\n\n"))
}

fn ollama() -> Canned {
    Canned::ollama(json!({ "llama.context_length": 4096 }), |request| {
        let words = text(request);
        let end =
            json!({ "response": words.concat(), "done": true, "done_reason": "length", "eval_count": words.len() });
        stream(&(end.to_string() + "\n"))
    })
}

fn asks_for_nothing(server: &Canned, api: &str) -> Bench {
    let bench = bench(&server.url, &["one", "two", "three"]);
    bench.edit("api = \"openai\"", &format!("api = \"{api}\""));
    bench.edit("[\"pure\"]", "[\"server-defaults\"]");
    bench
}

fn ids(bench: &Bench, directory: &str) -> Vec<Value> {
    let plan: Value = serde_json::from_str(&bench.result(directory, "plan.json")).expect("it is JSON");
    plan["trials"].as_array().expect("trials").iter().map(|trial| trial["id"].clone()).collect()
}

#[test]
fn no_sampling_field_is_sent_and_the_seed_is() {
    for (api, path, server) in
        [("llama-server", "/completion", llama_server(0.8)), ("ollama", "/api/generate", ollama())]
    {
        let bench = asks_for_nothing(&server, api);
        let said = bench.run("out", &[], 0);
        // The grid's two temperatures are one text: two seeds, three prompts.
        assert!(said.stdout.contains("12 trials"), "{}", said.stdout);
        let bodies = server.bodies(path);
        let settings = |body: &Value| if api == "ollama" { body["options"].clone() } else { body.clone() };
        let asked: Vec<_> = bodies.iter().map(settings).filter(|asked| asked.get("temperature").is_none()).collect();
        // Some are made again, to see whether they are the same.
        let distinct: BTreeSet<_> = asked.iter().map(Value::to_string).collect();
        assert!(distinct.len() <= 6 && asked.len() >= 6, "beside what is tried first: {distinct:?}");
        for asked in &asked {
            let sent: Vec<_> = SAMPLING.iter().filter(|key| asked.get(**key).is_some()).collect();
            assert!(sent.is_empty() && asked["seed"].is_u64(), "{api} was sent {asked}");
        }
    }
}

#[test]
fn what_the_server_states_of_its_defaults_is_kept_and_part_of_these_trials_alone() {
    let (mild, hot) = (llama_server(0.8), llama_server(1.5));
    let bench = asks_for_nothing(&mild, "llama-server");
    bench.edit("[\"server-defaults\"]", "[\"server-defaults\", \"pure\"]");
    bench.run("out", &[], 0);
    let manifest: Value = serde_json::from_str(&bench.result("out", "manifest.json")).expect("it is JSON");
    let defaults = &manifest["models"][0]["server"]["defaults"];
    assert_eq!(*defaults, json!({ "temperature": "0.8", "top_k": "40", "samplers": "[\"top_k\",\"temperature\"]" }));
    let report = bench.result("out", "report.html");
    assert!(report.contains("its defaults") && report.contains("none were requested"), "{report}");
    bench.edit(&mild.url, &hot.url);
    bench.run("hot", &[], 0);
    let (ours, theirs) = (ids(&bench, "out"), ids(&bench, "hot"));
    let same = ours.iter().filter(|id| theirs.contains(id)).count();
    assert_eq!((ours.len(), same), (24, 12), "those of `pure` are sent all that they are");
}

#[test]
fn a_model_file_is_not_asked_of_a_server_and_shimmy_is_not_asked_for_an_unknown_draw() {
    let server = llama_server(0.8);
    let bench = asks_for_nothing(&server, "llama-server");
    bench.edit("[\"server-defaults\"]", "[\"model-defaults\"]");
    bench.run("out", &[], 96).says(&["a server does not show its model's file", "use \"server-defaults\""]);
    let bench = asks_for_nothing(&server, "shimmy");
    bench.run("out", &[], 96).says(&["the api shimmy accepts no seed", "own_chain"]);
    assert!(server.bodies("/completion").is_empty() && !bench.exists("out"), "nothing is asked or written");
}

#[test]
fn json_mode_is_asked_of_each_api_in_its_own_words() {
    let openai = Canned::openai(|request| {
        let words = text(request);
        choices(&[json!({ "text": words.concat(), "finish_reason": "length" })], words.len())
    });
    let schema = json!({ "type": "json_object" });
    for (api, path, key, said, server) in [
        ("openai", "/v1/completions", "response_format", schema, openai),
        ("ollama", "/api/generate", "format", json!("json"), ollama()),
    ] {
        let bench = bench(&server.url, &["one", "two", "three"]);
        bench.edit("api = \"openai\"", &format!("api = \"{api}\""));
        bench.edit("[\"pure\"]", "[\"json\", \"pure\"]");
        let chain = "\n[[chain]]\nid = \"json\"\nsteps = [\"json\", { temperature = \"T\" }, \"dist\"]\n";
        bench.write("x.toml", bench.read("x.toml") + chain);
        bench.run("out", &[], 0);
        let bodies = server.bodies(path);
        let asked = bodies.iter().filter(|body| body.get(key) == Some(&said)).count();
        assert!(asked >= 12 && bodies.len() > 2 * asked - 12, "{api}: {asked} of {}", bodies.len());
        assert!(bodies.iter().all(|body| body["options"].get("format").is_none()), "it stands beside the options");
    }
}
