//! The context of a server: what is asked for, and what is refused before anything is run.

use serde_json::{Value, json};

use super::bench;
use crate::support::canned::{Canned, prompt, stream, text, whole};
use crate::support::server::Request;

fn llama_server(n_ctx: u32) -> Canned {
    Canned::start(move |request| match &*request.path {
        "/props" => whole(200, &json!({ "build_info": "b1", "default_generation_settings": { "n_ctx": n_ctx } })),
        "/completion" => {
            let words = text(request);
            let n = words.len();
            let cut = prompt(request).starts_with("truncated");
            let end = json!({
                "content": words.concat(), "tokens": vec![7; n], "stop": true, "stop_type": "limit", "truncated": cut,
                "tokens_evaluated": 3, "tokens_predicted": n,
                "generation_settings": { "samplers": request.body["samplers"] },
            });
            stream(&format!("data: {end}\n\n"))
        }
        _ => whole(404, &Value::Null),
    })
}

#[test]
fn a_server_whose_context_is_too_small_is_refused_before_it_is_tried() {
    let generate = |_: &Request| -> Vec<u8> { panic!("nothing is to be asked") };
    let vllm = Canned::start(|request| match &*request.path {
        "/v1/models" => whole(200, &json!({ "data": [{ "id": "tiny", "max_model_len": 512 }] })),
        _ => whole(404, &Value::Null),
    });
    let made_for = json!({ "general.architecture": "llama", "llama.context_length": 512 });
    for (api, server, remedy) in [
        ("llama-server", llama_server(512), "llama-server -c N, where N is 2048 times its -np"),
        ("openai", vllm, "vllm serve --max-model-len 2048"),
        ("ollama", Canned::ollama(made_for, generate), "set context to 512 or less in [generate]"),
    ] {
        let bench = bench(&server.url, &["one", "two", "three"]);
        bench.edit("api = \"openai\"", &format!("api = \"{api}\""));
        bench.edit("context = 64", "context = 2048");
        for command in [["run", "x.toml", "--out", "out"], ["plan", "x.toml", "--out", "out"]] {
            let said = bench.say(&command);
            assert_eq!(said.code, Some(96), "{said:#?}");
            assert_eq!(said.stderr.matches("has a context of").count(), 1, "it is said once: {}", said.stderr);
            said.says(&["the model m has a context of 512 tokens on the server s, less than context = 2048", remedy]);
        }
        assert!(!bench.exists("out"), "nothing is written");
        for path in ["/completion", "/v1/completions", "/api/generate"] {
            assert_eq!(server.bodies(path).len(), 0, "{path} was asked");
        }
        bench.edit("context = 2048", "context = 512");
        let said = bench.say(&["plan", "x.toml", "--out", "out"]);
        assert_eq!(said.code, Some(0), "{said:#?}");
    }
}

#[test]
fn a_text_that_did_not_fit_into_the_context_is_censored() {
    let server = llama_server(256);
    let bench = bench(&server.url, &["one", "two", "three", "truncated four"]);
    bench.edit("api = \"openai\"", "api = \"llama-server\"");
    let said = bench.run("out", &[], 3);
    super::all(&super::fates(&bench, 1), "ok", "max_tokens");
    super::all(&super::fates(&bench, 4), "censored", "cut");
    assert!(said.stdout.replace("\n      ", " ").contains("its context was too small"), "{}", said.stdout);
}

#[test]
fn ollama_is_told_the_context_and_a_context_that_is_not_known_is_noted() {
    let server = Canned::ollama(json!({ "llama.context_length": 4096 }), |request| {
        let words = text(request);
        let end =
            json!({ "response": words.concat(), "done": true, "done_reason": "length", "eval_count": words.len() });
        stream(&(end.to_string() + "\n"))
    });
    let ollama = bench(&server.url, &["one", "two", "three"]);
    ollama.edit("api = \"openai\"", "api = \"ollama\"");
    ollama.edit("context = 64", "context = 320");
    let said = ollama.run("out", &[], 0);
    let asked = server.bodies("/api/generate");
    assert!(asked.len() > 12);
    for body in &asked {
        assert_eq!(body["options"]["num_ctx"], json!(320), "{body}");
        assert_eq!((&body["truncate"], &body["shift"]), (&json!(false), &json!(false)));
    }
    assert!(!said.stdout.contains("its context, which may be smaller"), "{}", said.stdout);

    let server = crate::support::server::Server::start(crate::support::server::Manners::default());
    let unknown = bench(&server.url, &["one", "two", "three"]);
    let said = unknown.run("out", &[], 0);
    let stdout = said.stdout.replace("\n      ", " ");
    assert!(stdout.contains("its context, which may be smaller than the experiment's"), "{stdout}");
}
