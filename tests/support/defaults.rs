//! Answers as a llama-server does whose defaults are known, and which loops where its settings say so.

use serde_json::{Map, Value, json};

use super::canned::{choices, prompt, stream, whole};
use super::server::{Request, words};

/// llama.cpp's defaults, as llama-server states them.
pub fn usual() -> Value {
    json!({
        "temperature": 0.800000011920929, "top_k": 40, "top_p": 0.949999988079071, "min_p": 0.05000000074505806,
        "repeat_penalty": 1.0, "repeat_last_n": 64, "presence_penalty": 0.0, "frequency_penalty": 0.0,
    })
}

/// What it samples with: what the request says, but for the parameter that it ignores, and its defaults for the rest.
pub fn settings(defaults: &Value, said: &Value, ignored: &str) -> Map<String, Value> {
    let mut settings = defaults.as_object().expect("defaults are an object").clone();
    for (name, value) in &mut settings {
        if !said[&**name].is_null() && name != ignored {
            *value = said[&**name].clone();
        }
    }
    settings
}

/// Words that depend on prompt, seed and settings; the beginning of a loop where it `loops`.
fn text(request: &Request, settings: &Map<String, Value>, n: usize, loops: bool) -> String {
    let settings = Value::Object(settings.clone());
    let n_words = if loops { 8 } else { n };
    let words = words(&format!("{} {} {} {settings}", request.path, prompt(request), request.body["seed"]), n_words);
    words.concat() + &" round and".repeat((n - n_words) / 2)
}

/// What one with these defaults answers, which ignores a parameter of requests.
pub fn answers(
    defaults: Value,
    ignored: &'static str,
    loops: fn(&Map<String, Value>) -> bool,
) -> impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static {
    move |request| match &*request.path {
        "/props" => {
            let settings = json!({ "n_ctx": 1024, "params": defaults });
            whole(200, &json!({ "build_info": "b1", "default_generation_settings": settings }))
        }
        "/v1/models" => whole(200, &json!({ "data": [{ "id": "/models/tiny.gguf" }] })),
        "/v1/chat/completions" => {
            let settings = settings(&defaults, &request.body, ignored);
            let n = request.body["max_tokens"].as_u64().expect("a number") as usize;
            let text = text(request, &settings, n, loops(&settings));
            choices(&[json!({ "delta": { "content": text }, "finish_reason": "length" })], n)
        }
        "/completion" => {
            let settings = settings(&defaults, &request.body, ignored);
            let n = request.body["n_predict"].as_u64().expect("a number") as usize;
            let text = text(request, &settings, n, loops(&settings));
            let end = json!({ "content": text, "tokens": vec![7; n], "stop": true, "stop_type": "limit",
                "tokens_predicted": n, "tokens_evaluated": 3 });
            stream(&format!("data: {end}\n\n"))
        }
        _ => whole(404, &Value::Null),
    }
}

pub fn number(settings: &Map<String, Value>, name: &str) -> f64 {
    settings[name].as_f64().expect("a number")
}
